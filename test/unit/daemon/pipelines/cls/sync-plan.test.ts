import { describe, expect, test } from "vitest";
import {
  decideFile,
  type FileFacts,
  isTaken,
  judgeRow,
  type KnownFile,
  orderFiles,
  policyDecision,
  type ReportFile,
  rankMonthDays,
  reportFileOf,
} from "../../../../../daemon/pipelines/cls/sync-plan.ts";

describe("a file name", () => {
  test.each([
    ["0031-Contract Item Price Cat Pkg Extract 1108.xlsx", "full", "11-08"],
    ["0031-Contract Item Price Cat Pkg Extract 1108 (1).xlsx", "full", "11-08"],
    ["0031-Contract Item Price Cat Pkg Extract 2025_11_19.xlsx", "increment", "2025-11-19"],
    [
      "0031-Contract Item Price Cat Pkg Extract 2025_11_19_corrected.XLSX",
      "increment",
      "2025-11-19",
    ],
    ["0031-Contract Item Price Cat Pkg Extract 2025_11_19.csv", "increment", "2025-11-19"],
  ])("%s is of kind %s and day %s", (name, kind, day) => {
    expect(reportFileOf(name)).toEqual({ name, kind, day });
  });

  test.each([
    "0031 Extract 1332.xlsx",
    "0032 Extract 1108.xlsx",
    "0031 Extract 1108.pdf",
    "notes.txt",
  ])("%s is no report", (name) => {
    expect(reportFileOf(name)).toBeNull();
  });

  test("of an open or hidden file is ignored", () => {
    expect(reportFileOf("~$0031 Extract 1108.xlsx")).toBe("ignored");
    expect(reportFileOf(".DS_Store")).toBe("ignored");
  });
});

const file = (name: string): ReportFile => {
  const found = reportFileOf(name);
  if (found === null || found === "ignored") throw new Error(name);
  return found;
};

test("full files come first and the newest last, then increments by day, then by name", () => {
  const names = [
    "0031 2025_11_20.xlsx",
    "a 0031 2025_11_21.xlsx",
    "b 0031 2025_11_19.xlsx",
    "0031 1108.xlsx",
    "a 0031 2025_11_20.xlsx",
    "z 0031 1101.xlsx",
  ];
  expect(orderFiles(names.map(file)).map(({ name }) => name)).toEqual([
    "z 0031 1101.xlsx",
    "0031 1108.xlsx",
    "b 0031 2025_11_19.xlsx",
    "0031 2025_11_20.xlsx",
    "a 0031 2025_11_20.xlsx",
    "a 0031 2025_11_21.xlsx",
  ]);
});

test("days without a year are ranked across the turn of the year", () => {
  expect([...rankMonthDays(["01-07", "12-31", "12-24"])].sort((a, b) => a[1] - b[1])).toEqual([
    ["12-24", 0],
    ["12-31", 1],
    ["01-07", 2],
  ]);
});

describe("a file's turn", () => {
  const known: KnownFile = {
    name: "0031 2025_11_19.xlsx",
    state: "applied",
    appliedAt: "2025-11-20T00:00:00.000Z",
    bySameRun: false,
  };
  const facts: FileFacts = {
    file: file("0031 2025_11_19.xlsx"),
    known: null,
    currentFull: null,
    incrementsApplied: 0,
    maxIncrements: 10,
  };

  test("applies what is not known", () => {
    expect(decideFile(facts)).toEqual({ act: "apply" });
  });

  test("skips what is applied and says when", () => {
    expect(decideFile({ ...facts, known })).toEqual({
      act: "skip",
      reason: "already applied on 2025-11-20T00:00:00.000Z",
    });
  });

  test("says under which name a renamed repeat was applied", () => {
    const renamed = { ...facts, file: file("0031 2025_11_25.xlsx"), known };
    expect(decideFile(renamed)).toMatchObject({
      reason: "already applied on 2025-11-20T00:00:00.000Z as 0031 2025_11_19.xlsx",
    });
  });

  test("reports what the same run applied before it was interrupted", () => {
    expect(decideFile({ ...facts, known: { ...known, bySameRun: true } })).toEqual({
      act: "report",
    });
  });

  test("applies an increment again that a later full file made obsolete", () => {
    expect(decideFile({ ...facts, known: { ...known, state: "superseded" } })).toEqual({
      act: "apply",
    });
  });

  test("does not apply again what was undone", () => {
    expect(decideFile({ ...facts, known: { ...known, state: "undone" } })).toMatchObject({
      act: "skip",
    });
  });

  test("lets an increment wait when enough were applied, but no full file", () => {
    const enough = { ...facts, incrementsApplied: 10 };
    expect(decideFile(enough)).toMatchObject({ act: "wait" });
    expect(decideFile({ ...enough, file: file("0031 1108.xlsx") })).toEqual({ act: "apply" });
  });

  test("skips a full file that is older than the applied one", () => {
    const currentFull = { name: "0031 0107.xlsx", day: "01-07" };
    expect(decideFile({ ...facts, currentFull, file: file("0031 1231.xlsx") })).toMatchObject({
      act: "skip",
    });
    expect(decideFile({ ...facts, currentFull, file: file("0031 0114.xlsx") })).toEqual({
      act: "apply",
    });
  });
});

describe("a row", () => {
  const same = (): boolean => true;
  const other = (): boolean => false;
  test.each([
    ["new", null, null, other],
    ["new", "2025-01-02", null, other],
    ["updated", "2025-01-02", { day: null }, other],
    ["updated", null, { day: null }, other],
    ["updated_same", null, { day: null }, same],
    ["review", null, { day: "2025-01-01" }, other],
    ["review", null, { day: "2025-01-01" }, same],
    ["updated", "2025-01-02", { day: "2025-01-01" }, other],
    ["updated_same", "2025-01-02", { day: "2025-01-01" }, same],
    ["older", "2024-12-31", { day: "2025-01-01" }, other],
    ["older", "2025-01-01", { day: "2025-01-01" }, same],
    ["conflict", "2025-01-01", { day: "2025-01-01" }, other],
  ])("is %s when its day is %s and the store has %j", (event, incomingDay, stored, sameContent) => {
    expect(judgeRow({ incomingDay, stored, sameContent })).toBe(event);
  });

  test("replaces what is stored when it is new or updated, or a conflict under the policy take", () => {
    expect(
      (["new", "updated", "updated_same"] as const).every((event) => isTaken(event, "keep")),
    ).toBe(true);
    expect(
      (["older", "review", "filtered", "conflict"] as const).some((event) =>
        isTaken(event, "keep"),
      ),
    ).toBe(false);
    expect(isTaken("conflict", "take")).toBe(true);
    expect(isTaken("review", "take")).toBe(false);
  });

  test("is left to a person when its date is blank, whatever the policy says", () => {
    expect(
      (["keep", "take", "review"] as const).map((policy) => policyDecision("review", policy)),
    ).toEqual([null, null, null]);
    expect(
      (["keep", "take", "review"] as const).map((policy) => policyDecision("conflict", policy)),
    ).toEqual(["keep", "take", null]);
  });
});
