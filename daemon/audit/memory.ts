import type { RunningTask } from "./audit-store.ts";
import type { FollowedRecord } from "./followed-record.ts";
import type { StoredRunning } from "./writer.ts";

/** What the follower knows without the database: where it is in the journal and which tasks run. */
export interface JournalMemory {
  /** Ignores what it has seen: after an outage of the database the journal is read again. */
  follow(followed: FollowedRecord): void;
  readonly followed: number;
  running(worker: string | null): RunningTask[];
  /** A task that ran when the audit last stopped. */
  restore(task: RunningTask): unknown;
  /** Begins again at `seq`, knowing nothing. */
  reset(seq: number): void;
}

export function createJournalMemory(): JournalMemory {
  const tasks = new Map<string, RunningTask>();
  let at = 0;
  return {
    follow({ id, queue, seq, record }) {
      if (seq <= at) return;
      at = seq;
      if (record === null) return;
      if (record.s === "running") tasks.set(id, { id, queue, worker: record.w ?? "", seq, record });
      else tasks.delete(id);
    },
    get followed() {
      return at;
    },
    running: (worker) =>
      [...tasks.values()].filter((task) => worker === null || task.worker === worker),
    restore: (task) => tasks.set(task.id, task),
    reset(seq) {
      tasks.clear();
      at = seq;
    },
  };
}

/** The record that a running task must have had, when the journal cannot show it: the row has all but its message. */
export function recordFromRow(task: StoredRunning): RunningTask["record"] {
  const startedAt = task.startedAt ?? 0;
  return {
    s: "running",
    g: task.generation,
    a: task.attempts,
    l: task.level,
    t: startedAt,
    st: startedAt,
    m: 0,
    ...(task.worker === null ? {} : { w: task.worker }),
  };
}
