import { describe, expect, test } from "vitest";
import type { TaskDefinition } from "../../../../daemon/define.ts";
import type { Appended, Journal, JournalEntry } from "../../../../daemon/queue/journal.ts";
import type { TaskMessage } from "../../../../daemon/queue/task-message.ts";
import { createExecution, type Execution } from "../../../../daemon/worker/execution.ts";
import { createLateClaims } from "../../../../daemon/worker/late-claims.ts";
import type { JournalRecord } from "../../../../shared/task.ts";

const SELF = "worker-1";

function running(claimSeq: number): Execution {
  const message = { id: "t1", queue: "etl", level: 5, generation: 1, name: "etl.load" };
  const execution = createExecution(message as TaskMessage, {} as TaskDefinition<never, unknown>, {
    seq: claimSeq,
    attempt: 1,
    maxAttempts: 4,
    earlierErrors: [],
    lostInARow: 0,
  });
  execution.state = "running";
  return execution;
}

function entry(seq: number, record: Partial<JournalRecord>): JournalEntry {
  return { seq, record: { s: "running", g: 1, a: 1, l: 5, t: 0, w: SELF, ...record } };
}

/** Late claims over a journal that holds `there` and answers writes so. */
function lateClaims(there: JournalEntry | null | Error, answer: Appended | Error) {
  const lost: Execution[] = [];
  const written: string[] = [];
  const journal: Pick<Journal, "read" | "submit"> = {
    read: () => (there instanceof Error ? Promise.reject(there) : Promise.resolve(there)),
    submit(_queue, _id, text, _expect, done) {
      written.push(text);
      queueMicrotask(() => done(answer));
    },
  };
  const late = createLateClaims({
    finish: { journal: journal as Journal, workerId: SELF, now: () => 1000, log: () => {} },
    isOverdue: () => false,
    lost: (execution) => lost.push(execution),
  });
  return { late, lost, written };
}

const LOST: Appended = { kind: "lost" };
const AWAY = new Error("the broker is away");

describe("a late claim", () => {
  test("that is written makes the task this worker's", async () => {
    const { late, lost } = lateClaims(null, { kind: "appended", seq: 7 });
    const execution = running(0);
    await late.claimNow(execution);
    expect(execution).toMatchObject({ claimSeq: 7, claiming: null });
    expect(lost).toEqual([]);
  });

  test.each([
    ["another worker's claim", { w: "worker-2" }],
    ["a change by somebody", { s: "waiting" as const, g: 2 }],
  ])("that loses to %s has the handler stopped", async (_what, record) => {
    const { late, lost } = lateClaims(entry(3, record), LOST);
    const execution = running(0);
    await late.claimNow(execution);
    expect(lost).toEqual([execution]);
    expect(execution.claimSeq).toBe(0);
  });

  test("that loses to itself, because an earlier answer was lost, is a claim all the same", async () => {
    const { late, lost } = lateClaims(entry(3, {}), LOST);
    const execution = running(0);
    await late.claimNow(execution);
    expect(execution.claimSeq).toBe(3);
    expect(lost).toEqual([]);
  });

  test("while the broker is away stops nothing", async () => {
    const { late, lost } = lateClaims(AWAY, AWAY);
    const execution = running(0);
    await late.claimNow(execution);
    const refused = lateClaims(AWAY, LOST);
    await refused.late.claimNow(execution);
    expect(execution).toMatchObject({ claimSeq: 0, claiming: null });
    expect([...lost, ...refused.lost]).toEqual([]);
  });
});

describe("a task that is asked after", () => {
  test("goes on while the last record is its claim", async () => {
    const { late, lost, written } = lateClaims(entry(5, {}), LOST);
    await late.recheck(running(5));
    expect([lost, written]).toEqual([[], []]);
  });

  test.each([
    ["waits again", entry(6, { s: "waiting", g: 2 })],
    ["was claimed again, even by this worker", entry(6, { g: 2 })],
    ["has ended and its journal is purged", null],
  ])("is lost when it %s", async (_what, there) => {
    const { late, lost } = lateClaims(there, LOST);
    const execution = running(5);
    await late.recheck(execution);
    expect(lost).toEqual([execution]);
  });

  test("is claimed when nobody has claimed it yet", async () => {
    const { late, written } = lateClaims(null, { kind: "appended", seq: 9 });
    const execution = running(0);
    await late.recheck(execution);
    expect(execution.claimSeq).toBe(9);
    expect(written).toHaveLength(1);
  });

  test("is not claimed once it was lost", async () => {
    const { late, lost, written } = lateClaims(entry(3, { w: "worker-2" }), LOST);
    const execution = running(0);
    const asked = late.recheck(execution);
    execution.stopped = { kind: "lease-lost" };
    await asked;
    expect(lost).toEqual([execution]);
    expect(written).toEqual([]);
  });
});
