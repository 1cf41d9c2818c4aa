import type { AttemptView, AuditEventView, TaskDetail } from "../../shared/control.ts";
import type { PriorityAction } from "../../shared/priority.ts";
import type { AttemptError, DeadReason, JournalRecord, TaskStatus } from "../../shared/task.ts";

/** What happened to a task, without its words. Instants are epoch ms. */
export type Happening =
  | { readonly kind: "enqueued" }
  | { readonly kind: "scheduled"; readonly dueAt: number | null }
  | {
      readonly kind: "priority";
      readonly action: PriorityAction;
      readonly from: number | null;
      readonly to: number;
    }
  | { readonly kind: "due" }
  | { readonly kind: "retried" }
  | { readonly kind: "redriven"; readonly hasNewInput: boolean }
  | { readonly kind: "repaired" }
  | { readonly kind: "completed" }
  | { readonly kind: "cancelled" }
  | { readonly kind: "dead"; readonly reason: DeadReason | null; readonly attempts: number }
  /** A worker that had lost the task told its end. */
  | { readonly kind: "stale" }
  /** Somebody was not allowed to do something. */
  | { readonly kind: "refused"; readonly what: string }
  /** Anything else that the audit has. */
  | { readonly kind: "other"; readonly what: string };

export interface Mark {
  readonly kind: "mark";
  readonly key: string;
  readonly at: number;
  readonly what: Happening;
  readonly by: string | null;
  readonly role: string | null;
  readonly reason: string | null;
}

/** An execution. `endedAt` null: it goes on. */
export interface Execution {
  readonly kind: "attempt";
  readonly key: string;
  readonly at: number;
  readonly endedAt: number | null;
  readonly durationMs: number | null;
  readonly attempt: number;
  readonly generation: number;
  readonly worker: string | null;
  readonly outcome: string;
  readonly error: AttemptError | null;
}

/** Time in which nothing happened, and what the task was meanwhile. `toAt` null: it goes on. */
export interface Gap {
  readonly kind: "gap";
  readonly key: string;
  readonly state: "waiting" | "scheduled" | "retrying" | "ended";
  readonly fromAt: number;
  readonly toAt: number | null;
  /** Of a gap that goes on: when it ends, if that is known. */
  readonly dueAt: number | null;
}

export type TimelineItem = Mark | Execution | Gap;

/** Below this a gap says nothing. */
const LEAST_GAP_MS = 2;
/** Between the end of its wait and the next attempt: a shorter time needs no mark of its own. */
const LEAST_DUE_WAIT_MS = 1000;

type Point = (Mark | Execution) & { readonly after: TaskStatus };

/**
 * A task's life out of its audit: what happened, each execution, and the time between, oldest first. What a worker wrote
 * about an attempt stands in that attempt, not beside it. Pure.
 */
export function timelineOf(
  task: Pick<TaskDetail, "attemptHistory" | "status" | "dueAt">,
  events: readonly AuditEventView[],
): readonly TimelineItem[] {
  const marks = events.flatMap((event, index) => markOf(event, index));
  const attempts = task.attemptHistory.flatMap((attempt) => executionOf(attempt, events));
  const points = [...marks, ...attempts].sort((a, b) => a.at - b.at || rank(a) - rank(b));
  return withGaps(withoutIdleDues(points), task);
}

/** At one instant the end of an attempt comes after its beginning, and the beginning after what led to it. */
function rank(point: Point): number {
  if (point.kind === "attempt") return 1;
  const { kind } = point.what;
  return kind === "completed" || kind === "dead" || kind === "cancelled" ? 2 : 0;
}

function recordOf(event: AuditEventView): Partial<JournalRecord> {
  return event.detail as Partial<JournalRecord>;
}

/** The mark of an event; none for those that only tell of an attempt. */
function markOf(event: AuditEventView, index: number): readonly Point[] {
  const what = happeningOf(event);
  if (what === null) return [];
  const record = recordOf(event);
  const reason = event.detail["reason"] ?? record.why;
  const mark: Mark = {
    kind: "mark",
    key: `m${event.seq}.${index}`,
    at: Date.parse(event.at),
    what,
    by: event.by,
    role: event.role,
    reason: typeof reason === "string" ? reason : null,
  };
  return [{ ...mark, after: record.s ?? (event.kind === "task.enqueued" ? "waiting" : "running") }];
}

function happeningOf(event: AuditEventView): Happening | null {
  const record = recordOf(event);
  switch (event.kind) {
    case "task.enqueued":
      return { kind: "enqueued" };
    case "stale-completion":
      return { kind: "stale" };
    case "refused":
      return { kind: "refused", what: String(event.detail["what"] ?? event.detail["verb"] ?? "") };
    case "task.unreadable":
      return { kind: "other", what: event.kind };
    default:
      return event.kind.startsWith("task.") ? byAct(record) : { kind: "other", what: event.kind };
  }
}

function byAct(record: Partial<JournalRecord>): Happening | null {
  switch (record.act) {
    case "prioritize":
    case "urgent":
    case "critical":
    case "raise":
    case "lower":
    case "undo":
    case "ageing":
      return { kind: "priority", action: record.act, from: record.from ?? null, to: record.l ?? 0 };
    case "cancel":
      // A running task is only told to stop: it is cancelled when its worker says so.
      return record.s === "cancelled" ? { kind: "cancelled" } : { kind: "other", what: "cancel" };
    case "retry":
      return { kind: "retried" };
    case "redrive":
      return { kind: "redriven", hasNewInput: record.in !== undefined };
    case "repair":
      return { kind: "repaired" };
    case "due":
      return { kind: "due" };
    case "discard":
    case "lost":
    case "handback":
    case undefined:
      return byStatus(record);
    default:
      return { kind: "other", what: String(record.act) };
  }
}

function byStatus(record: Partial<JournalRecord>): Happening | null {
  switch (record.s) {
    case "scheduled":
      return { kind: "scheduled", dueAt: record.due ?? null };
    case "completed":
      return { kind: "completed" };
    case "cancelled":
      return { kind: "cancelled" };
    case "dead":
      return { kind: "dead", reason: record.dead ?? null, attempts: record.a ?? 0 };
    case "running":
    case "retrying":
    case "waiting":
    case undefined:
      // Waiting after an attempt: the attempt tells it.
      return null;
    default:
      return { kind: "other", what: String(record.s) };
  }
}

/** What the task was after an attempt ended: the audit's record of that end says it. */
function statusAfter(attempt: AttemptView, events: readonly AuditEventView[]): TaskStatus {
  if (attempt.endedAt === null) return "running";
  const end = Date.parse(attempt.endedAt);
  const told = events.find(
    (event) => Date.parse(event.at) === end && recordOf(event).s !== undefined,
  );
  const status = told === undefined ? undefined : recordOf(told).s;
  if (status !== undefined && status !== "running") return status;
  return attempt.outcome === "completed" ? "completed" : "waiting";
}

function executionOf(attempt: AttemptView, events: readonly AuditEventView[]): readonly Point[] {
  const start = attempt.startedAt ?? attempt.endedAt;
  if (start === null) return [];
  return [
    {
      kind: "attempt",
      key: `a${attempt.generation}.${attempt.attempt}`,
      at: Date.parse(start),
      endedAt: attempt.endedAt === null ? null : Date.parse(attempt.endedAt),
      durationMs: attempt.durationMs,
      attempt: attempt.attempt,
      generation: attempt.generation,
      worker: attempt.worker,
      outcome: attempt.outcome,
      error: attempt.error,
      after: statusAfter(attempt, events),
    },
  ];
}

function withoutIdleDues(points: readonly Point[]): readonly Point[] {
  return points.filter((point, index) => {
    if (point.kind !== "mark" || point.what.kind !== "due") return true;
    const next = points[index + 1];
    return next === undefined || next.at - point.at >= LEAST_DUE_WAIT_MS;
  });
}

function withGaps(
  points: readonly Point[],
  task: Pick<TaskDetail, "status" | "dueAt">,
): readonly TimelineItem[] {
  const items: TimelineItem[] = [];
  let reachedAt: number | null = null;
  let status: TaskStatus = "waiting";
  const gap = (toAt: number | null): void => {
    if (reachedAt === null || status === "running") return;
    if (toAt !== null && toAt - reachedAt < LEAST_GAP_MS) return;
    const dueAt = toAt === null && task.dueAt !== null ? Date.parse(task.dueAt) : null;
    const key = `g${items.length}`;
    items.push({ kind: "gap", key, state: gapState(status), fromAt: reachedAt, toAt, dueAt });
  };
  for (const point of points) {
    gap(point.at);
    const { after, ...item } = point;
    items.push(item as TimelineItem);
    const end = item.kind === "attempt" ? (item.endedAt ?? item.at) : item.at;
    reachedAt = Math.max(reachedAt ?? end, end);
    status = changesStatus(item as Mark | Execution) ? after : status;
  }
  const isOpen =
    task.status === "waiting" || task.status === "scheduled" || task.status === "retrying";
  if (isOpen) {
    status = task.status;
    gap(null);
  }
  return items;
}

/** Words about a task change nothing of it. */
function changesStatus(item: Mark | Execution): boolean {
  if (item.kind === "attempt") return true;
  return item.what.kind !== "refused" && item.what.kind !== "stale" && item.what.kind !== "other";
}

function gapState(status: TaskStatus): Gap["state"] {
  if (status === "scheduled" || status === "retrying") return status;
  return status === "waiting" || status === "running" ? "waiting" : "ended";
}

/** The level of a task over time, for a line of steps: the first entry is the level at the beginning. */
export interface LevelStep {
  readonly at: number;
  readonly level: number;
}

export function levelSteps(
  task: Pick<TaskDetail, "priority" | "priorityHistory" | "createdAt" | "endedAt">,
  now: number,
): readonly LevelStep[] {
  const first = task.priorityHistory[0]?.from ?? task.priority;
  const steps = task.priorityHistory.map(({ at, to }) => ({ at: Date.parse(at), level: to }));
  const end = task.endedAt === null ? now : Date.parse(task.endedAt);
  const last = steps.at(-1)?.level ?? first;
  const from = Date.parse(task.createdAt);
  const to = Math.max(end, from, ...steps.map(({ at }) => at));
  return [{ at: from, level: first }, ...steps, { at: to, level: last }];
}
