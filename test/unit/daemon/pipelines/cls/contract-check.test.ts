import { describe, expect, test } from "vitest";
import {
  checkContract,
  contractChecks,
  contractNumberDiffers,
  type DateCell,
  toDateCell,
} from "../../../../../daemon/pipelines/cls/contract-check.ts";

const day = (text: string): DateCell => ({ kind: "day", day: text });
const blank: DateCell = { kind: "blank" };
const invalid: DateCell = { kind: "invalid" };
const daily = { start: day("2025-01-01"), end: day("2025-12-31") };

describe("the contract check", () => {
  test.each([
    [
      "says Date Matched when both days are equal",
      day("2025-01-01"),
      day("2025-12-31"),
      "Date Matched",
    ],
    [
      "says Start Date not Match when only the start differs",
      day("2025-01-02"),
      day("2025-12-31"),
      "Start Date not Match",
    ],
    [
      "says End Date not Match when only the end differs",
      day("2025-01-01"),
      day("2026-12-31"),
      "End Date not Match",
    ],
    [
      "says Start & End Date not Match when both differ",
      day("2024-01-01"),
      day("2024-12-31"),
      "Start & End Date not Match",
    ],
    ["says New Contract when the baseline has no date at all", blank, blank, "New Contract"],
    ["says Exception when only the baseline start is blank", blank, day("2025-12-31"), "Exception"],
    ["says Exception when only the baseline end is blank", day("2025-01-01"), blank, "Exception"],
    ["says Exception when a baseline date is no date", invalid, day("2025-12-31"), "Exception"],
    [
      "says Exception when one baseline date is blank and the other is none",
      blank,
      invalid,
      "Exception",
    ],
  ])("%s", (_, start, end, word) => {
    expect(checkContract({ start, end }, daily)).toBe(word);
  });

  test.each([
    ["blank start", { start: blank, end: day("2025-12-31") }],
    ["blank end", { start: day("2025-01-01"), end: blank }],
    ["unreadable start", { start: invalid, end: day("2025-12-31") }],
    ["unreadable end", { start: day("2025-01-01"), end: invalid }],
  ])("says Exception when the daily row has a %s", (_, gap) => {
    expect(checkContract(daily, gap)).toBe("Exception");
  });

  test("says New Contract for a baseline without dates even when the daily dates are unreadable", () => {
    expect(checkContract({ start: blank, end: blank }, { start: invalid, end: invalid })).toBe(
      "New Contract",
    );
  });

  test("lists each word once, in the order of the baseline rows", () => {
    expect(contractChecks(["End Date not Match", "Date Matched", "End Date not Match"])).toEqual([
      "End Date not Match",
      "Date Matched",
    ]);
  });

  test("says New Contract when there is no baseline row", () => {
    expect(contractChecks([])).toEqual(["New Contract"]);
  });
});

describe("a date cell", () => {
  const parse = (text: string): string | null => (text === "d" ? "2025-01-01" : null);
  test.each([
    [null, "blank"],
    ["  ", "blank"],
    ["x", "invalid"],
    ["d", "day"],
  ])("with the text %j is of kind %s", (text, kind) => {
    expect(toDateCell(text, parse).kind).toBe(kind);
  });
});

describe("contract numbers", () => {
  test.each([
    ["C1", "C2", true],
    ["C1", " C1 ", false],
    ["C1", null, true],
    ["N/A", null, false],
    ["n/a", "C1", true],
  ])("%j and %j differ: %s", (baseline, daily, differs) => {
    expect(contractNumberDiffers(baseline, daily)).toBe(differs);
  });
});
