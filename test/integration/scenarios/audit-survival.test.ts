import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { ConnectedClient } from "../../../daemon/sdk.ts";
import type { ResponseOf, StatusView } from "../../../shared/control.ts";
import { type CliEnd, cliHere } from "../../support/cli.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { canMount, mountSmallDisk } from "../../support/small-disk.ts";
import { until } from "../../support/until.ts";

const ONE_POOL = {
  "workers.pools": '{"only":{"queues":["test"],"slots":4}}',
  "lease.heartbeatMs": 500,
};

let daemon: TestDaemon;
const client = (): ConnectedClient => daemon.client;
const file = (): string => join(daemon.dataDir, "audit.db");
const trace = (): string => join(daemon.dataDir, "trace");
const msgsys = (...argv: string[]): Promise<CliEnd> =>
  cliHere(["--data", daemon.dataDir, "--json", ...argv]);

beforeAll(async () => {
  daemon = await startDaemon({ set: ONE_POOL });
});

afterAll(async () => {
  await daemon?.close();
});

/** Runs tasks to their end and answers their ids. */
async function runSome(count: number, label: string): Promise<string[]> {
  const tasks = await Promise.all(
    Array.from({ length: count }, () => client().enqueue("test.work", { file: trace(), label })),
  );
  for (const task of tasks) expect(await client().waitResult(task)).toMatchObject({ label });
  return tasks.map(({ id }) => id);
}

const statusOnce = (ok: (status: StatusView) => boolean): Promise<StatusView> =>
  until(() => client().status(), ok);

/** Waits until the audit has all of them as completed, and is up to date. */
async function auditHas(ids: readonly string[]): Promise<void> {
  await statusOnce(
    ({ daemon: { state }, audit: { lagRecords } }) => state === "ready" && lagRecords === 0,
  );
  for (const id of ids)
    await until(
      () => client().request("audit_task", { id }),
      ({ events }) => events.some(({ kind }) => /completed/.test(kind)),
    );
}

/** Standard output of `msgsys audit <query>` as one object for each row. */
async function rowsOf(query: string): Promise<Record<string, unknown>[]> {
  const { columns, rows } = JSON.parse(
    (await msgsys("audit", query)).out,
  ) as ResponseOf["audit_query"];
  return rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]])));
}

describe("the ready-made questions", () => {
  test("count by status, measure durations, and name what fails", async () => {
    await auditHas(await runSome(5, "counted"));
    const input = { file: trace(), kind: "final" };
    const dead = await client().enqueue("test.fail", input);
    await until(
      () => client().get(dead.id),
      ({ status }) => status === "dead",
    );
    await statusOnce(({ counts }) => counts.dead === 1);
    expect(await rowsOf("by-status")).toEqual([
      { status: "completed", tasks: 5 },
      { status: "dead", tasks: 1 },
    ]);
    expect(await rowsOf("durations")).toMatchObject([{ task_name: "test.work", tasks: 5 }]);
    expect(await rowsOf("failures")).toEqual([
      { task_name: "test.fail", ended: 1, dead: 1, failure_rate: 1 },
      { task_name: "test.work", ended: 5, dead: 0, failure_rate: 0 },
    ]);
    expect((await msgsys("audit", "weather")).code).toBe(2);
  });

  test("list changes of priority with who, why and both levels, and the timeline of a task", async () => {
    const { id } = await client().enqueue("test.work", { file: trace() }, { delayMs: 600_000 });
    await client().escalate(id, 9, "customer waits");
    await client().undo(id, "customer left");
    await client().cancel(id, { reason: "not needed" });
    await until(
      () => client().request("audit_task", { id }),
      ({ events }) => events.some(({ kind }) => /cancelled/.test(kind)),
    );
    const user = client().user;
    expect((await rowsOf("priority")).filter((row) => row["task_id"] === id)).toMatchObject([
      {
        by: user,
        role: "Admin",
        action: "undo",
        from_level: 9,
        to_level: 5,
        reason: "customer left",
      },
      { by: user, role: "Admin", from_level: 5, to_level: 9, reason: "customer waits" },
    ]);
    const { events } = JSON.parse(
      (await msgsys("audit", "task", id)).out,
    ) as ResponseOf["audit_task"];
    const seqs = events.map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    expect(events.length).toBeGreaterThanOrEqual(4);
    expect(events.at(-1)).toMatchObject({ by: user, role: "Admin" });
    expect(events.map(({ kind }) => kind).join(" ")).toMatch(/.*cancelled/);
    const words = await cliHere(["--data", daemon.dataDir, "audit", "task", id]);
    expect(words.out).toContain("customer waits");
  });
});

/** Tasks run and finish although the audit cannot write; afterwards it has them all. */
async function survives(cause: RegExp, repair: () => void): Promise<void> {
  const first = await client().enqueue("test.work", { file: trace(), label: "without" });
  expect(first.durability).toBe("broker");
  expect(await client().waitResult(first)).toMatchObject({ attempt: 1 });
  const ids = [first.id, ...(await runSome(20, "without"))];
  const status = await client().status();
  expect(status.daemon.state).toBe("degraded");
  expect(status.daemon.degraded.join("\n")).toMatch(/audit-store: /);
  expect(status.audit).toMatchObject({ state: "unavailable", cause: expect.stringMatching(cause) });
  repair();
  await auditHas(ids);
  expect((await client().status()).audit).toMatchObject({ state: "ok", cause: null });
  const task = await client().enqueue("test.work", { file: trace() });
  expect(task.durability).toBe("journaled");
  expect(await client().request("audit_verify", {})).toMatchObject({ ok: true });
}

describe("while the audit database cannot be written, tasks run and finish and it catches up", () => {
  test("when another connection has locked it", async () => {
    const other = new Database(file());
    other.exec("BEGIN IMMEDIATE");
    await survives(/another process has locked it/, () => {
      other.exec("ROLLBACK");
      other.close();
    });
  });

  test("when its place is taken", async () => {
    // A directory in its place: neither read nor written nor made anew.
    for (const ending of ["-wal", "-shm", ""]) rmSync(file() + ending, { force: true });
    mkdirSync(file());
    await survives(/cannot be opened|EISDIR|directory/i, () => rmSync(file(), { recursive: true }));
  });

  test("when it was deleted a new one takes its place and is filled from the journal", async () => {
    const before = await runSome(3, "before");
    await auditHas(before);
    for (const ending of ["", "-wal", "-shm"]) rmSync(file() + ending, { force: true });
    const after = await runSome(3, "after");
    await until(() => existsSync(file()));
    await auditHas([...before, ...after]);
    expect(await client().request("audit_verify", {})).toMatchObject({ ok: true });
  });
});

test.skipIf(!canMount())(
  "with a read-only audit database the daemon starts, works without it, and catches up when it may write",
  async () => {
    const disk = mountSmallDisk(32)!;
    onTestFinished(disk.unmount);
    const dataDir = mkdtempSync(join(tmpdir(), "msgsys-test-"));
    symlinkSync(join(disk.dir, "audit.db"), join(dataDir, "audit.db"));
    disk.setReadOnly(true);
    const shared = daemon;
    daemon = await startDaemon({ dataDir, set: ONE_POOL });
    onTestFinished(async () => {
      await daemon.close();
      daemon = shared;
    });
    await survives(/read-only|EROFS/, () => disk.setReadOnly(false));
  },
);

describe("backup, verify, restore", () => {
  let backup: string;

  test("a backup is written while tasks run, and is whole", async () => {
    backup = join(daemon.dataDir, "backup.db");
    await auditHas(await runSome(3, "backed-up"));
    const running = runSome(30, "meanwhile");
    const end = await msgsys("backup", backup);
    expect([end.code, JSON.parse(end.out)]).toMatchObject([0, { path: backup }]);
    await running;
    const copy = new Database(backup, { readonly: true });
    expect(copy.pragma("integrity_check", { simple: true })).toBe("ok");
    copy.close();
  });

  test("an edited event is named by verify, with exit code 1", async () => {
    expect((await msgsys("audit", "verify")).code).toBe(0);
    const db = new Database(file());
    const triggers = db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'task_event'")
      .pluck()
      .all() as string[];
    for (const name of triggers) db.exec(`DROP TRIGGER "${name}"`);
    const seq = db.prepare("SELECT max(seq) - 4 FROM task_event").pluck().get() as number;
    db.prepare("UPDATE task_event SET by = 'somebody else' WHERE seq = ?").run(seq);
    db.close();
    const end = await msgsys("audit", "verify");
    expect([end.code, JSON.parse(end.out)]).toMatchObject([1, { ok: false, firstBad: seq }]);
    const words = await cliHere(["--data", daemon.dataDir, "audit", "verify"]);
    expect(words.out).toContain(`changed at event ${seq}: `);
  });

  test("a restore is refused while the daemon runs and for what is no backup", async () => {
    const running = await msgsys("restore", backup);
    expect([running.code, JSON.parse(running.out)]).toMatchObject([
      3,
      { error: { code: "already-running" } },
    ]);
    const none = await msgsys("restore", trace());
    expect([none.code, JSON.parse(none.out)]).toMatchObject([
      2,
      { error: { code: "backup-invalid" } },
    ]);
  });

  test("a restored backup holds again, and what came after it is read from the journal", async () => {
    const late = await runSome(2, "late");
    await daemon.kill();
    const edited = readFileSync(file());
    const end = await msgsys("restore", backup);
    expect(end.code).toBe(0);
    const { kept } = JSON.parse(end.out) as { kept: string };
    expect(readFileSync(kept)).toEqual(edited);
    expect(readdirSync(daemon.dataDir)).toContain("audit.db");
    daemon = await daemon.restart();
    await auditHas(late);
    expect(await client().request("audit_verify", {})).toMatchObject({ ok: true });
    const { counts } = await client().status();
    const lines = readFileSync(trace(), "utf8").split("\n");
    const ends = new Set(
      lines.filter((line) => line.startsWith("end")).map((line) => line.split(" ")[2]),
    );
    expect(counts.completed).toBeGreaterThanOrEqual(ends.size);
  });
});
