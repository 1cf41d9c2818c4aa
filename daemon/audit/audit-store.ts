import type {
  AuditEventView,
  PriorityChange,
  RunView,
  TaskFilter,
  TaskSummary,
  UserView,
} from "../../shared/control.ts";
import type { PriorityAction } from "../../shared/priority.ts";
import type { Role } from "../../shared/roles.ts";
import type { JournalRecord, RunDescriptor, TaskStatus } from "../../shared/task.ts";
import type { FlowCounts } from "./flow-counts.ts";

/** A task as the enqueue writes it before it is published. Times are epoch ms. */
export interface EnqueueRow {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly level: number;
  readonly maxAttempts: number;
  readonly status: "waiting" | "scheduled";
  readonly input: string;
  readonly by: string;
  readonly createdAt: number;
  readonly dueAt: number | null;
  readonly key: string | null;
  readonly correlationId: string | null;
  readonly traceId: string | null;
  readonly category: string | null;
  readonly phase: string | null;
  readonly run: RunDescriptor | null;
}

/** What became of one row: `duplicate` names the task that was there; `unavailable`: not on disk, the broker's word must do. */
export type EnqueueJournaled =
  | { readonly kind: "journaled" }
  | {
      readonly kind: "duplicate";
      readonly id: string;
      readonly queue: string;
      readonly level: number;
      readonly status: TaskStatus;
    }
  | { readonly kind: "conflict" }
  | { readonly kind: "unavailable"; readonly what: string };

/** A task that a worker held when the follower last saw its journal. */
export interface RunningTask {
  readonly id: string;
  readonly queue: string;
  readonly worker: string;
  /** Sequence of the running record on the state stream: what a compare-and-swap must expect. */
  readonly seq: number;
  readonly record: JournalRecord;
}

/** A row of `task_audit`, as stored. Times are epoch ms. */
export interface TaskRow {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly status: TaskStatus;
  readonly level: number;
  readonly generation: number;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly input: string | null;
  readonly result: string | null;
  readonly resultRefBytes: number | null;
  readonly error: string | null;
  readonly errorCode: string | null;
  readonly deadReason: string | null;
  readonly by: string | null;
  readonly worker: string | null;
  readonly createdAt: number;
  readonly dueAt: number | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly durationMs: number | null;
  readonly correlationId: string | null;
  readonly traceId: string | null;
  readonly category: string | null;
  readonly phase: string | null;
  readonly runId: string | null;
  /** The run descriptor as JSON, as the task's header carries it. */
  readonly runHeader: string | null;
  /** Sequence of the last journal record that the row reflects; 0 before the first. */
  readonly lastSeq: number;
}

/** What ended in a minute, which `at` begins (epoch ms). */
export interface MinuteOfEnds {
  readonly at: number;
  readonly completed: number;
  readonly dead: number;
  readonly cancelled: number;
  readonly failed: number;
}

export interface AttemptRow {
  readonly attempt: number;
  readonly generation: number;
  readonly worker: string | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly durationMs: number | null;
  readonly outcome: string;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly stack?: string;
  } | null;
}

/** Reads for the control API, on a read-only connection of the caller's own thread. They throw `audit-store-unavailable`. */
export interface AuditReader {
  task(id: string): TaskRow | null;
  attempts(id: string): AttemptRow[];
  priorityHistory(id: string): PriorityChange[];
  list(
    where: TaskFilter,
    limit: number,
    cursor: string | null,
    /** By creation; default `newest`. */
    order?: "newest" | "oldest",
  ): { tasks: TaskSummary[]; next: string | null };
  ids(where: TaskFilter, limit: number): string[];
  counts(): Record<TaskStatus, number>;
  timeline(id: string): AuditEventView[];
  query(
    name: "by-status" | "durations" | "failures" | "refusals" | "priority",
    hours: number,
  ): { columns: string[]; rows: (string | number | null)[][] };
  verify(): { ok: boolean; rows: number; firstBad: number | null; what: string | null };
  runs(limit: number): RunView[];
  run(id: string): RunView | null;
  /** Which of these tasks are terminal. */
  terminal(ids: readonly string[]): string[];
  /** Tasks that are neither terminal nor running in the store, oldest first, for the reconciler; pages by id. */
  unfinished(afterId: string, limit: number): TaskRow[];
  /** Waiting tasks of this queue and level that were enqueued before that instant. */
  countAhead(queue: string, level: number, createdAt: number): number;
  /** Tasks that ended since that instant. */
  endedSince(at: number): number;
  oldestWaiting(): { queue: string; createdAt: number }[];
  /**
   * How long tasks that started since `at` had waited, in ms; null when none did. Of many it looks at some, spread evenly
   * over that time.
   */
  waits(at: number): { p50: number; p95: number } | null;
  /** Ends and failed executions between two instants, minute by minute; minutes without any are left out. */
  endsByMinute(from: number, to: number): MinuteOfEnds[];
  users(): UserView[];
  close(): void;
}

/** The reads of an AuditReader, answered by another thread. They reject with `audit-store-unavailable`. */
export type AuditReads = {
  readonly [K in Exclude<keyof AuditReader, "close">]: (
    ...args: Parameters<AuditReader[K]>
  ) => Promise<ReturnType<AuditReader[K]>>;
};

/** A task that ended so long ago that nobody needs its records up to `lastSeq`. */
export interface EndedTask {
  readonly id: string;
  readonly queue: string;
  readonly lastSeq: number;
}

/** A batch of ended tasks in the order of their last records; no such task is left out up to sequence `upTo`. */
export interface Purgeable {
  readonly tasks: readonly EndedTask[];
  readonly upTo: number;
}

/**
 * The audit: a thread of its own that owns the database for writing, and follows the journal stream into it.
 * While the database cannot be written, `state` says so with the cause, the follower goes on in memory, and what was
 * missed is read again from the journal afterwards.
 */
export interface AuditStore {
  readonly state:
    | { readonly kind: "ok" }
    | { readonly kind: "unavailable"; readonly cause: string };
  readonly file: string;
  /** Rows of concurrent calls share one transaction (synchronous FULL). Never rejects. Outcomes in the order of the rows. */
  journalEnqueue(rows: readonly EnqueueRow[]): Promise<EnqueueJournaled[]>;
  /** Takes back rows that the broker refused, before anyone was told that they are there. */
  withdraw(ids: readonly string[]): Promise<void>;
  /** A refused request. */
  refused(entry: {
    at: number;
    user: string;
    role: Role | null;
    verb: string;
    what: string;
    target: string | null;
  }): void;
  /** A system fact worth keeping (repairs, starts, stops, user changes), with who did it. */
  note(entry: {
    at: number;
    kind: string;
    by: string;
    taskId: string | null;
    detail: Record<string, unknown>;
  }): void;
  /** A change of priority whose journal record a worker's claim overtook: a row of the priority history all the same. */
  priorityChanged(change: {
    taskId: string;
    at: number;
    by: string;
    role: Role | "system";
    from: number;
    to: number;
    action: PriorityAction;
    reason: string | null;
  }): void;
  /** Resolves when every record up to `seq` of the state stream has been followed (in memory), whatever the database does. */
  followed(seq: number): Promise<void>;
  /**
   * Resolves when every record up to `seq` is in the database, and every refusal, note and change of priority that was told
   * before this call. Rejects with `audit-store-unavailable` when it cannot be written.
   */
  written(seq: number): Promise<void>;
  /** How many records of the state stream are not in the database yet, as last reported. */
  readonly lagRecords: number;
  /** What happened since `countSince` (epoch ms, the start of the audit), counted beside the database. */
  flows(): FlowCounts;
  readonly countSince: number;
  /** Tasks that are running now, of one worker or of all. */
  running(worker?: string): Promise<RunningTask[]>;
  /** Records below this sequence belong to no living task and to none that ended less than `retentionMs` ago; 0: none. */
  purgeFloor(retentionMs: number): Promise<number>;
  /**
   * The next tasks whose records may go although older records are still needed. `done`: the `upTo` of the batch before, once
   * it is purged, so that its tasks are not named again; 0 at first. Rejects with `audit-store-unavailable`.
   */
  purgeable(retentionMs: number, done: number): Promise<Purgeable>;
  putUser(user: UserView): Promise<void>;
  removeUser(name: string): Promise<void>;
  backup(path: string): Promise<{ bytes: number }>;
  reader(): AuditReader;
  /** The same reads on a thread of their own, for what may take long on a large database (lists, queries, verify). */
  readonly offThread: AuditReads;
  /** Writes what is pending, checkpoints, closes. */
  stop(): Promise<void>;
}
