import { describe, expect, test } from "vitest";
import { type Delivered, isFresh, planClaim, planEnded } from "../../../../daemon/queue/claim.ts";
import type { JournalEntry } from "../../../../daemon/queue/journal.ts";
import type { JournalRecord, TaskStatus } from "../../../../shared/task.ts";

const RETENTION_MS = 10_000;
const NOW = 1_000_000;
const SELF = "worker-1";

function aMessage(change: Partial<Delivered> = {}): Delivered {
  return { generation: 1, deliveries: 1, ageMs: 0, journaled: false, ...change };
}

function anEntry(s: TaskStatus, change: Partial<JournalRecord> = {}): JournalEntry {
  return { seq: 7, record: { s, g: 1, a: 1, l: 5, t: NOW, ...change } };
}

function plan(message: Delivered, entry: JournalEntry | null, verified = false) {
  return planClaim(message, entry, SELF, NOW, RETENTION_MS, verified);
}

describe("a message without a record", () => {
  test("is claimed on sight when it is new: first delivery, first generation, younger than any purge", () => {
    expect(plan(aMessage(), null)).toEqual({ kind: "claim", expect: 0, attempt: 1, before: null });
  });

  test.each([
    ["delivered before", { deliveries: 2 }],
    ["a copy", { generation: 2 }],
    ["one that had a record", { journaled: true }],
    ["half as old as journals are kept", { ageMs: RETENTION_MS / 2 }],
  ])("is verified first when it is %s: its record may have been purged", (_what, change) => {
    expect(isFresh(aMessage(change), RETENTION_MS)).toBe(false);
    expect(plan(aMessage(change), null)).toEqual({ kind: "verify" });
    expect(plan(aMessage(change), null, true).kind).toBe("claim");
  });
});

describe("a message of a waiting task", () => {
  test("is claimed as the next attempt, expecting the record that was read", () => {
    const entry = anEntry("waiting", { g: 2, a: 1, lost: 1 });
    expect(plan(aMessage({ generation: 2 }), entry)).toEqual({
      kind: "claim",
      expect: 7,
      attempt: 2,
      before: entry.record,
    });
  });

  test("is dropped when the task has moved to a newer copy", () => {
    expect(plan(aMessage(), anEntry("waiting", { g: 2 }))).toEqual({
      kind: "drop",
      why: "superseded",
    });
  });

  test("may be ahead of its journal: the mover died, or a worker was quicker; the claim decides", () => {
    expect(plan(aMessage({ generation: 3 }), anEntry("waiting", { g: 2 })).kind).toBe("claim");
  });
});

describe("a message of a running task", () => {
  test("comes back later when another worker runs it: only the daemon ends leases", () => {
    const entry = anEntry("running", { w: "worker-2" });
    expect(plan(aMessage({ deliveries: 2 }), entry).kind).toBe("later");
  });

  test("is this worker's when its claim was stored and never answered", () => {
    const entry = anEntry("running", { w: SELF });
    expect(plan(aMessage({ deliveries: 2 }), entry)).toEqual({ kind: "mine", entry });
  });

  test("comes back when it is ahead of its journal, even when this worker ran the attempt before", () => {
    const entry = anEntry("running", { w: SELF });
    expect(plan(aMessage({ generation: 2 }), entry).kind).toBe("later");
  });

  test("is dropped when the running copy is a newer one", () => {
    const entry = anEntry("running", { g: 2, w: SELF });
    expect(plan(aMessage(), entry)).toEqual({ kind: "drop", why: "superseded" });
  });
});

describe("a message of a task that waits for its time", () => {
  test("comes back at that time", () => {
    const entry = anEntry("retrying", { g: 2, due: NOW + 300 });
    expect(plan(aMessage({ generation: 2 }), entry)).toEqual({ kind: "later", delayMs: 300 });
  });

  test("is claimed when the time has come and only the journal lags behind", () => {
    const entry = anEntry("retrying", { g: 2, due: NOW });
    expect(plan(aMessage({ generation: 2 }), entry)).toMatchObject({ kind: "claim", attempt: 2 });
  });

  test("comes back soon when it is ahead of it", () => {
    const entry = anEntry("scheduled", { g: 1, due: NOW - 1 });
    expect(plan(aMessage({ generation: 2 }), entry).kind).toBe("later");
  });
});

describe("a message of a task that has ended", () => {
  test.each(["completed", "cancelled"] as const)("(%s) is dropped", (status) => {
    expect(plan(aMessage(), anEntry(status))).toEqual({ kind: "drop", why: "ended" });
  });

  test("(dead) has its dead letter published again, which may be missing", () => {
    const entry = anEntry("dead");
    expect(plan(aMessage(), entry)).toEqual({ kind: "bury", record: entry.record });
  });

  test("waits a moment when it is newer: a redrive writes its journal after its copy", () => {
    for (const status of ["dead", "cancelled"] as const) {
      expect(plan(aMessage({ generation: 2 }), anEntry(status)).kind).toBe("later");
      const old = aMessage({ generation: 2, ageMs: 3000 });
      expect(plan(old, anEntry(status))).toEqual({ kind: "drop", why: "ended" });
    }
    expect(planEnded(aMessage({ generation: 2 }), 1).kind).toBe("later");
    expect(planEnded(aMessage(), 1).kind).toBe("drop");
  });

  test("is dropped at once when it completed: a completed task is never redriven", () => {
    expect(plan(aMessage({ generation: 2 }), anEntry("completed")).kind).toBe("drop");
  });
});
