import { expect, test } from "vitest";
import { csvRecord } from "../../../../../daemon/pipelines/cls/csv-writer.ts";

test("a record ends with CRLF and leaves null cells empty", () => {
  expect(csvRecord(["a", null, 3, ""])).toBe("a,,3,\r\n");
});

test.each([
  ["a,b", '"a,b"'],
  ['say "x"', '"say ""x"""'],
  ["two\nlines", '"two\nlines"'],
  ["two\rlines", '"two\rlines"'],
])("the cell %j is quoted", (cell, text) => {
  expect(csvRecord([cell])).toBe(`${text}\r\n`);
});

test.each([["="], ["+"], ["-"], ["@"], ["\t"]])(
  "a cell starting with %j is neutralised by an apostrophe",
  (start) => {
    expect(csvRecord([`${start}1`])).toBe(`'${start}1\r\n`);
  },
);

test("a cell starting with a carriage return is neutralised and quoted", () => {
  expect(csvRecord(["\r=1"])).toBe(`"'\r=1"\r\n`);
});

test("a formula character inside a cell stays as it is", () => {
  expect(csvRecord(["a=b", "1-2"])).toBe("a=b,1-2\r\n");
});
