import { describe, expect, test } from "vitest";
import type { FollowEvent } from "../../../../shared/bus/follow.ts";
import type { JournalRecord } from "../../../../shared/task.ts";
import { cleanText, runOfTask, toRows } from "../../../../shared/view/rows.ts";

const AT = 1_700_000_000_000;

function ofTask(
  record: Partial<JournalRecord> & Pick<JournalRecord, "s">,
  taskId = "t1",
): FollowEvent {
  const full: JournalRecord = { g: 1, a: 1, l: 5, t: AT, n: "etl.load", x: 4, w: "w1", ...record };
  return {
    kind: "task",
    at: new Date(AT).toISOString(),
    taskId,
    queue: "etl",
    status: full.s,
    record: full,
  };
}

const rowOf = (event: FollowEvent) => toRows(event)[0]!;

describe("records of a task in words", () => {
  test.each<[string, Partial<JournalRecord> & Pick<JournalRecord, "s">, object]>([
    ["a start", { s: "running", a: 2 }, { type: "task.started", text: "Attempt 2 of 4 started" }],
    [
      "an end",
      { s: "completed", du: 4200 },
      { type: "task.completed", text: "Completed in 4.2 s", isKept: true },
    ],
    [
      "a failure with the time of the next attempt",
      { s: "retrying", due: AT + 60_000, e: { code: "timed-out", message: "no reply" } },
      {
        type: "task.failed",
        severity: "warning",
        text: "Attempt 1 of 4 failed: no reply – next in 1m 00s",
        isKept: true,
      },
    ],
    [
      "a dead letter with its reason",
      { s: "dead", a: 4, dead: "attempts-exhausted", e: { code: "x", message: "no reply" } },
      {
        type: "task.dead",
        severity: "error",
        text: "All 4 attempts failed: no reply",
        isKept: true,
      },
    ],
    [
      "an escalation with who, why and both levels",
      { s: "waiting", l: 9, from: 5, act: "urgent", by: "ann", why: "customer call" },
      {
        type: "task.escalated",
        text: "Priority 5 → 9 Urgent by ann “customer call”",
        by: "ann",
        isKept: true,
      },
    ],
    [
      "a lowering",
      { s: "waiting", l: 2, from: 5, act: "lower", by: "ann" },
      { type: "task.lowered" },
    ],
    [
      "a cancellation",
      { s: "cancelled", act: "cancel", by: "ann", why: "no need" },
      { type: "task.cancelled", text: "Cancelled by ann “no need”", isKept: true },
    ],
    [
      "a lost worker",
      { s: "waiting", act: "lost" },
      { type: "task.lost", severity: "warning", text: "Its worker was lost; it waits for another" },
    ],
    [
      "a redrive",
      { s: "waiting", act: "redrive", by: "ann" },
      { type: "task.redriven", text: "Given a new life by ann" },
    ],
  ])("%s", (_, record, row) => {
    expect(rowOf(ofTask(record))).toMatchObject({
      subject: "etl.load",
      taskId: "t1",
      queue: "etl",
      at: AT,
      ...row,
    });
  });

  test("a retrying task that is escalated has not failed again", () => {
    const record = {
      s: "retrying",
      act: "urgent",
      from: 5,
      l: 9,
      by: "ann",
      e: { code: "x", message: "old" },
    } as const;
    expect(rowOf(ofTask(record))).toMatchObject({ type: "task.escalated", severity: "info" });
  });

  test("a phase's task names its run", () => {
    expect(rowOf(ofTask({ s: "running", n: "cls.sync" }, "run7-sync")).runId).toBe("run7");
    expect(runOfTask("x-sync", "etl.load")).toBeNull();
  });
});

describe("facts and events", () => {
  const system = (event: string, data: unknown): FollowEvent => ({
    kind: "system",
    at: new Date(AT).toISOString(),
    event,
    data,
  });

  test("progress says how far, in percent when the end is known, and repeats of one task are joined", () => {
    const data = {
      taskId: "t1",
      name: "cls.integrate",
      runId: "r1",
      done: 61,
      total: 100,
      what: "rows",
      at: new Date(AT - 7).toISOString(),
    };
    expect(rowOf(system("task.progress.t1", data))).toMatchObject({
      at: AT - 7,
      type: "task.progress",
      subject: "cls.integrate",
      runId: "r1",
      text: "61 %: 61 of 100 rows",
      joinKey: "progress t1",
    });
    expect(rowOf(system("task.progress.t1", { ...data, total: null })).text).toBe("61 rows");
  });

  test("what was enqueued is one row a task, and one for all that are not named", () => {
    const shown = [{ id: "t1", name: "etl.load", queue: "etl", level: 8, by: "ann", at: AT - 5 }];
    const rows = toRows(system("enqueued", { tasks: 41, shown, queues: ["etl", "cls"], runs: [] }));
    expect(rows.map(({ type, taskId, text, at }) => [type, taskId, text, at])).toEqual([
      ["task.enqueued", "t1", "Enqueued by ann at 8 Prioritize", AT - 5],
      ["task.enqueued", null, "40 more tasks were enqueued in etl, cls", AT],
    ]);
  });

  test("a domain event is its subject with its data in one line", () => {
    const data = { taskId: "t1", run: { id: "r1" }, rows: 20, file: "a.csv" };
    const event: FollowEvent = {
      kind: "domain",
      at: new Date(AT).toISOString(),
      subject: "events.cls.sync.completed",
      data,
    };
    expect(rowOf(event)).toMatchObject({
      type: "events.cls.sync.completed",
      subject: "a.csv",
      taskId: "t1",
      runId: "r1",
      text: "taskId t1, run r1, rows 20, file a.csv",
    });
  });

  test.each([[null], [undefined], ["text"], [7], [[1, 2]], [{ taskId: 5, run: null }]])(
    "an event with the data %j is a row all the same",
    (data) => {
      expect(toRows(system("some.thing", data))).toHaveLength(1);
      expect(
        toRows({ kind: "domain", at: new Date(AT).toISOString(), subject: "events.x", data }),
      ).toHaveLength(1);
    },
  );
});

describe("texts of strangers", () => {
  test("control characters, turned text and broken Unicode become harmless", () => {
    expect(cleanText("a\u0007\u001b[31mb\r\nc\u202Ed\ud800e")).toBe("a [31mb c d\ufffde");
  });

  test("a text of five megabytes is cut, and never through a character", () => {
    const text = cleanText("😀".repeat(2_500_000), 20);
    expect(text.length).toBeLessThanOrEqual(21);
    expect(text.isWellFormed()).toBe(true);
    expect(text.endsWith("…")).toBe(true);
  });

  test("every text of a row is short, whatever the record says", () => {
    const long = "x".repeat(1_000_000);
    const row = rowOf(
      ofTask({ s: "retrying", n: long, by: long, e: { code: "x", message: long } }),
    );
    expect(row.text.length).toBeLessThanOrEqual(300);
    expect(row.subject.length).toBeLessThanOrEqual(200);
    expect(row.by?.length).toBeLessThanOrEqual(200);
  });
});
