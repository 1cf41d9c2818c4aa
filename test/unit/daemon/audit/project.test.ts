import { expect, test } from "vitest";
import { project, type TaskState, UNTOUCHED } from "../../../../daemon/audit/project.ts";
import type { JournalRecord } from "../../../../shared/task.ts";

const T = 1_700_000_000_000;

function aState(changes: Partial<TaskState> = {}): TaskState {
  return { ...UNTOUCHED, level: 5, ...changes };
}

const RUNNING = aState({
  status: "running",
  generation: 1,
  attempts: 1,
  worker: "w1",
  startedAt: T,
  lastSeq: 1,
});

function aRecord(changes: Partial<JournalRecord> = {}): JournalRecord {
  return { s: "waiting", g: 1, a: 0, l: 5, t: T + 100, ...changes };
}

const after = (before: TaskState, record: JournalRecord, result: string | null = null) =>
  project(before, record, before.lastSeq + 1, result);

test("running opens an attempt that starts when the worker says", () => {
  const got = after(aState(), aRecord({ s: "running", a: 1, w: "w1", st: T + 90, x: 6 }));
  expect(got?.state).toMatchObject({
    status: "running",
    attempts: 1,
    maxAttempts: 6,
    worker: "w1",
    startedAt: T + 90,
    endedAt: null,
    lastSeq: 1,
  });
  expect(got?.attempts).toEqual([
    {
      generation: 1,
      attempt: 1,
      worker: "w1",
      startedAt: T + 90,
      endedAt: null,
      durationMs: null,
      outcome: "running",
      errorCode: null,
      error: null,
      stack: null,
    },
  ]);
});

test("completed keeps the result, clears the error and closes the attempt with the monotonic duration", () => {
  const before = { ...RUNNING, error: "earlier", errorCode: "handler-failed" };
  const got = after(before, aRecord({ s: "completed", a: 1, st: T, du: 42.5, r: 1 }), "1");
  expect(got?.state).toMatchObject({
    status: "completed",
    result: "1",
    resultRefBytes: null,
    error: null,
    errorCode: null,
    startedAt: T,
    endedAt: T + 100,
    durationMs: 42.5,
    worker: "w1",
  });
  expect(got?.attempts).toMatchObject([{ outcome: "completed", attempt: 1, durationMs: 42.5 }]);
});

test("completed without a result has the result null, and one by reference has its size instead", () => {
  expect(after(RUNNING, aRecord({ s: "completed" }))?.state.result).toBe("null");
  const byReference = after(RUNNING, aRecord({ s: "completed", rr: 300_000 }))?.state;
  expect(byReference).toMatchObject({ result: null, resultRefBytes: 300_000 });
});

test("retrying closes the attempt of the generation that ran with the error's code", () => {
  const e = { code: "handler-failed", message: "no", stack: "at x" };
  const got = after(RUNNING, aRecord({ s: "retrying", g: 2, a: 1, due: T + 60_000, st: T, e }));
  expect(got?.state).toMatchObject({
    status: "retrying",
    generation: 2,
    dueAt: T + 60_000,
    error: "no",
    errorCode: "handler-failed",
    endedAt: null,
  });
  expect(got?.attempts).toMatchObject([
    { generation: 1, attempt: 1, outcome: "handler-failed", error: "no", stack: "at x" },
  ]);
});

test("a lost worker closes its attempt as lost and the attempt counts", () => {
  const got = after(RUNNING, aRecord({ g: 2, a: 1, act: "lost", w: "w1" }));
  expect(got?.state).toMatchObject({ status: "waiting", attempts: 1, worker: null });
  expect(got?.attempts).toMatchObject([
    { generation: 1, attempt: 1, worker: "w1", outcome: "lost", errorCode: "worker-lost" },
  ]);
});

test("a handback closes the attempt as interrupted and it does not count", () => {
  const got = after(RUNNING, aRecord({ g: 2, a: 0, act: "handback" }));
  expect(got?.state).toMatchObject({ status: "waiting", attempts: 0 });
  expect(got?.attempts).toMatchObject([{ attempt: 1, outcome: "interrupted" }]);
});

test("a takeover loses the attempt before and opens its own", () => {
  const got = after(RUNNING, aRecord({ s: "running", g: 2, a: 2, w: "w2" }));
  expect(got?.attempts).toMatchObject([
    { generation: 1, attempt: 1, worker: "w1", outcome: "lost", endedAt: T + 100 },
    { generation: 2, attempt: 2, worker: "w2", outcome: "running" },
  ]);
});

test.each([
  ["prioritize", 5, 8],
  ["urgent", 5, 9],
  ["critical", 5, 10],
  ["raise", 5, 6],
  ["lower", 5, 2],
  ["undo", 9, 5],
  ["ageing", 2, 3],
] as const)("%s is a row of the priority history", (act, from, to) => {
  const got = after(
    aState({ level: from }),
    aRecord({ g: 2, l: to, act, from, by: "ann", role: "Manager", why: "customer waits" }),
  );
  expect(got?.state).toMatchObject({ status: "waiting", level: to, generation: 2 });
  expect(got?.attempts).toEqual([]);
  expect(got?.priority).toEqual({
    at: T + 100,
    by: "ann",
    role: "Manager",
    from,
    to,
    action: act,
    reason: "customer waits",
  });
});

test.each(["due", "retry", "repair", "redrive", "cancel", "discard"] as const)(
  "%s is no change of priority",
  (act) => {
    expect(after(aState(), aRecord({ act, from: 5 }))?.priority).toBeNull();
  },
);

test("the last error stays readable while the task waits for and is in its next attempt", () => {
  const failed = aState({ status: "retrying", error: "no", errorCode: "E1", lastSeq: 3 });
  const waiting = after(failed, aRecord({ g: 2, a: 1, act: "due" }))?.state;
  expect(waiting).toMatchObject({ status: "waiting", error: "no", errorCode: "E1", dueAt: null });
  const running = after(waiting ?? failed, aRecord({ s: "running", g: 2, a: 2 }))?.state;
  expect(running).toMatchObject({ status: "running", error: "no" });
});

test("a redrive begins anew: no error, no result, no attempts", () => {
  const dead = aState({
    status: "dead",
    error: "no",
    deadReason: "poison",
    endedAt: T,
    lastSeq: 9,
  });
  expect(after(dead, aRecord({ g: 5, a: 0, act: "redrive" }))?.state).toMatchObject({
    status: "waiting",
    attempts: 0,
    error: null,
    deadReason: null,
    endedAt: null,
    result: null,
  });
});

test("scheduled keeps its due instant", () => {
  const got = after(aState(), aRecord({ s: "scheduled", due: T + 5000 }));
  expect(got?.state).toMatchObject({ status: "scheduled", dueAt: T + 5000 });
  expect(got?.attempts).toEqual([]);
});

test("a waiting task that is cancelled or discarded has no attempt", () => {
  expect(after(aState(), aRecord({ s: "cancelled", act: "cancel", by: "ann" }))).toMatchObject({
    state: { status: "cancelled", endedAt: T + 100, durationMs: null },
    attempts: [],
  });
  expect(after(aState(), aRecord({ s: "dead", dead: "discarded", act: "discard" }))).toMatchObject({
    state: { status: "dead", deadReason: "discarded", endedAt: T + 100 },
    attempts: [],
  });
});

test("a running task that is cancelled or dies closes its attempt", () => {
  expect(after(RUNNING, aRecord({ s: "cancelled", a: 1 }))?.attempts).toMatchObject([
    { outcome: "cancelled", durationMs: 100 },
  ]);
  const e = { code: "timed-out", message: "too long" };
  expect(after(RUNNING, aRecord({ s: "dead", a: 1, dead: "attempts-exhausted", e }))).toMatchObject(
    {
      state: { status: "dead", error: "too long", errorCode: "timed-out" },
      attempts: [{ outcome: "timed-out", error: "too long" }],
    },
  );
  expect(
    after(RUNNING, aRecord({ s: "dead", a: 1, dead: "poison", act: "lost" }))?.attempts,
  ).toMatchObject([{ outcome: "lost", errorCode: "worker-lost" }]);
});

test("a record that the row reflects already changes nothing", () => {
  expect(project(aState({ lastSeq: 7 }), aRecord(), 7, null)).toBeNull();
  expect(project(aState({ lastSeq: 7 }), aRecord(), 6, null)).toBeNull();
});
