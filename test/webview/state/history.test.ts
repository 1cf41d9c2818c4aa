import { expect, test } from "vitest";
import { DAY } from "../../../shared/time.ts";
import {
  dayEdge,
  fileName,
  searchRows,
  taskTable,
  toCsv,
  toJson,
} from "../../../webview/state/history.ts";
import { exampleTask } from "../support/gallery/example-data.ts";

test("a table is saved as CSV, nothing for null", () => {
  const table = {
    columns: ["at", "n"],
    rows: [
      ["x,y", 1],
      [`say "hi"\nthere`, null],
    ],
  };
  expect(toCsv(table)).toBe('at,n\r\n"x,y",1\r\n"say ""hi""\nthere",\r\n');
});

test("a cell that a spreadsheet would run is defused", () => {
  const rows = ["=1+1", "+1", "-1", "@x", "\tx"].map((text) => [text]);
  const lines = toCsv({ columns: ["c"], rows })
    .split("\r\n")
    .slice(1, -1);
  expect(lines.every((line) => /^"?'/.test(line))).toBe(true);
  expect(toCsv({ columns: ["c"], rows: [[-5]] })).toBe("c\r\n-5\r\n");
});

test("JSON has an object for each row", () => {
  expect(JSON.parse(toJson({ columns: ["a", "b"], rows: [[1, null]] }))).toEqual([
    { a: 1, b: null },
  ]);
});

test("tasks are saved with all that the list knows", () => {
  const task = exampleTask(6);
  const { columns, rows } = taskTable([task]);
  const saved = Object.fromEntries(columns.map((column, n) => [column, rows[0]?.[n]]));
  expect(saved).toMatchObject({ id: task.id, status: task.status, error: task.error });
});

test("a file is named after what it holds and when", () => {
  expect(fileName("tasks", new Date(2026, 4, 1, 8, 4).getTime(), "csv")).toBe(
    "tasks-2026-05-01-0804.csv",
  );
});

test("a row is found when all words stand in it, in any cell, without case", () => {
  const rows = [
    ["Ana", "urgent", 9],
    ["Bo", "urgent", 8],
  ];
  expect(searchRows(rows, "URGENT ana")).toEqual([rows[0]]);
  expect(searchRows(rows, "9")).toEqual([rows[0]]);
  expect(searchRows(rows, " ")).toBe(rows);
});

test("a day goes from its local midnight to the next", () => {
  const start = dayEdge("2026-01-15", "start")!;
  expect(new Date(start).getHours()).toBe(0);
  expect(dayEdge("2026-01-15", "end")! - start).toBe(DAY);
  expect(dayEdge("", "start")).toBeNull();
});
