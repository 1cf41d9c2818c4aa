import { expect, test } from "vitest";
import type { FollowEvent } from "../../../../shared/bus/follow.ts";
import type { JournalRecord } from "../../../../shared/task.ts";
import { createChanged } from "../../../../shared/view/changed.ts";

const at = "2026-05-01T08:00:00.000Z";

function task(id: string, record: Partial<JournalRecord> & Pick<JournalRecord, "s">): FollowEvent {
  const full: JournalRecord = { g: 1, a: 1, l: 5, t: 0, n: "etl.load", ...record };
  return { kind: "task", at, taskId: id, queue: "etl", status: full.s, record: full };
}

test("nothing happened: nothing is told", () => {
  expect(createChanged().take()).toBeNull();
});

test("what changed since the last word is told once, each task once", () => {
  const changed = createChanged();
  changed.note(task("a", { s: "running" }));
  changed.note(task("a", { s: "completed" }));
  changed.note(task("r1-sync", { s: "running", n: "cls.sync" }));
  expect(changed.take()).toEqual({
    queues: true,
    dead: false,
    runs: ["r1"],
    tasks: ["a", "r1-sync"],
  });
  expect(changed.take()).toBeNull();
});

test("a dead letter, and one that is redriven, change the dead letters", () => {
  const changed = createChanged();
  changed.note(task("a", { s: "dead" }));
  expect(changed.take()?.dead).toBe(true);
  changed.note(task("a", { s: "waiting", act: "redrive" }));
  expect(changed.take()?.dead).toBe(true);
});

test("of more than 200 tasks none is named", () => {
  const changed = createChanged();
  for (let n = 0; n < 200; n += 1) changed.note(task(`t${n}`, { s: "running" }));
  changed.note(task("t7", { s: "completed" }));
  expect(changed.take()?.tasks).toHaveLength(200);
  for (let n = 0; n < 201; n += 1) changed.note(task(`t${n}`, { s: "running" }));
  expect(changed.take()?.tasks).toBeNull();
});

test("enqueued tasks change queues and runs; progress changes a task and its run alone; other events nothing", () => {
  const changed = createChanged();
  const shown = [{ id: "a", name: "etl.load", queue: "etl", level: 5, by: "ann", at: 0 }];
  changed.note({
    kind: "system",
    at,
    event: "enqueued",
    data: { tasks: 1, shown, queues: ["etl"], runs: ["r1"] },
  });
  expect(changed.take()).toEqual({ queues: true, dead: false, runs: ["r1"], tasks: ["a"] });
  changed.note({
    kind: "system",
    at,
    event: "task.progress.b",
    data: { taskId: "b", runId: "r2" },
  });
  expect(changed.take()).toEqual({ queues: false, dead: false, runs: ["r2"], tasks: ["b"] });
  expect(changed.note({ kind: "domain", at, subject: "events.x", data: {} })).toBe(false);
  expect(changed.note({ kind: "system", at, event: "daemon.started", data: {} })).toBe(false);
  expect(changed.take()).toBeNull();
});
