import { readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { storedFiles } from "../../../../../daemon/pipelines/cls/file-store.ts";
import { storeVersion } from "../../../../../daemon/pipelines/cls/store.ts";
import { aReportRow, type Cells, FULL_REPORT } from "../../../../support/cls-root.ts";
import { aSyncBench, incrementName, type SyncBench } from "../../../../support/cls-sync.ts";

let bench: SyncBench;
beforeEach(async () => {
  bench = await aSyncBench();
});
afterEach(() => bench.remove());

/** The key of `aReportRow` for an item. */
const keyOf = (item: string): string => `${item}|0101|V1||`;
const NOV_19 = incrementName("2025_11_19");

/** One stored row of 2025-10-01 for item A, then one increment. */
async function increment(
  rows: readonly Cells[],
  params: Parameters<SyncBench["sync"]>[0] = {},
  stored: readonly Cells[] = [aReportRow("A")],
) {
  await bench.put(FULL_REPORT, stored);
  await bench.put(NOV_19, rows);
  return await bench.sync(params);
}

describe("accepting a row", () => {
  test("a key that is not stored is new", async () => {
    const result = await increment([aReportRow("B")]);
    expect(bench.events()).toEqual([[2, "new"]]);
    expect(result).toMatchObject({ keysNew: 1, finalRows: 2, rowsNew: 2 });
  });

  test("a key that is not stored is new even when its date is blank", async () => {
    await increment([aReportRow("B", { "Item Update Date": null })]);
    expect(bench.events()).toEqual([[2, "new"]]);
  });

  test("a strictly later date updates", async () => {
    const result = await increment([
      aReportRow("A", { Price1: "13.00", "Item Update Date": "2025-10-02" }),
    ]);
    expect(bench.events()).toEqual([[2, "updated"]]);
    expect(bench.prices(keyOf("A"))).toEqual(["13.00"]);
    expect(result).toMatchObject({ rowsUpdated: 1, keysUpdated: 1, finalRows: 1 });
  });

  test("a later date is an update of its own kind when nothing but the date differs", async () => {
    await increment([aReportRow("A", { "Item Update Date": "2025-10-02" })]);
    expect(bench.events()).toEqual([[2, "updated_same"]]);
    const day = bench.store().db.prepare("SELECT day FROM rows").pluck().get();
    expect(day).toBe("2025-10-02");
  });

  test("an earlier date is older and counted as skipped", async () => {
    const result = await increment([
      aReportRow("A", { Price1: "13.00", "Item Update Date": "2025-09-30" }),
    ]);
    expect(bench.events()).toEqual([[2, "older"]]);
    expect(bench.prices(keyOf("A"))).toEqual(["12.50"]);
    expect(result.rowsSkipped).toBe(1);
  });

  test("the same date with the same content is older", async () => {
    // Another row makes the content of the two files differ, or the increment would be taken for a repeat.
    await increment([aReportRow("A"), aReportRow("B")]);
    expect(bench.events()).toEqual([
      [2, "older"],
      [3, "new"],
    ]);
  });

  test("a blank date where one is stored is for review and changes nothing", async () => {
    const result = await increment([aReportRow("A", { Price1: "9.00", "Item Update Date": null })]);
    expect(bench.events()).toEqual([[2, "review"]]);
    expect(bench.prices(keyOf("A"))).toEqual(["12.50"]);
    expect(result.rowsReview).toBe(1);
  });

  test("a date that is no date counts as blank", async () => {
    await increment([aReportRow("A", { Price1: "9.00", "Item Update Date": "soon" })]);
    expect(bench.events()).toEqual([[2, "review"]]);
  });

  test("any row is accepted when no date is stored", async () => {
    const undated = aReportRow("A", { "Item Update Date": null });
    await increment([aReportRow("A", { Price1: "9.00", "Item Update Date": "2001-01-01" })], {}, [
      undated,
    ]);
    expect(bench.events()).toEqual([[2, "updated"]]);
    expect(bench.prices(keyOf("A"))).toEqual(["9.00"]);
  });

  test("a row is judged by the greatest date its key has", async () => {
    const twice = [
      aReportRow("A", { "Item Update Date": "2025-10-20" }),
      aReportRow("A", { "Item Update Date": "2025-10-01" }),
    ];
    await increment(
      [aReportRow("A", { Price1: "9", "Item Update Date": "2025-10-10" })],
      {},
      twice,
    );
    expect(bench.events()).toEqual([[2, "older"]]);
  });

  test("dates are compared as days, however they are written", async () => {
    const dated = (item: string, date: string): Cells =>
      aReportRow(item, { Price1: "9", "Item Update Date": date });
    await increment(
      [
        dated("A", "10/02/2025"),
        dated("B", "2025-Oct-02"),
        dated("C", "2025-10-02 00:00:00"),
        dated("D", "9/30/2025"),
      ],
      {},
      ["A", "B", "C", "D"].map((item) => aReportRow(item)),
    );
    expect(bench.events().map(([, event]) => event)).toEqual([
      "updated",
      "updated",
      "updated",
      "older",
    ]);
  });

  test("later rows of one file are judged against what its earlier rows stored", async () => {
    await increment([
      aReportRow("A", { Price1: "13", "Item Update Date": "2025-11-02" }),
      aReportRow("A", { Price1: "14", "Item Update Date": "2025-11-01" }),
      aReportRow("A", { Price1: "15", "Item Update Date": "2025-11-03" }),
    ]);
    expect(bench.events().map(([, event]) => event)).toEqual(["updated", "older", "updated"]);
    expect(bench.prices(keyOf("A"))).toEqual(["15"]);
  });
});

describe("a row with the stored date and other content", () => {
  const other = aReportRow("A", { Price1: "99.00" });

  test("is a conflict and the stored one is kept by default", async () => {
    const result = await increment([other]);
    expect(bench.events()).toEqual([[2, "conflict"]]);
    expect(bench.prices(keyOf("A"))).toEqual(["12.50"]);
    expect(result).toMatchObject({ rowsConflict: 1, rowsUpdated: 0 });
  });

  test("replaces the stored one under the policy take", async () => {
    const result = await increment([other], { sameDate: "take" });
    expect(bench.events()).toEqual([[2, "conflict"]]);
    expect(bench.prices(keyOf("A"))).toEqual(["99.00"]);
    expect(result).toMatchObject({ rowsConflict: 1, rowsUpdated: 0 });
  });

  test("waits for a decision under the policy review", async () => {
    await increment([other], { sameDate: "review" });
    expect(bench.prices(keyOf("A"))).toEqual(["12.50"]);
    const { db } = bench.store();
    expect(db.prepare("SELECT kind, decision FROM pending").all()).toEqual([
      { kind: "conflict", decision: null },
    ]);
  });

  test("is no conflict when only white space, thousands commas or the writing of a date differ", async () => {
    const stored = [
      aReportRow("A", { Price1: "1234.50", "Contract EFF Date": "2025-01-01" }),
      aReportRow("B"),
    ];
    const rows = [
      aReportRow("A", {
        Price1: " 1,234.5 ",
        "Contract EFF Date": "1/1/2025",
        "Vendor Name": " Vendor One\t",
      }),
      aReportRow("B", { "Vendor Name": "VENDOR ONE" }),
    ];
    await increment(rows, {}, stored);
    expect(bench.events().map(([, event]) => event)).toEqual(["older", "conflict"]);
  });
});

describe("the key of a row", () => {
  test("has five parts, each of which makes another key", async () => {
    const others: Cells[] = [
      { "PMM Item Number": "B" },
      { "Corp Acct": "0103" },
      { "Vendor Code": "V2" },
      { "Additional Cost Centre": "CC1" },
      { "Additional GL Account": "GL1" },
    ];
    await increment(others.map((cells) => aReportRow("A", cells)));
    expect(bench.events().map(([, event]) => event)).toEqual(others.map(() => "new"));
  });

  test("is trimmed, and a blank part is an empty one", async () => {
    await increment([
      {
        ...aReportRow("A", { "Additional Cost Centre": "  ", "Item Update Date": "2025-12-01" }),
        "PMM Item Number": " A ",
      },
    ]);
    expect(bench.events()).toEqual([[2, "updated_same"]]);
  });

  test("is found under a header with other case and spacing", async () => {
    const { "PMM Item Number": item, ...rest } = aReportRow("A", {
      "Item Update Date": "2025-12-01",
    });
    await increment([{ " pmm  item number ": item ?? null, ...rest }]);
    expect(bench.events()).toEqual([[2, "updated_same"]]);
  });
});

describe("rows that share a key", () => {
  const twice = [
    aReportRow("A", { Price1: "1.00" }),
    aReportRow("A", { Price1: "2.00" }),
    aReportRow("B"),
  ];

  test("are kept and counted when a full file brings them", async () => {
    await bench.put(FULL_REPORT, twice);
    const result = await bench.sync();
    expect(result).toMatchObject({ duplicateKeys: 1, finalRows: 3 });
  });

  test("are all replaced by an increment that touches the key", async () => {
    const later = aReportRow("A", { Price1: "3.00", "Item Update Date": "2025-11-01" });
    const result = await increment([later], {}, twice);
    expect(bench.prices(keyOf("A"))).toEqual(["3.00"]);
    expect(result.finalRows).toBe(2);
  });
});

test("rows of excluded accounts are left out of full files and increments and counted", async () => {
  const excluded = aReportRow("A", { "Corp Acct": "0202" });
  const result = await increment([excluded, aReportRow("B", { "Corp Acct": " 0405 " })], {}, [
    aReportRow("A"),
    excluded,
  ]);
  expect(result).toMatchObject({ rowsFiltered: 3, finalRows: 1 });
  expect(bench.events()).toEqual([
    [2, "filtered"],
    [3, "filtered"],
  ]);
});

test("the excluded accounts are a setting", async () => {
  const result = await increment([aReportRow("A", { "Corp Acct": "0202" })], {
    excludedAccounts: ["0101"],
  });
  expect(result).toMatchObject({ rowsFiltered: 1, finalRows: 1 });
});

describe("the order of files", () => {
  const dated = (price: string, date: string): Cells =>
    aReportRow("A", { Price1: price, "Item Update Date": date });

  test("is full files first, then increments by their day and not by their name", async () => {
    await bench.put("a 0031 2025_11_20.xlsx", [dated("20", "2025-11-20")]);
    await bench.put("b 0031 2025_11_19.xlsx", [dated("19", "2025-11-19")]);
    await bench.put(FULL_REPORT, [aReportRow("A")]);
    const result = await bench.sync();
    expect(result.files?.map(({ name }) => name)).toEqual([
      FULL_REPORT,
      "b 0031 2025_11_19.xlsx",
      "a 0031 2025_11_20.xlsx",
    ]);
    expect(bench.events().map(([, event]) => event)).toEqual(["updated", "updated"]);
    expect(bench.prices(keyOf("A"))).toEqual(["20"]);
    expect(result.keysUpdated).toBe(1);
    expect(result.warnings.join("\n")).toContain(
      `1 key(s) touched by several files: ${keyOf("A")} (2)`,
    );
  });

  test("has the newest full file last, which replaces what the others brought", async () => {
    await bench.put("0031 1108.xlsx", [aReportRow("A", { Price1: "8" })]);
    await bench.put("0031 1101.xlsx", [aReportRow("A", { Price1: "1" }), aReportRow("B")]);
    const result = await bench.sync();
    expect(bench.prices(keyOf("A"))).toEqual(["8"]);
    expect(result.finalRows).toBe(1);
  });

  test("leaves an older full file alone when a newer one is applied already", async () => {
    await bench.put("0031 1108.xlsx", [aReportRow("A", { Price1: "8" })]);
    await bench.sync();
    await bench.put("0031 1101.xlsx", [aReportRow("A", { Price1: "1" })]);
    const result = await bench.sync();
    expect(result.files?.[0]).toMatchObject({ name: "0031 1101.xlsx", status: "skipped" });
    expect(result.files?.[0]?.reason).toContain("older than the full file 0031 1108.xlsx");
    expect(bench.prices(keyOf("A"))).toEqual(["8"]);
  });

  test("has increments applied again on a full file that comes later", async () => {
    await bench.put("0031 1108.xlsx", [aReportRow("A")]);
    await bench.put(NOV_19, [dated("19", "2025-11-19")]);
    await bench.sync();
    await bench.put("0031 1115.xlsx", [
      aReportRow("A", { Price1: "15", "Item Update Date": "2025-11-15" }),
    ]);
    const result = await bench.sync();
    expect(result.files?.map(({ status }) => status)).toEqual(["skipped", "applied", "applied"]);
    expect(bench.prices(keyOf("A"))).toEqual(["19"]);
  });

  test("names the increments beyond the limit, which wait for the next run", async () => {
    await bench.put(FULL_REPORT, [aReportRow("A")]);
    for (const day of ["17", "18", "19"]) {
      await bench.put(incrementName(`2025_11_${day}`), [dated(day, `2025-11-${day}`)]);
    }
    const first = await bench.sync({ maxIncrements: 2 });
    expect(first.files?.map(({ status }) => status)).toEqual([
      "applied",
      "applied",
      "applied",
      "skipped",
    ]);
    expect(first.warnings.join("\n")).toContain(
      `1 increment(s) wait for the next run (more than 2): ${NOV_19}`,
    );
    expect(bench.prices(keyOf("A"))).toEqual(["18"]);
    await bench.sync({ maxIncrements: 2 });
    expect(bench.prices(keyOf("A"))).toEqual(["19"]);
  });
});

describe("a content seen before", () => {
  test("is skipped under the same name with the day it was applied, and nothing changes", async () => {
    await increment([aReportRow("B")]);
    const version = storeVersion(bench.store());
    const again = await bench.sync();
    expect(again.files?.map(({ status }) => status)).toEqual(["skipped", "skipped"]);
    expect(again.files?.[0]?.reason).toMatch(/^already applied on \d{4}-\d\d-\d\dT/);
    expect(again).toMatchObject({ rowsIn: 0, rowsNew: 0, keysNew: 0, finalRows: 2 });
    expect(storeVersion(bench.store())).toBe(version);
  });

  test("is recognised under another name", async () => {
    await increment([aReportRow("B")]);
    await rename(bench.report(NOV_19), bench.report(incrementName("2025_11_25")));
    const again = await bench.sync();
    expect(again.files?.[1]).toMatchObject({ status: "skipped" });
    expect(again.files?.[1]?.reason).toContain(`as ${NOV_19}`);
  });

  test("is applied again into a fresh store", async () => {
    await increment([aReportRow("B")]);
    const before = storeVersion(bench.store());
    const fresh = await bench.sync({ fresh: true });
    expect(fresh.files?.map(({ status }) => status)).toEqual(["applied", "applied"]);
    expect(fresh.finalRows).toBe(2);
    expect(storeVersion(bench.store())).not.toBe(before);
    expect(storedFiles(bench.store()).length).toBe(2);
  });
});

describe("a file that cannot be read", () => {
  test("fails alone, stays where it is and is tried again", async () => {
    await bench.put(FULL_REPORT, [aReportRow("A")]);
    await writeFile(bench.report(incrementName("2025_11_18")), "no workbook");
    await bench.put(NOV_19, [aReportRow("B")]);
    const result = await bench.sync({ archive: true });
    expect(result.files?.map(({ status }) => status)).toEqual(["applied", "failed", "applied"]);
    expect(result.warnings.join("\n")).toContain("2025_11_18");
    expect(await readdir(bench.report("."))).toContain(incrementName("2025_11_18"));
    await bench.put(incrementName("2025_11_18"), [aReportRow("C")]);
    const repaired = await bench.sync();
    expect(repaired.files?.[0]).toMatchObject({ status: "applied", rowsNew: 1 });
  });

  test("leaves nothing of itself when it breaks off in the middle", async () => {
    const many = Array.from({ length: 3000 }, (_, n) => aReportRow(`N${n}`));
    await bench.put(FULL_REPORT, [aReportRow("A")]);
    await bench.put(NOV_19, many);
    const bytes = await readFile(bench.report(NOV_19));
    // A bit in the middle of the compressed sheet, so that many rows are read before it shows.
    const at = Math.floor(bytes.length * 0.6);
    bytes[at] = (bytes[at] ?? 0) ^ 0xff;
    await writeFile(bench.report(NOV_19), bytes);
    const result = await bench.sync();
    expect(result.files?.[1]?.status).toBe("failed");
    expect(result.finalRows).toBe(1);
    expect(bench.events()).toEqual([]);
  });

  test("fails when it lacks a column that tells rows apart", async () => {
    const { "Vendor Code": _vendor, ...rest } = aReportRow("B");
    const result = await increment([rest]);
    expect(result.files?.[1]).toMatchObject({ status: "failed" });
    expect(result.files?.[1]?.reason).toContain("Vendor Code");
  });
});

test("inputs are neither moved nor written, and their archiving is a state of the store", async () => {
  await bench.put(FULL_REPORT, [aReportRow("A")]);
  const before = await stat(bench.report(FULL_REPORT));
  await bench.sync();
  const after = await stat(bench.report(FULL_REPORT));
  expect([after.mtimeMs, after.size, after.ino]).toEqual([before.mtimeMs, before.size, before.ino]);
  expect(await readdir(bench.report("."))).toEqual([FULL_REPORT]);
  const [file] = storedFiles(bench.store());
  expect(file?.archivedAt).not.toBeNull();
  expect(file?.archivedTo).toBeNull();
});

test("applied inputs are moved beside themselves when the setting says so", async () => {
  await bench.put(FULL_REPORT, [aReportRow("A")]);
  await bench.sync({ archive: true });
  expect(await readdir(bench.report("archive"))).toEqual([FULL_REPORT]);
  expect(storedFiles(bench.store())[0]?.archivedTo).toContain("archive");
});

describe("a dry run", () => {
  test("tells what would happen on a new root and leaves no store", async () => {
    await bench.put(FULL_REPORT, [aReportRow("A")]);
    await bench.put(NOV_19, [aReportRow("B")]);
    const result = await bench.sync({ dryRun: true });
    expect(result).toMatchObject({ rowsNew: 2, finalRows: 2 });
    expect((await readdir(`${bench.data}/cls`)).filter((name) => name.endsWith(".db"))).toEqual([]);
  });

  test("judges each file after those before it and changes nothing stored", async () => {
    await increment([aReportRow("B")]);
    const version = storeVersion(bench.store());
    await bench.put(incrementName("2025_11_20"), [aReportRow("C")]);
    await bench.put(incrementName("2025_11_21"), [
      aReportRow("C", { "Item Update Date": "2025-11-21" }),
    ]);
    const result = await bench.sync({ dryRun: true, archive: true });
    expect(result).toMatchObject({ rowsNew: 1, rowsUpdated: 1, finalRows: 3 });
    expect(storeVersion(bench.store())).toBe(version);
    expect(storedFiles(bench.store()).length).toBe(2);
    expect((await bench.sync()).rowsNew).toBe(1);
  });
});

test("every difference of an update is in the change log with file, row and date", async () => {
  await increment([
    aReportRow("A", {
      Price1: "13.00",
      "Contract No": null,
      "Vendor Name": "Vendor One",
      "Item Update Date": "10/02/2025",
    }),
  ]);
  const log = bench
    .store()
    .db.prepare("SELECT key, field, old, new, file, row, date FROM change_log ORDER BY field")
    .all();
  const common = { key: keyOf("A"), file: NOV_19, row: 2, date: "2025-10-02" };
  expect(log).toEqual([
    { ...common, field: "Contract No", old: "C1", new: null },
    { ...common, field: "Item Update Date", old: "2025-10-01", new: "10/02/2025" },
    { ...common, field: "Price1", old: "12.50", new: "13.00" },
  ]);
});

describe("the checks warn of", () => {
  const later = { "Item Update Date": "2025-11-01" };

  test("a contract with several vendors, in a full file and in an increment", async () => {
    const full = [aReportRow("A"), aReportRow("B", { "Vendor Code": "V2" })];
    const result = await increment(
      [
        aReportRow("C", { "Contract No": "C2" }),
        aReportRow("D", { "Contract No": "C2", "Vendor Code": "V3" }),
      ],
      {},
      full,
    );
    const found = result.warnings.filter((text) =>
      text.includes("contract(s) with several vendors"),
    );
    expect(found[0]).toContain("C1 (V1, V2)");
    expect(found[1]).toContain("C2 (V1, V3)");
  });

  test("a blank Vendor Catalogue outside the permitted list", async () => {
    const blank = { "Vendor Catalogue": " " };
    const result = await increment(
      [aReportRow("A", { ...blank, ...later }), aReportRow("permitted", blank)],
      {},
      [
        aReportRow("A"),
        aReportRow("F", blank),
        aReportRow("permitted", { ...blank, "Corp Acct": "0103" }),
      ],
    );
    const found = result.warnings.filter((text) => text.includes("blank Vendor Catalogue"));
    expect(found).toHaveLength(2);
    expect(found[0]).toMatch(/1 item\(s\).*: F$/);
    expect(found[1]).toMatch(/1 item\(s\).*: A$/);
  });

  test("several catalogue values for one item, vendor and account prefix", async () => {
    const full = [
      aReportRow("A"),
      aReportRow("A", { "Corp Acct": "0103", "Vendor Catalogue": "OTHER" }),
      aReportRow("B"),
      aReportRow("B", { "Corp Acct": "0301", "Vendor Catalogue": "OTHER" }),
      aReportRow("B", { "Corp Acct": "0103", "Vendor Code": "V9", "Vendor Catalogue": "OF V9" }),
    ];
    const result = await increment(
      [aReportRow("B", { "Corp Acct": "0105", "Vendor Catalogue": "THIRD" })],
      {},
      full,
    );
    const found = result.warnings.filter((text) =>
      text.includes("several Vendor Catalogue values"),
    );
    expect(found).toHaveLength(2);
    expect(found[0]).toContain("1 item(s)");
    expect(found[0]).toContain("A with V1 in 01 (OTHER, VC-A)");
    expect(found[1]).toContain("B with V1 in 01 (THIRD, VC-B)");
  });
});

test("the checks see what an update changed, not what was stored before", async () => {
  const result = await increment([
    aReportRow("A", { "Contract No": "C2", "Item Update Date": "2025-11-01" }),
    aReportRow("B", { "Vendor Code": "V2", "Contract No": "C2" }),
    aReportRow("C", { "Vendor Code": "V3", "Contract No": "C1" }),
  ]);
  const found = result.warnings.filter((text) => text.includes("contract(s) with several vendors"));
  expect(found).toEqual([`${NOV_19}: 1 contract(s) with several vendors: C2 (V1, V2)`]);
});

test("the version of the store changes with every file that is applied", async () => {
  await bench.put(FULL_REPORT, [aReportRow("A")]);
  await bench.sync();
  const before = storeVersion(bench.store());
  await bench.put(NOV_19, [aReportRow("B")]);
  await bench.sync();
  expect(storeVersion(bench.store())).not.toBe(before);
});

test("a root without reports is refused with what is missing", async () => {
  await expect(bench.sync({ root: `${bench.root}/ref_files` })).rejects.toMatchObject({
    code: "cls-folder-missing",
  });
  await expect(bench.sync({ root: `${bench.root}/nowhere` })).rejects.toMatchObject({
    code: "cls-folder-missing",
  });
});

test("a file that is no report is left alone and named", async () => {
  await bench.put(FULL_REPORT, [aReportRow("A")]);
  await writeFile(bench.report("notes.txt"), "notes");
  await writeFile(bench.report("~$0031 1108.xlsx"), "");
  const { warnings, files } = await bench.sync();
  expect(warnings).toEqual(["notes.txt is no 0031 report and was left alone"]);
  expect(files).toHaveLength(1);
});

test("progress is told while a file is read", async () => {
  await bench.put(FULL_REPORT, [aReportRow("A")]);
  const told: string[] = [];
  await bench.sync({}, { progress: ({ what }) => void told.push(what) });
  expect(told[0]).toContain(`file 1 of 1 (${FULL_REPORT})`);
  expect(told.at(-1)).toContain("rows/s");
});

test.each([
  ["kept", false],
  ["started afresh", true],
])("a run whose result was lost after its end gives it again, its store %s", async (_, fresh) => {
  await bench.put(FULL_REPORT, [aReportRow("A")]);
  await bench.put(NOV_19, [aReportRow("A", { "Item Update Date": "2025-11-19" }), aReportRow("B")]);
  const told = await bench.sync({ fresh }, { runId: "told twice" });
  expect(told).toMatchObject({ keysNew: 1, keysUpdated: 1 });
  const version = storeVersion(bench.store());
  const again = await bench.sync({ fresh }, { runId: "told twice" });
  expect({ ...again, durationMs: 0 }).toEqual({ ...told, durationMs: 0 });
  expect(storeVersion(bench.store())).toBe(version);
});

test("a stopped run ends with the reason and keeps what was applied before", async () => {
  await bench.put(FULL_REPORT, [aReportRow("A")]);
  await bench.put(NOV_19, [aReportRow("B")]);
  const stop = new AbortController();
  const log = (_level: string, event: string): void => {
    if (event === "cls.sync.file-applied") stop.abort(new Error("stopped"));
  };
  await expect(bench.sync({}, { signal: stop.signal, log })).rejects.toThrow("stopped");
  expect(storedFiles(bench.store()).map(({ name }) => name)).toEqual([FULL_REPORT]);
});
