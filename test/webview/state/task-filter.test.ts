import { expect, test } from "vitest";
import { HOUR } from "../../../shared/time.ts";
import { queryOf, within, withKey } from "../../../webview/state/task-filter.ts";

const NOW = Date.parse("2026-05-01T18:00:30.000Z");
const ask = (text: string) => queryOf(text, NOW);

test("each key is a condition, free words are one text", () => {
  expect(ask("status:waiting queue:etl name:etl.load by:ana run:r7 out of stock")).toEqual({
    where: {
      status: ["waiting"],
      queue: "etl",
      name: "etl.load",
      by: "ana",
      runId: "r7",
      text: "out of stock",
    },
    problems: [],
  });
});

test("several statuses are alternatives", () => {
  expect(ask("status:dead status:Cancelled status:dead").where.status).toEqual([
    "dead",
    "cancelled",
  ]);
});

test("a level is a number, a least, a most, or a range", () => {
  expect(ask("level:9").where).toEqual({ level: 9 });
  expect(ask("level:>=8").where).toEqual({ minLevel: 8 });
  expect(ask("level:<=3").where).toEqual({ maxLevel: 3 });
  expect(ask("level:4-7").where).toEqual({ minLevel: 4, maxLevel: 7 });
});

test("since goes back from now, to the minute", () => {
  const { createdAfter } = ask("since:2h").where;
  expect(createdAfter).toBe(Date.parse("2026-05-01T18:00:00.000Z") - 2 * HOUR);
  expect(queryOf("since:2h", NOW + 20_000).where.createdAfter).toBe(createdAfter);
});

test("what the daemon cannot answer is said, never dropped", () => {
  for (const text of [
    "-queue:cls",
    "-word",
    "name:etl.*",
    "status:lost",
    "bucket:urgent",
    "level:11",
    "level:x",
    "level:7-4",
    "since:soon",
    "queue:a queue:b",
  ])
    expect(ask(text).problems, text).toHaveLength(1);
});

test("a filter within statuses never widens", () => {
  expect(within({ status: ["dead", "waiting"] }, ["waiting", "running"])).toEqual({
    status: ["waiting"],
  });
  expect(within({ queue: "etl" }, ["waiting"])).toEqual({ queue: "etl", status: ["waiting"] });
  expect(within({ status: ["dead"] }, ["waiting"])).toBeNull();
});

test("a key is replaced, the rest of the text stays", () => {
  expect(withKey('queue:etl "two words" level:9', "queue", "cls")).toBe(
    '"two words" level:9 queue:cls',
  );
  expect(withKey("queue:etl level:9", "queue", null)).toBe("level:9");
  expect(withKey("", "by", "ana b")).toBe('by:"ana b"');
  expect(ask(withKey("", "by", "ana b")).where).toEqual({ by: "ana b" });
});
