import fc from "fast-check";
import { expect, test } from "vitest";
import {
  cleanCell,
  formatMoney,
  parseDay,
  parseMoney,
  parseWhole,
} from "../../../../../daemon/pipelines/cls/values.ts";

test("a missing cell, a blank and white space are the same", () => {
  expect([undefined, null, "", " \t\u00a0\n"].map(cleanCell)).toEqual([null, null, null, null]);
  expect(cleanCell("  a b ")).toBe("a b");
});

test.each([
  ["2025-11-19", "2025-11-19"],
  ["2025-11-19 00:00:00", "2025-11-19"],
  ["2025-11-19T08:38:00.000Z", "2025-11-19"],
  ["2025/1/2", "2025-01-02"],
  ["11/20/2025", "2025-11-20"],
  ["1/2/2025 8:38 AM", "2025-01-02"],
  ["2025-Nov-10", "2025-11-10"],
  ["2025-nov-9", "2025-11-09"],
  ["2025-Nov-19 08:38:00 AM", "2025-11-19"],
  [" 2024-02-29 ", "2024-02-29"],
])("the date %s is the day %s", (text, day) => {
  expect(parseDay(text)).toBe(day);
});

test.each([
  "2025-02-29",
  "2025-13-01",
  "13/13/2025",
  "20/11/2025",
  "2025-Foo-10",
  "0",
  "45980",
  "N/A",
  "2025-11-19 and more",
  "2025-00-10",
])("%s is no day", (text) => {
  expect(parseDay(text)).toBeNull();
});

test.each([
  ["12.5", 125_000],
  ["1,234.50", 12_345_000],
  ["1,234,567", 12_345_670_000],
  ["$5", 50_000],
  [".5", 5_000],
  ["-0.0001", -1],
  ["0.00005", 1],
  ["-0.00005", -1],
  ["0.00004999", 0],
  ["0.1", 1_000],
])("the amount %s is %d ten-thousandths", (text, amount) => {
  expect(parseMoney(text)).toBe(amount);
});

test.each(["", "1,23.4", "1e5", "abc", ".", "-", "12.5 EA", "9999999999999999", "1.234,50"])(
  "%j is no amount",
  (text) => {
    expect(parseMoney(text)).toBeNull();
  },
);

test("an amount written out and read again is the same", () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e12, max: 1e12 }), (amount) => {
      expect(parseMoney(formatMoney(amount))).toBe(amount);
    }),
  );
});

test("amounts are written with two to four decimals", () => {
  expect([120_000, 123_400, 123_456, -1, 0].map(formatMoney)).toEqual([
    "12.00",
    "12.34",
    "12.3456",
    "-0.0001",
    "0.00",
  ]);
});

test("a sequence is a whole number without sign", () => {
  expect(["3", " 12 ", "1.5", "-1", "x", null].map(parseWhole)).toEqual([
    3,
    12,
    null,
    null,
    null,
    null,
  ]);
});
