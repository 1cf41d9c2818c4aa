import { mkdtempSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generateClsRoot } from "../../../daemon/pipelines/cls/generate.ts";
import { readManifest } from "../../../daemon/pipelines/cls/manifest.ts";
import { readPhaseResult } from "../../../daemon/pipelines/cls/phase-store.ts";
import { clsStoreExists, openClsStore } from "../../../daemon/pipelines/cls/store.ts";
import { exportHashes, SMALL_ROOT } from "../../support/cls-phases.ts";
import { aDailyRow, writeClsRoot, writeTable } from "../../support/cls-root.ts";
import { type ClsRun, runCls } from "../../support/cls-run.ts";
import { readNdjson } from "../../support/cls-sample.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";

const COUNTS = {
  rowsIn: expect.any(Number),
  rowsNew: expect.any(Number),
  rowsUpdated: expect.any(Number),
  rowsSkipped: expect.any(Number),
  rowsConflict: expect.any(Number),
  rowsReview: expect.any(Number),
  rowsFiltered: expect.any(Number),
};
const RESULT = {
  ...COUNTS,
  warnings: expect.any(Array),
  artifacts: expect.any(Array),
  durationMs: expect.any(Number),
};
const { rowsIn: _in, ...FILE_COUNTS } = COUNTS;
const BUCKETS = ["contract_link", "create", "update", "vendor_link"];

let daemon: TestDaemon;
let work: string;

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), "cls-run-"));
  daemon = await startDaemon();
});
afterAll(async () => {
  await daemon.close();
  await rm(work, { recursive: true, force: true });
});

let places = 0;
/** A small root of its own, with a folder for its export. */
async function aRoot(): Promise<{ root: string; out: string }> {
  places += 1;
  const root = join(work, `root-${places}`);
  await writeClsRoot(root, SMALL_ROOT);
  return { root, out: join(work, `out-${places}`) };
}

const run = (root: string, out: string | null, ...more: string[]): Promise<ClsRun> =>
  runCls(daemon.dataDir, root, out, ...more);

/** When the stored result of integrate was made. */
function integratedAt(root: string): string | undefined {
  const store = openClsStore(daemon.dataDir, root);
  try {
    return readPhaseResult(store, "integrate")?.finishedAt;
  } finally {
    store.close();
  }
}

describe("a run on a folder with one broken file", () => {
  let ended: ClsRun;
  let out: string;

  beforeAll(async () => {
    const root = join(work, "broken-root");
    out = join(work, "broken-out");
    await generateClsRoot(root, {
      rows: 600,
      increments: 2,
      rowsPerIncrement: 80,
      dailyRows: 120,
      withBroken: true,
    });
    ended = await run(root, out);
  });

  test("is completed with warnings and exit code 0", () => {
    expect(ended.code, ended.err).toBe(0);
    expect(ended.result.status).toBe("completed");
    expect(ended.result.warnings).toBeGreaterThan(0);
    expect(ended.result.phases.sync.warnings.join("\n")).toMatch(/2025_11_21\.xlsx failed/);
  });

  test("prints one JSON object with the result of each phase in order", () => {
    const { result } = ended;
    expect(ended.out.trimEnd().split("\n")).toHaveLength(1);
    expect(result).toMatchObject({ runId: expect.stringMatching(/./), status: "completed" });
    expect(Object.keys(result.phases)).toEqual(["sync", "integrate", "classify", "export"]);
    for (const [phase, of] of Object.entries(result.phases))
      expect(of, phase).toMatchObject({ ...RESULT, phase });
    expect(result.phases.integrate.rowsLookup).toBeGreaterThan(0);
    expect(Object.keys(result.phases.classify.buckets ?? {}).sort()).toEqual(BUCKETS);
    expect(result.phases.export.artifacts.map(({ path }) => path.slice(out.length + 1))).toEqual([
      ...["create.csv", "vendor_link.csv", "contract_link.csv", "update.csv"],
      "ExportFile_2025-11-19~2025-11-21.xlsx",
      ...["changes.ndjson", "rows.ndjson", "manifest.json"],
    ]);
  });

  test("counts the store, the keys and each file in the result of sync", () => {
    const { sync } = ended.result.phases;
    expect(sync).toMatchObject({
      finalRows: expect.any(Number),
      keysNew: expect.any(Number),
      keysUpdated: expect.any(Number),
      duplicateKeys: 0,
    });
    const files = sync.files ?? [];
    expect(files.map(({ status }) => status)).toEqual(["applied", "applied", "applied", "failed"]);
    for (const file of files)
      expect(file).toMatchObject({
        name: expect.stringMatching(/^0031-.*\.xlsx$/),
        ...FILE_COUNTS,
      });
    expect(files.map(({ reason }) => typeof reason)).toEqual([
      ...["undefined", "undefined", "undefined"],
      "string",
    ]);
    expect(sync.finalRows).toBe((files[0]?.rowsNew ?? 0) + (sync.keysNew ?? 0));
  });

  test("writes a line for each increment row and for each daily row and candidate", async () => {
    const changes = await readNdjson<object>(join(out, "changes.ndjson"));
    expect(changes).toHaveLength(160);
    for (const change of changes)
      expect(Object.keys(change)).toEqual(["file", "row", "key", "event", "price1"]);
    const rows = await readNdjson<object>(join(out, "rows.ndjson"));
    expect(rows).toHaveLength(ended.result.phases.classify.rowsIn);
    for (const row of rows)
      expect(Object.keys(row)).toEqual([
        ...["index", "sourceFile", "candidate", "preferred", "score", "source"],
        ...["contractChecks", "highestUomPrice", "suggestedVendor", "suggestedManufacturer"],
        ...["bucket", "ruleId", "evidence"],
      ]);
  });

  test("is shown by its id as it was printed", async () => {
    const { phases, status, warnings } = await daemon.client.getRun(ended.result.runId);
    expect({ status, warnings }).toEqual({
      status: "completed",
      warnings: ended.result.warnings,
    });
    expect(Object.fromEntries(phases.map(({ phase, result }) => [phase, result]))).toEqual(
      ended.result.phases,
    );
  });
});

test("a daily file that cannot be read fails alone", async () => {
  const { root, out } = await aRoot();
  await writeFile(join(root, "daily_files", "other.xlsx"), "the download broke off here");
  const { code, result } = await run(root, out);
  expect(code).toBe(0);
  expect(result.status).toBe("completed");
  expect(result.phases.integrate.files?.map(({ name, status }) => `${name} ${status}`)).toEqual([
    "daily.xlsx applied",
    "other.xlsx failed",
  ]);
});

test("a run whose phase fails ends with exit code 1, the phases before it and the reason", async () => {
  const { root, out } = await aRoot();
  await rm(join(root, "daily_files"), { recursive: true });
  const { code, result, err } = await run(root, out);
  expect(code).toBe(1);
  expect(result).toMatchObject({
    status: "failed",
    phases: { sync: { finalRows: 3 }, integrate: null, classify: null, export: null },
    errors: { integrate: expect.stringContaining("daily_files") },
  });
  expect(err).toContain("failed in integrate");
  await expect(readdir(out)).rejects.toMatchObject({ code: "ENOENT" });
});

describe("`--phase`", () => {
  test("runs that phase and those before it, and leaves the rest", async () => {
    const { root, out } = await aRoot();
    const first = await run(root, null, "--phase", "integrate");
    expect(Object.keys(first.result.phases)).toEqual(["sync", "integrate"]);
    expect(first.result).toMatchObject({ status: "completed" });
    const made = integratedAt(root);
    const second = await run(root, out, "--phase", "export");
    expect(second.result.phases.sync.files?.map(({ status }) => status)).toEqual([
      "skipped",
      "skipped",
    ]);
    expect(second.result.phases.classify.rowsIn).toBe(4);
    expect(integratedAt(root)).toBe(made);
  });

  test("makes a result again that is older than its input", async () => {
    const { root } = await aRoot();
    await run(root, null, "--phase", "integrate");
    const made = integratedAt(root);
    const rows = ["1", "2", "3", "4", "5"].map((item) => aDailyRow(item));
    await writeTable(join(root, "daily_files", "daily.xlsx"), rows);
    const { result } = await run(root, null, "--phase", "classify");
    expect(integratedAt(root)).not.toBe(made);
    expect(result.phases.classify.rowsIn).toBe(5);
  });

  test("refuses a phase that there is not", async () => {
    const { root } = await aRoot();
    const { code, err } = await run(root, null, "--phase", "load");
    expect(code).toBe(2);
    expect(err).toContain("no phase load: sync, integrate, classify, export");
  });
});

describe("a second run on an applied folder", () => {
  test("says when each file was applied, makes the exports again and keeps the former one", async () => {
    const { root, out } = await aRoot();
    const first = await run(root, out);
    const before = await exportHashes(out);
    const second = await run(root, out);
    expect(second.code).toBe(0);
    expect(second.result.phases.sync.files).toHaveLength(2);
    for (const { status, reason } of second.result.phases.sync.files ?? []) {
      expect(status).toBe("skipped");
      expect(reason).toMatch(/^already applied on \d{4}-\d\d-\d\dT/);
    }
    expect(second.result.phases.sync).toMatchObject({ finalRows: 3, rowsNew: 0, keysUpdated: 0 });
    expect(await exportHashes(out)).toEqual(before);
    expect((await readManifest(out))?.runId).toBe(second.result.runId);
    expect((await readManifest(`${out}.previous`))?.runId).toBe(first.result.runId);
  });

  test("begins with an empty store when asked to", async () => {
    const { root, out } = await aRoot();
    await run(root, out);
    const before = await exportHashes(out);
    const { result } = await run(root, out, "--fresh");
    expect(result.phases.sync.files?.map(({ status }) => status)).toEqual(["applied", "applied"]);
    expect(result.phases.sync).toMatchObject({ finalRows: 3, rowsNew: 3 });
    expect(await exportHashes(out)).toEqual(before);
  });
});

test("a dry run tells what would happen and leaves neither store nor export", async () => {
  const { root, out } = await aRoot();
  const { code, result } = await run(root, out, "--dry-run");
  expect(code).toBe(0);
  expect(result.phases.sync).toMatchObject({ finalRows: 3, rowsNew: 3, keysUpdated: 1 });
  expect(clsStoreExists(daemon.dataDir, root)).toBe(false);
  await expect(readdir(out)).rejects.toMatchObject({ code: "ENOENT" });
  const real = await run(root, out);
  expect(real.result.phases.sync.files?.map(({ status }) => status)).toEqual([
    "applied",
    "applied",
  ]);
});

test("an output folder with other content is refused and left alone", async () => {
  const { root, out } = await aRoot();
  await mkdir(out);
  await writeFile(join(out, "notes.txt"), "mine");
  const { code, result } = await run(root, out);
  expect(code).toBe(1);
  expect(result).toMatchObject({
    status: "failed",
    errors: { export: expect.stringContaining("notes.txt") },
  });
  expect(await readdir(out)).toEqual(["notes.txt"]);
  expect(await readFile(join(out, "notes.txt"), "utf8")).toBe("mine");
});
