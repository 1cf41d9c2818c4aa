import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runClassify } from "../../../../../daemon/pipelines/cls/classify.ts";
import { runExport } from "../../../../../daemon/pipelines/cls/export.ts";
import { isPhaseFresh } from "../../../../../daemon/pipelines/cls/freshness.ts";
import { runIntegrate } from "../../../../../daemon/pipelines/cls/integrate.ts";
import {
  type ClsParams,
  type ClsParamsInput,
  clsParams,
} from "../../../../../daemon/pipelines/cls/params.ts";
import { lockRoot } from "../../../../../daemon/pipelines/cls/store-lock.ts";
import { runSync } from "../../../../../daemon/pipelines/cls/sync.ts";
import { SMALL_ROOT } from "../../../../support/cls-phases.ts";
import {
  aClsContext,
  aDailyRow,
  aReportRow,
  writeClsRoot,
  writeTable,
} from "../../../../support/cls-root.ts";
import { until } from "../../../../support/until.ts";

const PHASES = ["integrate", "classify", "export"] as const;
const RUN = { integrate: runIntegrate, classify: runClassify, export: runExport };
const DAILY_HEADER = "Plant ID,Distributor,Distributor Part Number,Manufacturer Part Number";
const RULES = "version: 1\nrules: [{ id: all, bucket: update }]\n";

describe("the phases after sync", () => {
  let work: string;
  let root: string;
  let params: ClsParams;
  let events: string[];
  const ctx = () => aClsContext(join(work, "data"), { log: (_, event) => void events.push(event) });
  const given = (more: Partial<ClsParamsInput>): ClsParams =>
    clsParams.parse({ ...params, ...more });
  const daily = (name: string): string => join(root, "daily_files", name);
  const fresh = async (): Promise<boolean[]> => {
    const found: boolean[] = [];
    for (const phase of PHASES) found.push(await isPhaseFresh(phase, params, ctx()));
    return found;
  };
  const runAll = async (): Promise<void> => {
    for (const phase of PHASES) await RUN[phase](params, ctx());
  };

  beforeEach(async () => {
    work = await mkdtemp(join(tmpdir(), "cls-phases-"));
    root = join(work, "root");
    params = clsParams.parse({ root, out: join(work, "out") });
    events = [];
    await writeClsRoot(root, SMALL_ROOT);
  });
  afterEach(() => rm(work, { recursive: true, force: true }));

  test.each(PHASES)("%s says that sync has to run first", async (phase) => {
    await expect(RUN[phase](params, ctx())).rejects.toMatchObject({
      code: "cls-phase-missing",
      details: { phase: "sync" },
    });
  });

  test("a store without any applied file counts as not synced", async () => {
    await rm(join(root, "reports", "0031"), { recursive: true });
    await writeClsRoot(root, {});
    await runSync(params, ctx()).catch(() => undefined);
    await expect(runIntegrate(params, ctx())).rejects.toMatchObject({ code: "cls-phase-missing" });
  });

  test("classify and export say which phase is missing before them", async () => {
    await runSync(params, ctx());
    await expect(runClassify(params, ctx())).rejects.toMatchObject({
      details: { phase: "integrate" },
    });
    await expect(runExport(params, ctx())).rejects.toMatchObject({
      details: { phase: "classify" },
    });
    await runIntegrate(params, ctx());
    await expect(runExport(params, ctx())).rejects.toMatchObject({
      details: { phase: "classify" },
    });
  });

  test("a dry run tells what each phase would do and stores nothing", async () => {
    const dry = { ...params, dryRun: true };
    const unsynced = await runIntegrate(dry, ctx());
    expect(unsynced).toMatchObject({ rowsIn: 0, warnings: [expect.stringContaining("sync")] });
    await runSync(params, ctx());
    expect(await runIntegrate(dry, ctx())).toMatchObject({ rowsIn: 4, rowsNew: 1, rowsUpdated: 3 });
    expect(await runClassify(dry, ctx())).toMatchObject({
      buckets: { create: 1, vendor_link: 1, contract_link: 1, update: 1 },
    });
    expect(await runExport(dry, ctx())).toMatchObject({ rowsIn: 4, artifacts: [] });
    await expect(runClassify(params, ctx())).rejects.toMatchObject({ code: "cls-phase-missing" });
  });

  test("an unchanged input is not worked on again, unless that is asked for", async () => {
    await runSync(params, ctx());
    const first = await runIntegrate(params, ctx());
    expect(await runIntegrate(params, ctx())).toEqual({ ...first, durationMs: expect.any(Number) });
    expect(events).toContain("cls.integrate.reused");
    const classified = await runClassify(params, ctx());
    events = [];
    expect(await runClassify(params, ctx())).toEqual({
      ...classified,
      durationMs: expect.any(Number),
    });
    expect(events).toEqual(["cls.classify.reused"]);
    events = [];
    await runIntegrate(given({ fresh: true }), ctx());
    expect(events).toEqual([]);
  });

  test("results are fresh until something they rest on changes", async () => {
    expect(await fresh()).toEqual([false, false, false]);
    await runSync(params, ctx());
    expect(await fresh()).toEqual([false, false, false]);
    await runAll();
    expect(await fresh()).toEqual([true, true, true]);
    expect(await isPhaseFresh("integrate", given({ fresh: true }), ctx())).toBe(false);
  });

  test.each<[string, boolean[], () => Promise<unknown>]>([
    [
      "a daily file",
      [false, false, false],
      () => writeTable(daily("daily.xlsx"), [aDailyRow("1")]),
    ],
    [
      "a new daily file",
      [false, false, false],
      () => writeTable(daily("next.xlsx"), [aDailyRow("1")]),
    ],
    [
      "a mapping workbook",
      [false, false, false],
      () => rm(join(root, "ref_files", "VN Mapping.xlsx")),
    ],
    [
      "a setting of look-ups",
      [false, false, false],
      async () => {
        params = given({ excludedItemPrefixes: [] });
      },
    ],
    [
      "the stored report",
      [false, false, false],
      async () => {
        const name = "0031-Contract Item Price Cat Pkg Extract 2025_11_20.xlsx";
        await writeTable(join(root, "reports", "0031", name), [
          aReportRow("1", { "Item Update Date": "2025-11-20" }),
        ]);
        await runSync(params, ctx());
      },
    ],
    [
      "the rule file",
      [true, false, false],
      async () => {
        await writeFile(join(root, "my.yaml"), RULES);
        params = given({ rulesFile: "my.yaml" });
      },
    ],
    [
      "an exported file",
      [true, true, false],
      () => writeFile(join(work, "out", "create.csv"), "x"),
    ],
    [
      "the output folder",
      [true, true, false],
      async () => {
        params = given({ out: join(work, "elsewhere") });
      },
    ],
  ])("a change of %s makes stale what rests on it", async (_, expected, change) => {
    await runSync(params, ctx());
    await runAll();
    await change();
    expect(await fresh()).toEqual(expected);
  });

  test("a phase whose forerunner is older than its input says so in its warnings", async () => {
    await runSync(params, ctx());
    await runIntegrate(params, ctx());
    await writeTable(daily("next.xlsx"), [aDailyRow("1")]);
    expect((await runClassify(params, ctx())).warnings).toEqual([
      expect.stringContaining("changed"),
    ]);
    expect((await runExport(params, ctx())).warnings).toEqual([expect.stringContaining("changed")]);
  });

  test("the owner's rules decide, and the result names them", async () => {
    await runSync(params, ctx());
    await runIntegrate(params, ctx());
    const builtIn = await runClassify(params, ctx());
    await writeFile(join(root, "my.yaml"), RULES);
    const own = await runClassify(given({ rulesFile: "my.yaml" }), ctx());
    expect(own.buckets).toMatchObject({ update: 4, create: 0 });
    expect(own.rulesSha256).not.toBe(builtIn.rulesSha256);
    await writeFile(join(root, "my.yaml"), "rules: 1");
    await expect(runClassify(given({ rulesFile: "my.yaml" }), ctx())).rejects.toMatchObject({
      code: "cls-rules-invalid",
    });
  });

  test("a daily file that cannot be read fails alone and is named", async () => {
    await writeFile(daily("a-broken.xlsx"), "no workbook");
    await writeTable(daily("b-other.xlsx"), [{ Colour: "red" }]);
    await runSync(params, ctx());
    const result = await runIntegrate(params, ctx());
    expect(result.rowsIn).toBe(4);
    expect(result.files).toMatchObject([
      { name: "a-broken.xlsx", status: "failed" },
      { name: "b-other.xlsx", status: "failed", reason: expect.stringContaining("Plant ID") },
      { name: "daily.xlsx", status: "applied", rowsNew: 4 },
    ]);
    expect(result.warnings).toHaveLength(2);
    await rm(daily("daily.xlsx"));
    await expect(runIntegrate(params, ctx())).rejects.toMatchObject({
      code: "cls-file-unreadable",
    });
  });

  test("a daily file that breaks half way leaves no row behind", async () => {
    const row = `0101,V1,VC-1,\r\n`;
    await writeFile(daily("a.csv"), `${DAILY_HEADER}\r\n${row.repeat(2000)}0101,"V1`);
    await runSync(params, ctx());
    const result = await runIntegrate(params, ctx());
    expect(result).toMatchObject({ rowsIn: 4, files: [{ status: "failed" }, { rowsNew: 4 }] });
    await runClassify(params, ctx());
    const { artifacts } = await runExport(params, ctx());
    const update = artifacts.find(({ path }) => path.endsWith("update.csv"));
    expect(update?.rows).toBe(1);
    const line = (await readFile(update?.path ?? "", "utf8")).split("\r\n")[1] ?? "";
    expect(line.startsWith("2025-Nov-20")).toBe(true);
  });

  test("a new result of integrate takes that of classify away", async () => {
    await runSync(params, ctx());
    await runAll();
    await writeTable(daily("next.xlsx"), [aDailyRow("1")]);
    await runIntegrate(params, ctx());
    await expect(runExport(params, ctx())).rejects.toMatchObject({
      details: { phase: "classify" },
    });
  });

  test("daily files may be CSV; hidden and lock files are no input; no file is a warning", async () => {
    await rm(daily("daily.xlsx"));
    await writeFile(daily("~$daily.xlsx"), "lock");
    await writeFile(daily(".hidden.csv"), "x");
    await runSync(params, ctx());
    const none = await runIntegrate(params, ctx());
    expect(none).toMatchObject({
      rowsIn: 0,
      files: [],
      warnings: [expect.stringContaining("daily_files")],
    });
    await writeFile(daily("rows.CSV"), `${DAILY_HEADER}\r\n0101,V1,VC-1,\r\n`);
    const result = await runIntegrate(params, ctx());
    expect(result).toMatchObject({ rowsIn: 1, rowsUpdated: 1 });
    expect(result.warnings).toContainEqual(expect.stringContaining("Purchase UOM Price"));
  });

  test("an absent folder of daily files is an error", async () => {
    await rm(join(root, "daily_files"), { recursive: true });
    await runSync(params, ctx());
    await expect(runIntegrate(params, ctx())).rejects.toMatchObject({
      code: "cls-folder-missing",
      message: expect.stringContaining("daily_files"),
    });
  });

  test("an absent mapping is a warning, an unusable one an error, and the first of two codes stays", async () => {
    const vendors = join(root, "ref_files", "VN Mapping.xlsx");
    await runSync(params, ctx());
    await rm(vendors);
    const absent = await runIntegrate(params, ctx());
    expect(absent.warnings).toEqual([expect.stringContaining("VN Mapping")]);
    await writeTable(vendors, [{ Colour: "red" }]);
    await expect(runIntegrate(params, ctx())).rejects.toMatchObject({
      code: "cls-file-unreadable",
    });
    await writeTable(vendors, [
      { "BC_Vendor No_": "BV1", "All_Vendor Code": "AV1" },
      { "BC_Vendor No_": "BV1", "All_Vendor Code": "AV2" },
    ]);
    const twice = await runIntegrate(params, ctx());
    expect(twice.warnings).toEqual([expect.stringContaining("AV1 is used")]);
    await runClassify(params, ctx());
    await runExport(params, ctx());
    const rows = await readFile(join(work, "out", "rows.ndjson"), "utf8");
    expect(JSON.parse(rows.split("\n")[0] ?? "")).toMatchObject({ suggestedVendor: "AV1" });
  });

  test("warnings of one kind are counted beyond the twentieth", async () => {
    const rows = Array.from({ length: 30 }, () =>
      aDailyRow("1", { "Purchase Order Price Unit of Measure": "PK" }),
    );
    await writeTable(daily("daily.xlsx"), rows);
    await runSync(params, ctx());
    const { warnings } = await runIntegrate(params, ctx());
    expect(warnings).toHaveLength(21);
    expect(warnings.at(-1)).toMatch(/10 more/);
  });

  test("a phase waits for another run on the same folder and says for whom", async () => {
    await runSync(params, ctx());
    const lock = await lockRoot(join(work, "data"), root, {
      runId: "run-9",
      signal: new AbortController().signal,
      onWait: () => undefined,
    });
    const told: string[] = [];
    const waiting = aClsContext(join(work, "data"), {
      progress: ({ what }) => void told.push(what),
    });
    const run = runIntegrate(params, waiting);
    await until(() => told.some((what) => what.includes("run-9")));
    lock.release();
    await expect(run).resolves.toMatchObject({ rowsIn: 4 });
  });
});
