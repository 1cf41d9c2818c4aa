import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { pruneUndo, storedFiles } from "../../../../../daemon/pipelines/cls/file-store.ts";
import { pendingCsv } from "../../../../../daemon/pipelines/cls/pending-csv.ts";
import { toPendingItem } from "../../../../../daemon/pipelines/cls/pending-words.ts";
import { storeVersion } from "../../../../../daemon/pipelines/cls/store.ts";
import {
  countPending,
  decidePending,
  listPending as iteratePending,
  type PendingFilter,
} from "../../../../../daemon/pipelines/cls/sync-pending.ts";
import { type UndoOrder, undoFile } from "../../../../../daemon/pipelines/cls/sync-undo.ts";
import { aReportRow, type Cells, FULL_REPORT } from "../../../../support/cls-root.ts";
import { aSyncBench, incrementName, type SyncBench } from "../../../../support/cls-sync.ts";

let bench: SyncBench;
beforeEach(async () => {
  bench = await aSyncBench();
});
afterEach(() => bench.remove());

const keyOf = (item: string): string => `${item}|0101|V1||`;
const priced = (item: string, price: string, date: string): Cells =>
  aReportRow(item, { Price1: price, "Item Update Date": date });
const [NOV_18, NOV_19, NOV_20] = ["2025_11_18", "2025_11_19", "2025_11_20"].map(incrementName) as [
  string,
  string,
  string,
];

function fileId(name: string): number {
  const file = storedFiles(bench.store()).findLast((one) => one.name === name);
  if (file === undefined) throw new Error(`${name} was not applied`);
  return file.id;
}

/** The stored rows as they are told apart, whatever file they came from. */
const stored = (): unknown[] =>
  bench
    .store()
    .db.prepare(
      "SELECT id, key, day, price1, row, layout, vendor, contract, catalogue, cells FROM rows ORDER BY id",
    )
    .all();

let undos = 0;
/** Each is an act of its own, unless the order names its task. */
const undoId = (id: number, order: Partial<UndoOrder> = {}) => {
  undos += 1;
  const at = "2025-11-21T00:00:00.000Z";
  const own = {
    taskId: `undo-${undos}`,
    reason: "wrong file",
    at,
    keepLater: false,
    again: false,
    dryRun: false,
  };
  return undoFile(bench.store(), id, { ...own, ...order });
};
const undo = (name: string, order?: Partial<UndoOrder>) => undoId(fileId(name), order);
const listPending = (...[store, filter]: [ReturnType<SyncBench["store"]>, PendingFilter?]) => [
  ...iteratePending(store, filter),
];

describe("undoing an increment", () => {
  test("brings back updated rows, removed duplicates and takes away new ones", async () => {
    await bench.put(FULL_REPORT, [
      aReportRow("A"),
      aReportRow("A", { Price1: "1" }),
      aReportRow("B"),
    ]);
    await bench.sync();
    const before = stored();
    const version = storeVersion(bench.store());
    await bench.put(NOV_19, [
      priced("A", "2", "2025-11-01"),
      priced("B", "3", "2025-11-01"),
      priced("B", "4", "2025-11-02"),
      aReportRow("C"),
    ]);
    await bench.sync();
    expect(stored()).not.toEqual(before);
    expect(await undo(NOV_19)).toEqual({
      file: NOV_19,
      restored: 2,
      removed: 1,
      keptByLater: 0,
      storedRows: 3,
    });
    expect(stored()).toEqual(before);
    expect(storeVersion(bench.store())).not.toBe(version);
    expect(bench.events()).toEqual([]);
  });

  test("leaves what a later file changed again, and undoing that one then goes back past both", async () => {
    await bench.put(FULL_REPORT, [aReportRow("A"), aReportRow("B")]);
    await bench.put(NOV_18, [
      priced("A", "18", "2025-11-18"),
      priced("B", "18", "2025-11-18"),
      aReportRow("N"),
    ]);
    await bench.put(NOV_19, [priced("A", "19", "2025-11-19"), priced("N", "19", "2025-11-19")]);
    await bench.sync();
    expect(await undo(NOV_18, { keepLater: true })).toMatchObject({
      restored: 1,
      removed: 0,
      keptByLater: 2,
    });
    expect(["A", "B", "N"].map((item) => bench.prices(keyOf(item)))).toEqual([
      ["19"],
      ["12.50"],
      ["19"],
    ]);
    expect(await undo(NOV_19)).toMatchObject({ restored: 1, removed: 1, keptByLater: 0 });
    expect(["A", "B", "N"].map((item) => bench.prices(keyOf(item)))).toEqual([
      ["12.50"],
      ["12.50"],
      [],
    ]);
  });

  test("does not bring back what a full file in between took away", async () => {
    await bench.put("0031 1101.xlsx", [aReportRow("A"), aReportRow("B")]);
    await bench.put(NOV_18, [priced("A", "18", "2025-11-18")]);
    await bench.sync();
    await bench.put("0031 1119.xlsx", [aReportRow("B")]);
    await bench.put(NOV_20, [priced("A", "20", "2025-11-20")]);
    await bench.sync();
    expect(bench.prices(keyOf("A"))).toEqual(["20"]);
    await undo(NOV_18, { keepLater: true });
    await undo(NOV_20);
    expect(bench.prices(keyOf("A"))).toEqual([]);
  });

  test("is not applied again by the next sync, unless that is asked for, at once or afterwards", async () => {
    await bench.put(FULL_REPORT, [aReportRow("A")]);
    await bench.put(NOV_19, [priced("A", "19", "2025-11-19")]);
    await bench.sync();
    await undo(NOV_19);
    const next = await bench.sync();
    expect(next.files?.[1]?.reason).toMatch(/^undone after it was applied on /);
    expect(bench.prices(keyOf("A"))).toEqual(["12.50"]);
    await undo(NOV_19, { again: true });
    await bench.sync();
    expect(bench.prices(keyOf("A"))).toEqual(["19"]);
    await undo(NOV_19, { again: true });
    await bench.sync();
    expect(bench.prices(keyOf("A"))).toEqual(["19"]);
  });

  test("is refused for what is undone, unknown, or too old", async () => {
    await bench.put(FULL_REPORT, [aReportRow("A")]);
    await bench.put(NOV_19, [priced("A", "19", "2025-11-19")]);
    await bench.put(NOV_20, [priced("A", "20", "2025-11-20")]);
    await bench.sync();
    await undo(NOV_20);
    const refused = expect.objectContaining({ code: "cls-undo-refused" });
    await expect(undo(NOV_20)).rejects.toThrow(refused);
    await expect(undoId(99)).rejects.toThrow(refused);
    pruneUndo(bench.store(), new Date(Date.now() + 1000).toISOString());
    await expect(undo(NOV_19)).rejects.toThrow(refused);
    await expect(undo(FULL_REPORT)).rejects.toThrow(refused);
    expect(bench.prices(keyOf("A"))).toEqual(["19"]);
  });

  test("is refused while a later file has a row for one of its keys, even a row that was left out", async () => {
    await bench.put(FULL_REPORT, [aReportRow("A"), aReportRow("B")]);
    await bench.put(NOV_18, [priced("A", "18", "2030-11-18"), priced("B", "18", "2025-11-18")]);
    await bench.put(NOV_19, [priced("A", "19", "2025-11-19")]);
    await bench.put(NOV_20, [aReportRow("C")]);
    await bench.sync();
    const before = stored();
    await expect(undo(NOV_18)).rejects.toThrow(
      expect.objectContaining({
        code: "cls-undo-needs-later",
        message: expect.stringContaining(`${NOV_19}, applied after it, has rows for 1 of the keys`),
      }),
    );
    expect(stored()).toEqual(before);
    await undo(NOV_19, { again: true });
    await undo(NOV_18);
    await bench.sync();
    expect(["A", "B"].map((item) => bench.prices(keyOf(item)))).toEqual([["19"], ["12.50"]]);
  });

  test("is done once by a task that runs twice, and answers the same", async () => {
    await bench.put(FULL_REPORT, [aReportRow("A")]);
    await bench.put(NOV_19, [priced("A", "19", "2025-11-19"), aReportRow("C")]);
    await bench.sync();
    const first = await undo(NOV_19, { taskId: "t1", again: true });
    const version = storeVersion(bench.store());
    expect(await undo(NOV_19, { taskId: "t1", again: true })).toEqual(first);
    expect(storeVersion(bench.store())).toBe(version);
    expect(storedFiles(bench.store()).at(-1)).toMatchObject({
      state: "undone",
      undone: { taskId: "t1", reason: "wrong file", result: first },
    });
  });

  test("in a dry run tells what it would do, and changes nothing", async () => {
    await bench.put(FULL_REPORT, [aReportRow("A")]);
    await bench.put(NOV_19, [priced("A", "19", "2025-11-19"), aReportRow("C")]);
    await bench.sync();
    const [before, version] = [stored(), storeVersion(bench.store())];
    const told = { file: NOV_19, restored: 1, removed: 1, keptByLater: 0, storedRows: 1 };
    expect(await undo(NOV_19, { dryRun: true })).toEqual(told);
    expect([stored(), storeVersion(bench.store())]).toEqual([before, version]);
    expect(await undo(FULL_REPORT, { dryRun: true }).catch(({ code }) => code)).toBe(
      "cls-undo-refused",
    );
    expect(await undo(NOV_19)).toEqual(told);
  });

  test("changes nothing when it is stopped on its way", async () => {
    await bench.put(FULL_REPORT, [aReportRow("A"), aReportRow("B")]);
    await bench.put(NOV_19, [priced("A", "19", "2025-11-19"), priced("B", "19", "2025-11-19")]);
    await bench.sync();
    const before = stored();
    const tick = (done: number): void => {
      if (done === 1) throw new Error("cancelled");
    };
    await expect(undo(NOV_19, { tick })).rejects.toThrow("cancelled");
    expect(stored()).toEqual(before);
    expect(storedFiles(bench.store()).at(-1)).toMatchObject({ state: "applied", undone: null });
  });
});

describe("undoing a full file", () => {
  test("brings back the rows and increments from before it", async () => {
    await bench.put("0031 1101.xlsx", [aReportRow("A")]);
    await bench.put(NOV_18, [priced("A", "18", "2025-11-18")]);
    await bench.sync();
    const [before, events] = [stored(), bench.events()];
    await bench.put("0031 1119.xlsx", [aReportRow("B")]);
    await bench.sync({ maxIncrements: 1 });
    await undo(NOV_18);
    expect(await undo("0031 1119.xlsx")).toMatchObject({ restored: 1, removed: 1 });
    expect(stored()).toEqual(before);
    expect(bench.events()).toEqual(events);
  });

  test("is refused while a later file is applied", async () => {
    await bench.put(FULL_REPORT, [aReportRow("A")]);
    await bench.put(NOV_19, [aReportRow("B")]);
    await bench.sync();
    await expect(undo(FULL_REPORT)).rejects.toThrow(NOV_19);
    expect(stored()).toHaveLength(2);
  });
});

describe("the conflict and review lists", () => {
  beforeEach(async () => {
    await bench.put(FULL_REPORT, [aReportRow("A"), aReportRow("B")]);
    await bench.put(NOV_19, [
      aReportRow("A", { Price1: "99", "Vendor Name": "=Other, Inc" }),
      aReportRow("B", { Price1: "9", "Item Update Date": null }),
    ]);
    await bench.sync({ sameDate: "review" });
  });

  test("hold each row with its differences", () => {
    const [conflict, review] = listPending(bench.store());
    expect(conflict).toMatchObject({
      kind: "conflict",
      file: NOV_19,
      row: 2,
      key: keyOf("A"),
      day: "2025-10-01",
      decision: null,
    });
    expect(conflict?.differences).toEqual([
      ["Vendor Name", "Vendor One", "=Other, Inc", 0],
      ["Price1", "12.50", "99", 0],
    ]);
    expect(review).toMatchObject({ kind: "review", row: 3, day: null });
    expect(listPending(bench.store(), { kind: "review" })).toEqual([review]);
  });

  test("tell both prices to the letter, however many digits they have, and why a row is listed", async () => {
    const exact = ["900719925474099312.0001", "0.10000000000000000001"] as const;
    await bench.put(NOV_18, [
      aReportRow("C", { Price1: exact[0] }),
      aReportRow("D", { Price1: exact[1] }),
    ]);
    await bench.put(NOV_20, [
      aReportRow("C", { Price1: exact[1] }),
      aReportRow("D", { "Vendor Name": "Other" }),
      aReportRow("D", { "Item Update Date": null }),
    ]);
    await bench.sync();
    const rows = listPending(bench.store(), { file: "2025_11_20" }).map(toPendingItem);
    expect(rows.map(({ storedPrice, price }) => [storedPrice, price])).toEqual([
      [exact[0], exact[1]],
      [exact[1], "12.50"],
      [exact[1], "12.50"],
    ]);
    expect(rows.map(({ why }) => why)).toEqual([
      "same update date as the stored row (2025-10-01), but another Price1",
      "same update date as the stored row (2025-10-01), but another Vendor Name, Price1",
      expect.stringContaining("no update date"),
    ]);
  });

  test("are read in pages, which together hold each row once", () => {
    const store = bench.store();
    const [first, second] = listPending(store);
    expect([...iteratePending(store, {}, { after: 0, limit: 1 })]).toEqual([first]);
    expect([...iteratePending(store, {}, { after: first?.id ?? 0, limit: 1 })]).toEqual([second]);
    expect(countPending(store, {})).toBe(2);
    expect(countPending(store, { kind: "review", file: "2025_11_19" })).toBe(1);
    expect(countPending(store, { file: "another" })).toBe(0);
  });

  test("are written as CSV with a line per difference", () => {
    const rows = listPending(bench.store(), { kind: "conflict" }).map(toPendingItem);
    const lines = [...pendingCsv(rows)];
    expect(lines).toHaveLength(3);
    expect(lines[1]).toContain(
      `,conflict,${NOV_19},2,${keyOf("A")},2025-10-01,Vendor Name,Vendor One,"'=Other, Inc",`,
    );
  });

  test("let a person take a row, which is logged, listed as decided and undone with its file", async () => {
    const store = bench.store();
    for (const { id } of listPending(store))
      decidePending(store, id, "take", "anna", "2025-11-21T00:00:00.000Z");
    expect(["A", "B"].map((item) => bench.prices(keyOf(item)))).toEqual([["99"], ["9"]]);
    expect(listPending(store, { open: true })).toEqual([]);
    expect(listPending(store)[0]).toMatchObject({ decision: "take", decidedBy: "anna" });
    const logged = store.db.prepare("SELECT COUNT(*) FROM change_log WHERE key = ?").pluck();
    expect(logged.get(keyOf("A"))).toBe(2);
    expect(await undo(NOV_19)).toMatchObject({ restored: 2 });
    expect(["A", "B"].map((item) => bench.prices(keyOf(item)))).toEqual([["12.50"], ["12.50"]]);
    expect(listPending(store)).toEqual([]);
  });

  test("let a person keep the stored row and change that later, but not take back a taken one", () => {
    const store = bench.store();
    const id = listPending(store)[0]?.id ?? 0;
    decidePending(store, id, "keep", "anna", "2025-11-21T00:00:00.000Z");
    expect(bench.prices(keyOf("A"))).toEqual(["12.50"]);
    decidePending(store, id, "take", "anna", "2025-11-22T00:00:00.000Z");
    expect(bench.prices(keyOf("A"))).toEqual(["99"]);
    expect(() => decidePending(store, id, "keep", "anna", "2025-11-23T00:00:00.000Z")).toThrow(
      expect.objectContaining({ code: "cls-decision-refused" }),
    );
  });

  test("refuse to take a row when a later file has changed the stored one", async () => {
    await bench.put(NOV_20, [priced("A", "20", "2025-11-20")]);
    await bench.sync();
    const store = bench.store();
    const id = listPending(store)[0]?.id ?? 0;
    expect(() => decidePending(store, id, "take", "anna", "2025-11-21T00:00:00.000Z")).toThrow(
      NOV_20,
    );
    expect(bench.prices(keyOf("A"))).toEqual(["20"]);
  });
});
