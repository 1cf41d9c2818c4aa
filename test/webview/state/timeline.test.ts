import { expect, test } from "vitest";
import type { AttemptView, AuditEventView, TaskDetail } from "../../../shared/control.ts";
import { SECOND } from "../../../shared/time.ts";
import { levelSteps, type TimelineItem, timelineOf } from "../../../webview/state/timeline.ts";

const T0 = Date.parse("2026-05-01T18:00:00.000Z");
const iso = (s: number): string => new Date(T0 + s * SECOND).toISOString();

let seq = 0;
function event(
  s: number,
  kind: string,
  detail: object = {},
  by: string | null = null,
): AuditEventView {
  seq += 1;
  return { seq, at: iso(s), kind, by, role: by === null ? null : "Manager", detail: { ...detail } };
}

function attempt(
  n: number,
  from: number,
  to: number | null,
  outcome: string,
  generation = n,
): AttemptView {
  return {
    attempt: n,
    generation,
    worker: "w1",
    startedAt: iso(from),
    endedAt: to === null ? null : iso(to),
    durationMs: to === null ? null : (to - from) * SECOND,
    outcome,
    error: outcome === "completed" || to === null ? null : { code: outcome, message: "no reply" },
  };
}

type Seen = Pick<TaskDetail, "attemptHistory" | "status" | "dueAt">;

/** `enqueued 0`, `gap waiting 12`, `attempt 1 12–42 timed-out` … */
function read(task: Partial<Seen>, events: readonly AuditEventView[]): string[] {
  const seen: Seen = { attemptHistory: [], status: "waiting", dueAt: null, ...task };
  return timelineOf(seen, events).map(word);
}

function word(item: TimelineItem): string {
  const s = (at: number): number => (at - T0) / SECOND;
  switch (item.kind) {
    case "mark":
      return `${item.what.kind} ${s(item.at)}`;
    case "attempt":
      return `attempt ${item.attempt} ${s(item.at)}–${item.endedAt === null ? "" : s(item.endedAt)} ${item.outcome}`;
    case "gap":
      return `gap ${item.state} ${item.toAt === null ? "open" : s(item.toAt) - s(item.fromAt)}`;
    default:
      return item satisfies never;
  }
}

const ENQUEUED = event(0, "task.enqueued", { name: "etl.load" }, "ana");

test("what waits: it was enqueued, and the time since then is open", () => {
  expect(read({}, [ENQUEUED])).toEqual(["enqueued 0", "gap waiting open"]);
});

test("a change of level parts the wait, and tells who, from where and why", () => {
  const raised = event(
    12,
    "task.waiting",
    { s: "waiting", act: "urgent", from: 5, l: 9, why: "call" },
    "bo",
  );
  const items = timelineOf({ attemptHistory: [], status: "waiting", dueAt: null }, [
    ENQUEUED,
    raised,
  ]);
  expect(items.map(word)).toEqual([
    "enqueued 0",
    "gap waiting 12",
    "priority 12",
    "gap waiting open",
  ]);
  expect(items[2]).toMatchObject({
    what: { action: "urgent", from: 5, to: 9 },
    by: "bo",
    role: "Manager",
    reason: "call",
  });
});

test("a failure, the wait for the retry, and the end each have their duration", () => {
  const events = [
    ENQUEUED,
    event(10, "task.running", { s: "running" }),
    event(40, "task.retrying", { s: "retrying", e: { code: "timed-out" }, due: T0 + 100 * SECOND }),
    event(100, "task.waiting", { s: "waiting", act: "due" }),
    event(101, "task.running", { s: "running" }),
    event(131, "task.completed", { s: "completed" }),
  ];
  const attemptHistory = [attempt(1, 10, 40, "timed-out"), attempt(2, 100.5, 131, "completed")];
  expect(read({ status: "completed", attemptHistory }, events)).toEqual([
    "enqueued 0",
    "gap waiting 10",
    "attempt 1 10–40 timed-out",
    "gap retrying 60.5",
    "attempt 2 100.5–131 completed",
    "completed 131",
  ]);
});

test("a task whose time came and that still waits says both", () => {
  const events = [
    ENQUEUED,
    event(40, "task.retrying", { s: "retrying", e: { code: "timed-out" } }),
    event(100, "task.waiting", { s: "waiting", act: "due" }),
  ];
  expect(read({ attemptHistory: [attempt(1, 0, 40, "timed-out")] }, events)).toEqual([
    "enqueued 0",
    "attempt 1 0–40 timed-out",
    "gap retrying 60",
    "due 100",
    "gap waiting open",
  ]);
});

test("the open wait for a retry knows its end", () => {
  const events = [ENQUEUED, event(40, "task.retrying", { s: "retrying" })];
  const attemptHistory = [attempt(1, 0, 40, "timed-out")];
  const items = timelineOf({ attemptHistory, status: "retrying", dueAt: iso(100) }, events);
  expect(items.at(-1)).toMatchObject({
    kind: "gap",
    state: "retrying",
    toAt: null,
    dueAt: T0 + 100 * SECOND,
  });
});

test("a running attempt is open, and nothing waits beside it", () => {
  const events = [ENQUEUED, event(10, "task.running", { s: "running" })];
  expect(
    read({ status: "running", attemptHistory: [attempt(1, 10, null, "running")] }, events),
  ).toEqual(["enqueued 0", "gap waiting 10", "attempt 1 10– running"]);
});

test("what is refused meanwhile stands inside the attempt and changes nothing", () => {
  const events = [
    ENQUEUED,
    event(10, "task.running", { s: "running" }),
    event(20, "refused", { verb: "escalate", what: "Operator may not set 10" }, "eve"),
  ];
  expect(
    read({ status: "running", attemptHistory: [attempt(1, 10, null, "running")] }, events),
  ).toEqual(["enqueued 0", "gap waiting 10", "attempt 1 10– running", "refused 20"]);
});

test("the time after an attempt counts from its end, and a refusal meanwhile says nothing of the task", () => {
  const events = [
    ENQUEUED,
    event(20, "refused", { what: "Operator may not set 10" }, "eve"),
    event(40, "task.retrying", { s: "retrying" }),
    event(50, "refused", { what: "Operator may not set 10" }, "eve"),
  ];
  const attemptHistory = [attempt(1, 0, 40, "timed-out"), attempt(2, 100, null, "running")];
  expect(read({ status: "running", attemptHistory }, events)).toEqual([
    "enqueued 0",
    "attempt 1 0–40 timed-out",
    "refused 20",
    "gap retrying 10",
    "refused 50",
    "gap retrying 50",
    "attempt 2 100– running",
  ]);
});

test("a lost worker: the attempt says so, the task waits again", () => {
  const events = [
    ENQUEUED,
    event(10, "task.running", { s: "running" }),
    event(30, "task.waiting", { s: "waiting", act: "lost" }),
  ];
  expect(read({ attemptHistory: [attempt(1, 10, 30, "lost")] }, events)).toEqual([
    "enqueued 0",
    "gap waiting 10",
    "attempt 1 10–30 lost",
    "gap waiting open",
  ]);
});

test("a dead letter ends; its redrive begins anew, after the time it lay there", () => {
  const events = [
    ENQUEUED,
    event(10, "task.dead", { s: "dead", dead: "non-retryable", a: 1 }),
    event(70, "task.waiting", { s: "waiting", act: "redrive", in: "{}" }, "ana"),
    event(71, "task.completed", { s: "completed" }),
  ];
  const attemptHistory = [
    attempt(1, 5, 10, "handler-failed", 1),
    attempt(1, 70, 71, "completed", 2),
  ];
  expect(read({ status: "completed", attemptHistory }, events)).toEqual([
    "enqueued 0",
    "gap waiting 5",
    "attempt 1 5–10 handler-failed",
    "dead 10",
    "gap ended 60",
    "redriven 70",
    "attempt 1 70–71 completed",
    "completed 71",
  ]);
});

test("a scheduled task waits for its time", () => {
  const events = [ENQUEUED, event(0, "task.scheduled", { s: "scheduled", due: T0 + 60 * SECOND })];
  expect(read({ status: "scheduled", dueAt: iso(60) }, events)).toEqual([
    "enqueued 0",
    "scheduled 0",
    "gap scheduled open",
  ]);
});

test("what is unknown is told by its name", () => {
  const items = timelineOf({ attemptHistory: [], status: "completed", dueAt: null }, [
    event(1, "restored-from-archive"),
  ]);
  expect(items[0]).toMatchObject({ what: { kind: "other", what: "restored-from-archive" } });
});

test("the line of levels begins with the first level and ends now", () => {
  const change = { by: "ana", role: "Admin", action: "urgent", reason: null } as const;
  const task = {
    priority: 10,
    createdAt: iso(0),
    endedAt: null,
    priorityHistory: [
      { ...change, at: iso(5), from: 5, to: 9 },
      { ...change, at: iso(8), from: 9, to: 10 },
    ],
  };
  expect(
    levelSteps(task, T0 + 20 * SECOND).map(({ at, level }) => [(at - T0) / SECOND, level]),
  ).toEqual([
    [0, 5],
    [5, 9],
    [8, 10],
    [20, 10],
  ]);
  expect(
    levelSteps({ ...task, priority: 3, priorityHistory: [] }, T0).map(({ level }) => level),
  ).toEqual([3, 3]);
});
