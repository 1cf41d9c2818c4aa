import type { Client } from "../../shared/bus/client.ts";
import type { FollowEvent } from "../../shared/bus/follow.ts";
import type { QueueView, StatusView, TaskSummary } from "../../shared/control.ts";
import { type Bucket, bucketOf } from "../../shared/priority.ts";
import { isTerminal, type JournalRecord, type TaskStatus } from "../../shared/task.ts";
import type { Loaded } from "./live-model.ts";

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
const DELAYED: readonly TaskStatus[] = ["retrying", "scheduled"];

/** Asks for the counts, and for no more tasks than are shown. */
export async function loadQueues(client: Client, limits: QueueLimits): Promise<Loaded<QueueModel>> {
  const [status, moved] = await Promise.all([client.status(), movedLately(client)]);
  const buckets = await Promise.all(
    BUCKETS.map((bucket) => loadBucket(client, bucket, status, limits.tasksPerBucket)),
  );
  const lanes = status.queues.flatMap((queue) => laneInTrouble(queue, limits) ?? []);
  return {
    value: { buckets, lanes, counts: status.counts, moved },
    isBehind: status.audit.lagRecords > 0,
  };
}

interface Part {
  readonly tasks: readonly TaskSummary[];
  readonly isAll: boolean;
}
const NOTHING: Part = { tasks: [], isAll: true };

async function loadBucket(
  client: Client,
  bucket: Bucket,
  { queues, counts }: StatusView,
  limit: number,
): Promise<BucketModel> {
  const some = async (status: readonly TaskStatus[]): Promise<Part> => {
    if (status.every((one) => counts[one] === 0)) return NOTHING;
    const where = { status: [...status], bucket };
    const page = await client.list({ where, limit, order: "oldest" });
    return { tasks: page.tasks, isAll: page.next === null };
  };
  const levels = waitingByLevel(queues).filter(({ level }) => bucketOf(level) === bucket);
  const [running, waiting, delayed] = await Promise.all([
    some(["running"]),
    firstWaiting(client, levels, limit),
    some(DELAYED),
  ]);
  return toBucket(bucket, { running, waiting, delayed }, levelSums(queues, bucket), limit);
}

/** Counts by the broker, levels from the highest. */
function waitingByLevel(queues: readonly QueueView[]): { level: number; waiting: number }[] {
  const sums = new Map<number, number>();
  for (const { levels } of queues)
    for (const { level, waiting } of levels) sums.set(level, (sums.get(level) ?? 0) + waiting);
  return [...sums]
    .map(([level, waiting]) => ({ level, waiting }))
    .filter(({ waiting }) => waiting > 0)
    .sort((a, b) => b.level - a.level);
}

function levelSums(
  queues: readonly QueueView[],
  bucket: Bucket,
): { waiting: number; running: number } {
  const levels = queues
    .flatMap((queue) => queue.levels)
    .filter(({ level }) => bucketOf(level) === bucket);
  return {
    waiting: levels.reduce((sum, level) => sum + level.waiting, 0),
    running: levels.reduce((sum, level) => sum + level.running, 0),
  };
}

/** Level by level: only so the audit's index finds the first tasks of a long backlog without reading all of it. */
async function firstWaiting(
  client: Client,
  levels: readonly { readonly level: number; readonly waiting: number }[],
  limit: number,
): Promise<Part> {
  const tasks: TaskSummary[] = [];
  for (const { level } of levels) {
    const where = { status: ["waiting" as const], level };
    const page = await client.list({ where, limit: limit - tasks.length, order: "oldest" });
    tasks.push(...page.tasks);
    if (page.next !== null) return { tasks, isAll: false };
    if (tasks.length >= limit) return { tasks, isAll: level === levels.at(-1)?.level };
  }
  return { tasks, isAll: true };
}

function toBucket(
  bucket: Bucket,
  parts: Readonly<Record<"running" | "waiting" | "delayed", Part>>,
  counted: { readonly waiting: number; readonly running: number },
  limit: number,
): BucketModel {
  const { running, waiting, delayed } = parts;
  const all = [
    ...running.tasks,
    ...waiting.tasks,
    ...[...delayed.tasks].sort((a, b) => (a.dueAt ?? "").localeCompare(b.dueAt ?? "")),
  ];
  const tasks = all.slice(0, limit).map((task) => ({ ...task, progress: null }));
  // What was listed to the end is counted from the list, so that numbers and rows agree.
  const count = (part: Part, broker: number): number =>
    part.isAll ? part.tasks.length : Math.max(broker, part.tasks.length);
  const sums = {
    waiting: count(waiting, counted.waiting),
    running: count(running, counted.running),
  };
  const shown = (statuses: readonly TaskStatus[]): number =>
    tasks.filter(({ status }) => statuses.includes(status)).length;
  const known = sums.waiting + sums.running - shown(["waiting", "running"]);
  const others = !delayed.isAll || shown(DELAYED) < delayed.tasks.length;
  return { bucket, ...sums, tasks, more: known > 0 || others ? { known, others } : null };
}

function laneInTrouble(
  { queue, pool, waiting, oldestWaitMs }: QueueView,
  limits: QueueLimits,
): LaneModel | null {
  if (waiting === 0) return null;
  const lane = { queue, waiting, oldestWaitMs };
  if (pool === null) return { ...lane, trouble: "unserved" };
  if (oldestWaitMs !== null && oldestWaitMs > limits.oldestWaitMs)
    return { ...lane, trouble: "late" };
  return waiting > limits.backlog ? { ...lane, trouble: "backlog" } : null;
}

/** The changes of priority of the last day; none when the daemon does not tell, for then nothing but Undo is missing. */
async function movedLately(client: Client): Promise<ReadonlyMap<string, number>> {
  const { columns, rows } = await client.request("audit_query", { query: "priority", hours: 24 });
  const at = (name: string): number => columns.indexOf(name);
  const [id, action, from] = [at("task_id"), at("action"), at("from_level")];
  const moved = new Map<string, number>();
  // Newest first: what an undo takes back is the last change that was none itself.
  for (const row of rows) {
    const task = String(row[id]);
    if (row[action] !== "undo" && !moved.has(task)) moved.set(task, Number(row[from]));
  }
  return moved;
}

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
export function isOlder(record: JournalRecord, task: TaskSummary): boolean {
  if (record.g !== task.generation) return record.g < task.generation;
  return RANK[record.s] < RANK[task.status];
}

export function afterRecord<T extends TaskSummary>(task: T, record: JournalRecord): T {
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
