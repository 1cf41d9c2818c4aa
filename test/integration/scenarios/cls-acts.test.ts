import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type {
  FilesResult,
  PendingResult,
  PreviewResult,
} from "../../../daemon/pipelines/cls/act-params.ts";
import { clsStoreExists, openClsStore, storeVersion } from "../../../daemon/pipelines/cls/store.ts";
import { lockRoot } from "../../../daemon/pipelines/cls/store-lock.ts";
import { type CliEnd, cliHere, spawnCli } from "../../support/cli.ts";
import { aReportRow, type Cells, FULL_REPORT, writeClsRoot } from "../../support/cls-root.ts";
import { runCls } from "../../support/cls-run.ts";
import { incrementName } from "../../support/cls-sync.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { addPeople, type People } from "../../support/people.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;
let people: People;
let work: string;

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), "cls-acts-"));
  daemon = await startDaemon();
  people = await addPeople(daemon.dataDir);
});
afterAll(async () => {
  await people.close();
  await daemon.close();
  await rm(work, { recursive: true, force: true });
});

const [NOV_18, NOV_19] = ["2025_11_18", "2025_11_19"].map(incrementName) as [string, string];
/** More digits than any number of JavaScript holds. */
const EXACT = ["900719925474099312.0001", "0.10000000000000000001"] as const;

const dated = (item: string, day: string | null, cells: Cells = {}): Cells =>
  aReportRow(item, { "Item Update Date": day, ...cells });

let root: string;
let places = 0;

/** A folder of its own: a full file, and two increments with every kind of row; the second touches one key of the first. */
beforeEach(async () => {
  places += 1;
  root = join(work, `root-${places}`);
  await writeClsRoot(root, {
    reports: {
      [FULL_REPORT]: [
        ...["A", "B", "C", "D", "E"].map((item) => aReportRow(item)),
        aReportRow("P", { Price1: EXACT[0] }),
        aReportRow("X", { "Corp Acct": "0202" }),
      ],
      [NOV_18]: [
        dated("A", "2025-11-18", { Price1: "18" }),
        dated("B", "2025-11-18"),
        dated("C", "2025-09-01", { Price1: "1" }),
        dated("D", "2025-10-01"),
        dated("E", null, { Price1: "9" }),
        dated("P", "2025-10-01", { Price1: EXACT[1] }),
        dated("N", "2025-11-18"),
        aReportRow("X", { "Corp Acct": "0202" }),
      ],
      [NOV_19]: [dated("A", "2025-11-19", { Price1: "19" })],
    },
  });
});

const cls = (...words: string[]): Promise<CliEnd> => clsAs(null, ...words);

function clsAs(user: string | null, ...words: string[]): Promise<CliEnd> {
  const who = user === null ? [] : ["--user", user];
  return cliHere(["--data", daemon.dataDir, ...who, "cls", ...words, "--root", root]);
}

async function answer<T>(...words: string[]): Promise<T> {
  const end = await cls(...words, "--json");
  expect(end.code, end.err).toBe(0);
  return JSON.parse(end.out) as T;
}

async function sync(): Promise<void> {
  const { code, err } = await runCls(daemon.dataDir, root, null, "--phase", "sync");
  expect(code, err).toBe(0);
}

/** The stored price of an item, in ten-thousandths; null when it is not stored. */
function priceOf(item: string): number | null {
  const store = openClsStore(daemon.dataDir, root);
  try {
    const found = store.db.prepare("SELECT price1 FROM rows WHERE key = ?").pluck();
    return (found.get(`${item}|0101|V1||`) as number | undefined) ?? null;
  } finally {
    store.close();
  }
}

function version(): string {
  const store = openClsStore(daemon.dataDir, root);
  try {
    return storeVersion(store);
  } finally {
    store.close();
  }
}

const tasksNamed = async (name: string) =>
  (await daemon.client.list({ where: { name }, limit: 1000 })).tasks;

describe("preview", () => {
  test("counts what a sync would do with each file, and writes nothing", async () => {
    const { files, total, storedRows, later } = await answer<PreviewResult>("preview");
    expect(files).toMatchObject([
      { name: FULL_REPORT, would: "apply", rowsIn: 7, rowsNew: 6, rowsFiltered: 1, replaces: 0 },
      {
        ...{ name: NOV_18, would: "apply", day: "2025-11-18", rowsIn: 8, rowsNew: 1 },
        ...{ rowsUpdated: 1, rowsSame: 2, rowsOlder: 1, rowsConflict: 1 },
        ...{ rowsReview: 1, rowsFiltered: 1, replaces: null },
      },
      { name: NOV_19, would: "apply", rowsIn: 1, rowsUpdated: 1 },
    ]);
    expect(total).toMatchObject({ rowsIn: 16, rowsNew: 7, rowsSame: 2, rowsFiltered: 2 });
    expect(storedRows).toEqual({ before: 0, after: 7 });
    expect(later).toEqual([
      { phase: "integrate", would: "run" },
      { phase: "classify", would: "run" },
    ]);
    expect(clsStoreExists(daemon.dataDir, root)).toBe(false);
  });

  test("of what is applied says so, and of an empty store again what would be replaced", async () => {
    await sync();
    const before = version();
    const again = await cls("preview");
    expect(again.out).toContain("already applied on");
    expect(again.out).toContain("A sync would apply nothing; 7 rows stay stored.");
    const fresh = await answer<PreviewResult>("preview", "--fresh");
    expect(fresh.storedRows).toEqual({ before: 7, after: 7 });
    expect(version()).toBe(before);
  });

  test("takes the parameters of a run", async () => {
    const given = ["--param", "maxIncrements=1", "--param", 'excludedAccounts=["0101"]'];
    const { files } = await answer<PreviewResult>("preview", ...given);
    expect(files).toMatchObject([
      { rowsNew: 1, rowsFiltered: 6 },
      { would: "apply", rowsFiltered: 7 },
      { would: "wait", reason: expect.stringContaining("more than 1 increments") },
    ]);
  });
});

describe("the lists", () => {
  beforeEach(sync);

  test("of conflicts have file, row, key, both prices to the letter and the reason", async () => {
    const { rows, total, open } = await answer<PendingResult>("conflicts");
    expect({ total, open }).toEqual({ total: 1, open: 0 });
    expect(rows).toMatchObject([
      {
        ...{ kind: "conflict", file: NOV_18, row: 7, key: "P|0101|V1||" },
        ...{ storedPrice: EXACT[0], price: EXACT[1], decision: "keep", decidedBy: "policy" },
        why: "same update date as the stored row (2025-10-01), but another Price1",
      },
    ]);
    const { out } = await cls("conflicts", "--file", "11_18");
    for (const words of [...EXACT, "kept by the policy", "1 conflict, none of them open."])
      expect(out).toContain(words);
    expect((await cls("conflicts", "--file", "11_19")).out).toBe("No conflict.\n");
    expect((await cls("conflicts", "--csv")).out).toContain(
      `,Price1,${EXACT[0]},${EXACT[1]},keep,`,
    );
  });

  test("for review are decided on by a person, once, and the row is stored", async () => {
    const { rows } = await answer<PendingResult>("review", "--open");
    expect(rows).toMatchObject([{ kind: "review", row: 6, key: "E|0101|V1||", decision: null }]);
    const id = String(rows[0]?.id);
    const end = await clsAs("ope", "decide", "take", id, "--reason", "checked by phone");
    expect([end.code, end.out]).toEqual([0, "1 row taken into the store.\n"]);
    expect(priceOf("E")).toBe(90_000);
    expect((await cls("review")).out).toContain("taken by ope");
    const keep = await cls("decide", "keep", id, "--reason", "no");
    expect([keep.code, keep.err]).toEqual([6, expect.stringContaining("it was taken already")]);
  });
});

describe("undo", () => {
  beforeEach(sync);

  test("tells with --dry-run what it would do, needs no reason for that, and changes nothing", async () => {
    const before = version();
    const end = await cls("undo", "11_19", "--dry-run");
    expect([end.code, end.out]).toEqual([
      0,
      `${NOV_19} would be undone: 1 key would have its former rows again, 0 keys that only it had brought would be gone.\nNothing was changed.\n`,
    ]);
    expect(version()).toBe(before);
  });

  test("takes back the last file by a part of its name, and files tells who, why and what was", async () => {
    const end = await clsAs("ope", "undo", "11_19", "--reason", "wrong vendor file");
    expect(end.code, end.err).toBe(0);
    expect(end.out).toContain(
      `${NOV_19} is undone: 1 key has its former rows again, 0 keys that only it had brought are gone.`,
    );
    expect(priceOf("A")).toBe(180_000);
    const { files } = await answer<FilesResult>("files");
    expect(files).toMatchObject([
      { name: FULL_REPORT, kind: "full", undo: { possible: false } },
      { name: NOV_18, state: "applied", rowsUpdated: 2, undo: { possible: true, why: null } },
      { state: "undone", undone: { by: "ope", reason: "wrong vendor file", again: false } },
    ]);
    const [task] = await tasksNamed("cls.undo");
    const detail = await daemon.client.get(task?.id ?? "");
    expect(detail).toMatchObject({ by: "ope", status: "completed" });
    expect(detail.inputJson).toContain("wrong vendor file");
    await sync();
    expect(priceOf("A")).toBe(180_000);
    await cls("undo", NOV_19, "--reason", "it was right", "--again");
    await sync();
    expect(priceOf("A")).toBe(190_000);
  });

  test("is refused while a later file touches its keys, and nothing is enqueued that must fail", async () => {
    const before = [version(), (await tasksNamed("cls.undo")).length];
    const end = await cls("undo", "11_18", "--reason", "wrong", "--json");
    expect(end.code).toBe(6);
    expect(JSON.parse(end.out)).toMatchObject({
      error: { code: "cls-undo-needs-later", message: expect.stringContaining(NOV_19) },
    });
    expect((await cls("undo", "1108", "--reason", "x")).err).toContain("No file applied from");
    expect((await cls("undo", "1108.xlsx", "--reason", "x")).err).toContain("applied after it");
    expect([version(), (await tasksNamed("cls.undo")).length]).toEqual(before);
    const kept = await cls("undo", "11_18", "--reason", "wrong", "--keep-later");
    expect(kept.out).toContain("1 key stays as a later file left them.");
    expect([priceOf("A"), priceOf("N")]).toEqual([190_000, null]);
  });

  test("is refused by the task itself as well, when it was enqueued by somebody else's hand", async () => {
    const input = { root, file: "11_18", reason: "wrong" };
    const { id } = await daemon.client.enqueue("cls.undo", input);
    await expect(daemon.client.waitResult(id)).rejects.toMatchObject({
      code: "cls-undo-needs-later",
    });
    expect(priceOf("A")).toBe(190_000);
  });

  test("waits for whoever works on the store, says so, and is cancelled without a trace", async () => {
    const signal = new AbortController().signal;
    const holder = { runId: "a-long-sync", signal, onWait: () => undefined };
    const lock = await lockRoot(daemon.dataDir, root, holder);
    onTestFinished(() => lock.release());
    let heard = "";
    const undoing = cliHere(
      ["--data", daemon.dataDir, "cls", "undo", "11_19", "--reason", "meanwhile", "--root", root],
      {
        onErr: (err) => {
          heard = err;
        },
      },
    );
    const told = await until(
      async () => {
        const [task] = await tasksNamed("cls.undo");
        return task === undefined ? null : daemon.client.get(task.id);
      },
      (task) => task?.progress?.what.includes("a-long-sync") === true,
    );
    expect(told?.status).toBe("running");
    await until(() => heard.includes("waiting for run a-long-sync on this root"));
    await daemon.client.cancel(told?.id ?? "", { reason: "not now" });
    const end = await undoing;
    expect([end.code, end.err]).toEqual([1, expect.stringContaining("was cancelled")]);
    lock.release();
    const { files } = await answer<FilesResult>("files");
    expect(files.at(-1)).toMatchObject({ name: NOV_19, state: "applied" });
  });
});

test("Ctrl-C cancels an act that only looks, and leaves one that changes the store to its end", async () => {
  await sync();
  const signal = new AbortController().signal;
  const holder = { runId: "a-long-sync", signal, onWait: () => undefined };
  const lock = await lockRoot(daemon.dataDir, root, holder);
  onTestFinished(() => lock.release());
  const ends = [];
  for (const act of [["preview"], ["undo", "11_19", "--reason", "x"]]) {
    const child = spawnCli(["--data", daemon.dataDir, "cls", ...act, "--root", root]);
    let err = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      err += chunk.toString();
    });
    await until(() => err.includes("a-long-sync"));
    child.kill("SIGINT");
    await until(
      () => child.exitCode,
      (code) => code !== null,
    );
    ends.push([child.exitCode, err.trimEnd().split("\n").at(-1)]);
  }
  expect(ends).toEqual([
    [130, "The preview was cancelled."],
    [130, expect.stringMatching(/^The undo goes on as task \S+; `msgsys show/)],
  ]);
  lock.release();
  const [undone] = await tasksNamed("cls.undo");
  await daemon.client.waitResult(undone?.id ?? "");
  const [preview] = await tasksNamed("cls.preview");
  expect((await daemon.client.get(preview?.id ?? "")).status).toBe("cancelled");
  expect(priceOf("A")).toBe(180_000);
});

test("an Operator may use every act, a Viewer none", async () => {
  await sync();
  const acts = [
    ["preview"],
    ["files"],
    ["conflicts"],
    ["review"],
    ["decide", "keep", "1", "--reason", "x"],
    ["undo", "11_19", "--reason", "x"],
  ];
  for (const act of acts) {
    expect((await clsAs("vie", ...act)).code, act.join(" ")).toBe(5);
    expect((await clsAs("ope", ...act)).code, act.join(" ")).toBe(0);
  }
});

test("before the first sync there is nothing to look at, which every act but preview says", async () => {
  for (const act of [["files"], ["conflicts"], ["review"], ["undo", "1", "--reason", "x"]]) {
    const end = await cls(...act);
    expect([act[0], end.code]).toEqual([act[0], 2]);
    expect(end.err).toContain("no file of reports/0031 was applied yet");
  }
  expect(clsStoreExists(daemon.dataDir, root)).toBe(false);
});
