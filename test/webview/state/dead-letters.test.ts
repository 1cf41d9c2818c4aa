import { expect, test } from "vitest";
import type { TaskSummary } from "../../../shared/control.ts";
import {
  fingerprintOf,
  groupsOf,
  type Kept,
  withKept,
} from "../../../webview/state/dead-letters.ts";
import { exampleTask } from "../support/gallery/example-data.ts";

function letter(n: number, error: string | null, more: Partial<TaskSummary> = {}): TaskSummary {
  return { ...exampleTask(n, "dead"), error, ...more };
}

test("errors that differ in numbers, ids, quoted values or paths have one cause", () => {
  for (const [one, other] of [
    ["no reply within 30 s", "no reply within 31.5 s"],
    ["order 8c1f9a2b77 is unknown", "order 00ffa1b2c3 is unknown"],
    [`no column "amount" in row 7`, `no column "price" in row 9`],
    ["cannot open /data/a/b.csv: ENOENT", "cannot open /tmp/c/d.csv: ENOENT"],
    [
      "run 0b7c0a52-8c1e-4c58-9f3e-1d2c3b4a5f60 ended",
      "run 5f60ab52-8c1e-4c58-9f3e-aaaabbbbcccc ended",
    ],
  ])
    expect(fingerprintOf(one!)).toBe(fingerprintOf(other!));
});

test("other words are another cause, and no error is one of its own", () => {
  expect(fingerprintOf("no reply")).not.toBe(fingerprintOf("no answer"));
  expect(fingerprintOf(null)).toBe("");
});

test("a text of megabytes has a short fingerprint, found at once", () => {
  expect(fingerprintOf(`${"a'".repeat(3_000_000)} /x/`).length).toBeLessThanOrEqual(200);
});

test("the largest group is first, its title the words of its newest letter", () => {
  const groups = groupsOf(
    [
      letter(1, "bad row 1", { endedAt: "2026-05-01T10:00:00.000Z" }),
      letter(2, "no reply", { endedAt: "2026-05-01T11:00:00.000Z" }),
      letter(3, "bad row 2", { endedAt: "2026-05-01T12:00:00.000Z" }),
    ],
    "cause",
  );
  expect(groups.map(({ title, tasks }) => [title, tasks.length])).toEqual([
    ["bad row 2", 2],
    ["no reply", 1],
  ]);
  expect(groups[0]).toMatchObject({
    newestAt: "2026-05-01T12:00:00.000Z",
    oldestAt: "2026-05-01T10:00:00.000Z",
  });
});

test("letters can be grouped by task and by queue", () => {
  const tasks = [letter(0, "x"), letter(4, "y")];
  expect(groupsOf(tasks, "task").map(({ key }) => key)).toHaveLength(2);
  expect(groupsOf(tasks, "queue").map(({ key }) => key)).toEqual(["etl"]);
});

test("what was redriven stays in sight until its time, unless it died again", () => {
  const one = letter(1, "x");
  const two = letter(2, "y");
  const kept: Kept[] = [
    { task: one, until: 100 },
    { task: two, until: 100 },
  ];
  const shown = withKept([two], kept, 50);
  expect(shown.tasks).toEqual([two, one]);
  expect([...shown.gone]).toEqual([one.id]);
  expect(withKept([], kept, 100).tasks).toEqual([]);
});
