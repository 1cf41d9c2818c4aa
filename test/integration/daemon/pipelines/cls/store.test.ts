import { mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { storedFiles } from "../../../../../daemon/pipelines/cls/file-store.ts";
import {
  baselineRows,
  incrementEvents,
  openClsStore,
  storePathOf,
} from "../../../../../daemon/pipelines/cls/store.ts";
import { lockRoot } from "../../../../../daemon/pipelines/cls/store-lock.ts";
import { MIGRATIONS } from "../../../../../daemon/pipelines/cls/store-schema.ts";
import { aReportRow, FULL_REPORT } from "../../../../support/cls-root.ts";
import { aSyncBench, incrementName, type SyncBench } from "../../../../support/cls-sync.ts";

let bench: SyncBench;
beforeEach(async () => {
  bench = await aSyncBench();
});
afterEach(() => bench.remove());

test("a stored row is given with its fields typed, dates also as days", async () => {
  await bench.put(FULL_REPORT, [
    aReportRow("A", {
      Price1: "1,234.5",
      "Contract EFF Date": "1/2/2025",
      "Contract EXP Date": "open",
      "Vendor Seq": "2",
    }),
    aReportRow("B", { "Vendor Catalogue": " ", Price1: "N/A" }),
  ]);
  await bench.sync();
  const [first, second] = [...baselineRows(bench.store())];
  expect(first).toEqual({
    rowId: 1,
    key: "A|0101|V1||",
    item: "A",
    account: "0101",
    vendor: "V1",
    vendorName: "Vendor One",
    vendorSequence: 2,
    vendorCatalogue: "VC-A",
    manufacturerCatalogue: "MC-A",
    description: "ITEM A",
    contractNumber: "C1",
    contractEff: "1/2/2025",
    contractEffDay: "2025-01-02",
    contractExp: "open",
    contractExpDay: null,
    price1: 12_345_000,
  });
  expect(second).toMatchObject({ rowId: 2, item: "B", vendorCatalogue: null, price1: null });
});

test("rows of files whose columns stand in another order are read by name", async () => {
  await bench.put(FULL_REPORT, [aReportRow("A")]);
  const turned = Object.fromEntries(
    Object.entries(aReportRow("A", { Price1: "9", "Item Update Date": "2025-12-01" })).reverse(),
  );
  await bench.put(incrementName("2025_12_01"), [turned]);
  await bench.sync();
  expect([...baselineRows(bench.store())]).toMatchObject([
    { item: "A", price1: 90_000, description: "ITEM A" },
  ]);
  const fields = bench
    .store()
    .db.prepare("SELECT field FROM change_log ORDER BY field")
    .pluck()
    .all();
  expect(fields).toEqual(["Item Update Date", "Price1"]);
});

test("the events of increments come in the order of their days with the price that each row left", async () => {
  await bench.put(FULL_REPORT, [aReportRow("A")]);
  await bench.put("z 0031 2025_11_18.xlsx", [
    aReportRow("A", { Price1: "1", "Item Update Date": null }),
    aReportRow("A", { Price1: "2", "Item Update Date": "2025-11-18" }),
  ]);
  await bench.put("a 0031 2025_11_19.xlsx", [
    aReportRow("A", { Price1: "3", "Item Update Date": "2025-11-01" }),
    aReportRow("A", { "Corp Acct": "0202" }),
  ]);
  await bench.sync();
  const key = "A|0101|V1||";
  expect([...incrementEvents(bench.store())]).toEqual([
    { file: "z 0031 2025_11_18.xlsx", row: 2, key, event: "review", price1: 125_000 },
    { file: "z 0031 2025_11_18.xlsx", row: 3, key, event: "updated", price1: 20_000 },
    { file: "a 0031 2025_11_19.xlsx", row: 2, key, event: "older", price1: 20_000 },
    { file: "a 0031 2025_11_19.xlsx", row: 3, key: "A|0202|V1||", event: "filtered", price1: null },
  ]);
});

test("a root has one store under whatever path it is named", async () => {
  const link = join(bench.data, "..", "link");
  await symlink(bench.root, link);
  expect(storePathOf(bench.data, link)).toBe(storePathOf(bench.data, bench.root));
});

test("a store of a newer version is refused and left as it is", async () => {
  await bench.put(FULL_REPORT, [aReportRow("A")]);
  await bench.sync();
  const db = new Database(storePathOf(bench.data, bench.root));
  db.pragma("user_version = 99");
  db.close();
  expect(() => openClsStore(bench.data, bench.root)).toThrow(
    expect.objectContaining({ code: "cls-store-unusable" }),
  );
});

test("waiting for a root ends with the reason of the signal", async () => {
  const none = { signal: new AbortController().signal, onWait: () => undefined };
  const held = await lockRoot(bench.data, bench.root, { ...none, runId: "first" });
  const stop = new AbortController();
  const waiting = lockRoot(bench.data, bench.root, {
    runId: "second",
    signal: stop.signal,
    onWait: (holder) => stop.abort(new Error(`held by ${holder?.runId}`)),
  });
  await expect(waiting).rejects.toThrow("held by first");
  held.release();
  const next = await lockRoot(bench.data, bench.root, { ...none, runId: "third" });
  next.release();
});

test("a store of the first schema keeps its files, which lack only what it did not count", async () => {
  const path = storePathOf(bench.data, bench.root);
  await mkdir(dirname(path), { recursive: true });
  const old = new Database(path);
  old.exec(MIGRATIONS[0] ?? "");
  old.pragma("user_version = 1");
  old
    .prepare(
      `INSERT INTO files (sha256, name, kind, day, state, run_id, applied_at, counts, warnings)
       VALUES ('a', 'f.xlsx', 'increment', '2025-11-19', 'applied', 'r', '2025-11-20', '{"rowsIn":3}', '[]')`,
    )
    .run();
  old.close();
  expect(storedFiles(bench.store())).toMatchObject([
    { name: "f.xlsx", undone: null, counts: { rowsIn: 3, updatedSame: 0, skippedSame: 0 } },
  ]);
});
