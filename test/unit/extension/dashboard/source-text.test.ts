import { expect, test } from "vitest";
import { jsonFileName, lineOfTask } from "../../../../extension/dashboard/source-text.ts";

test("a title that a view chose becomes a plain file name", () => {
  expect(jsonFileName("Result of etl.load #a41f9c")).toBe("Result of etl.load a41f9c.json");
  expect(jsonFileName("../../etc/passwd\n")).toBe(".. .. etc passwd.json");
  expect(jsonFileName("\u202e<>")).toBe("value.json");
  expect(jsonFileName("x".repeat(500))).toHaveLength(85);
});

test("a task's line is the first that names it as a string, not one that merely contains its name", () => {
  const text = '// etl.load\nname: "etl.load.all",\nname: "etl.load",\n';
  expect(lineOfTask(text, "etl.load")).toBe(2);
  expect(lineOfTask("task('a.b')", "a.b")).toBe(0);
  expect(lineOfTask(text, "etl.store")).toBe(null);
});
