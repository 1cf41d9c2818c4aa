import type { FollowEvent } from "../../shared/bus/follow.ts";
import type { StatusView, TaskSummary } from "../../shared/control.ts";
import { type Bucket, bucketOf } from "../../shared/priority.ts";
import { isTerminal, type JournalRecord, type TaskStatus } from "../../shared/task.ts";

/** What the Queues view shows: counts of all, and the first tasks of each bucket. */
export interface QueueModel {
  readonly buckets: readonly BucketModel[];
  /** Queues that need a person: nobody serves them, or their oldest task is late. Empty when all is well. */
  readonly lanes: readonly LaneModel[];
  readonly counts: StatusView["counts"];
  /** Tasks whose level somebody changed in the last day, with the level before the last change: it can be undone. */
  readonly moved: ReadonlyMap<string, number>;
}

export interface BucketModel {
  readonly bucket: Bucket;
  readonly waiting: number;
  readonly running: number;
  /** Running first, then those that wait in the order in which they start, then those that wait for their time. */
  readonly tasks: readonly TaskModel[];
  /** There are more than those shown; how many is known of the waiting and running ones alone. */
  readonly more: { readonly known: number; readonly others: boolean } | null;
}

export interface TaskModel extends TaskSummary {
  readonly progress: { readonly done: number; readonly total: number | null } | null;
}

export interface LaneModel {
  readonly queue: string;
  readonly waiting: number;
  readonly oldestWaitMs: number | null;
  readonly trouble: "unserved" | "late" | "backlog";
}

export interface QueueLimits {
  readonly tasksPerBucket: number;
  readonly oldestWaitMs: number;
  readonly backlog: number;
}

export const BUCKETS = ["high", "normal", "low"] as const satisfies readonly Bucket[];
/** How far running tasks are: no answer tells it. */
export function carryTaskProgress(before: QueueModel, loaded: QueueModel): QueueModel {
  const known = new Map(
    before.buckets.flatMap(({ tasks }) =>
      tasks.flatMap((task) => (task.progress === null ? [] : [[task.id, task] as const])),
    ),
  );
  if (known.size === 0) return loaded;
  const carry = (task: TaskModel): TaskModel => {
    const old = known.get(task.id);
    const isSame = old?.attempts === task.attempts && task.status === "running";
    return isSame ? { ...task, progress: old.progress } : task;
  };
  const buckets = loaded.buckets.map((one) => ({ ...one, tasks: one.tasks.map(carry) }));
  return { ...loaded, buckets };
}

/** Whether counts or the order of tasks change. Progress changes one row, which the event tells whole. */
export function concernsQueues(event: FollowEvent): boolean {
  return event.kind === "task" || (event.kind === "system" && event.event === "enqueued");
}

/** Brings the rows that are shown up to an event: a task that ended goes, one whose bucket changed moves. */
export function reduceQueues(model: QueueModel, event: FollowEvent): QueueModel {
  if (event.kind === "system") return withProgress(model, event);
  if (event.kind !== "task") return model;
  const { taskId, record } = event;
  const moved = withMove(model.moved, taskId, record);
  const home = model.buckets.find(({ tasks }) => tasks.some(({ id }) => id === taskId));
  const task = home?.tasks.find(({ id }) => id === taskId);
  if (home === undefined || task === undefined || isOlder(record, task))
    return moved === model.moved ? model : { ...model, moved };
  const next = isTerminal(record.s) ? null : afterRecord(task, record);
  const buckets = model.buckets.map((bucket) => {
    if (bucket !== home && bucket.bucket !== next?.bucket) return bucket;
    return moveRow(bucket, task, next);
  });
  return { ...model, buckets, moved };
}

function withMove(
  moved: QueueModel["moved"],
  taskId: string,
  { act, from }: JournalRecord,
): QueueModel["moved"] {
  const isMove =
    from !== undefined && act !== undefined && act !== "undo" && act !== "cancel" && act !== "due";
  return isMove && moved.get(taskId) !== from ? new Map([...moved, [taskId, from]]) : moved;
}

const RANK: Readonly<Record<TaskStatus, number>> = {
  scheduled: 0,
  waiting: 0,
  running: 1,
  retrying: 2,
  completed: 3,
  cancelled: 3,
  dead: 3,
};

/** Facts may come after an answer that knew them already. */
function isOlder(record: JournalRecord, task: TaskSummary): boolean {
  if (record.g !== task.generation) return record.g < task.generation;
  return RANK[record.s] < RANK[task.status];
}

function afterRecord<T extends TaskSummary>(task: T, record: JournalRecord): T {
  const iso = (ms: number | undefined): string | null =>
    ms === undefined ? null : new Date(ms).toISOString();
  return {
    ...task,
    status: record.s,
    priority: record.l,
    bucket: bucketOf(record.l),
    generation: record.g,
    attempts: record.a,
    startedAt: record.s === "running" ? iso(record.st ?? record.t) : task.startedAt,
    endedAt: isTerminal(record.s) ? iso(record.t) : null,
    dueAt: record.s === "retrying" || record.s === "scheduled" ? iso(record.due) : task.dueAt,
    error: record.e?.message ?? task.error,
    ...("progress" in task && record.s !== "running" ? { progress: null } : {}),
  };
}

/** The bucket without `old`, and with `next` where that belongs here. */
function moveRow(bucket: BucketModel, old: TaskModel, next: TaskModel | null): BucketModel {
  const wasHere = bucket.tasks.some(({ id }) => id === old.id);
  const staysHere = next !== null && next.bucket === bucket.bucket;
  const change = (status: TaskStatus): number =>
    (staysHere && next.status === status ? 1 : 0) - (wasHere && old.status === status ? 1 : 0);
  const rest = bucket.tasks.filter(({ id }) => id !== old.id);
  const tasks = staysHere
    ? [...rest, next].sort((a, b) => place(a) - place(b) || b.priority - a.priority)
    : rest;
  return {
    ...bucket,
    waiting: Math.max(0, bucket.waiting + change("waiting")),
    running: Math.max(0, bucket.running + change("running")),
    tasks,
  };
}

function place({ status }: TaskModel): number {
  if (status === "running") return 0;
  return status === "waiting" ? 1 : 2;
}

/** How far a task is, from the system fact `task.progress.<id>`; null: another fact. */
export function progressOf(
  event: FollowEvent,
): { readonly taskId: string; readonly done: number; readonly total: number | null } | null {
  if (event.kind !== "system" || !event.event.startsWith("task.progress.")) return null;
  if (typeof event.data !== "object" || event.data === null) return null;
  const { taskId, done, total } = event.data as Record<string, unknown>;
  if (typeof taskId !== "string" || typeof done !== "number") return null;
  return { taskId, done, total: typeof total === "number" ? total : null };
}

function withProgress(model: QueueModel, event: FollowEvent): QueueModel {
  const progress = progressOf(event);
  if (progress === null) return model;
  const { taskId, done, total } = progress;
  const isIt = ({ id, status }: TaskModel): boolean => id === taskId && status === "running";
  const home = model.buckets.find(({ tasks }) => tasks.some(isIt));
  if (home === undefined) return model;
  const tasks = home.tasks.map((task) =>
    isIt(task) ? { ...task, progress: { done, total } } : task,
  );
  const buckets = model.buckets.map((one) => (one === home ? { ...home, tasks } : one));
  return { ...model, buckets };
}
