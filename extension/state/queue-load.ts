import type { Client } from "../../shared/bus/client.ts";
import type { QueueView, StatusView, TaskSummary } from "../../shared/control.ts";
import { type Bucket, bucketOf } from "../../shared/priority.ts";
import type { TaskStatus } from "../../shared/task.ts";
import { HOUR, MINUTE } from "../../shared/time.ts";
import type { Loaded } from "./live-model.ts";
import {
  BUCKETS,
  type BucketModel,
  type LaneModel,
  type QueueLimits,
  type QueueModel,
} from "./queue-model.ts";

const DELAYED: readonly TaskStatus[] = ["retrying", "scheduled"];

/** Asks for the Queues view; it keeps in mind which changes of priority it knows already. */
export type QueueLoader = (client: Client, limits: QueueLimits) => Promise<Loaded<QueueModel>>;

export function createQueueLoader(now: () => number = Date.now): QueueLoader {
  const movedOf = createMoves(now);
  /** Asks for the counts, and for no more tasks than are shown. */
  return async (client, limits) => {
    const [status, moved] = await Promise.all([client.status(), movedOf(client)]);
    const parts = await Promise.all(
      BUCKETS.map((bucket) => loadParts(client, bucket, status, limits.tasksPerBucket)),
    );
    const waiting = countWaiting(parts, status);
    const buckets = parts.map((part, at) =>
      toBucket(part, waiting[at]!, limits.tasksPerBucket, status),
    );
    const lanes = status.queues.flatMap((queue) => laneInTrouble(queue, limits) ?? []);
    return {
      value: { buckets, lanes, counts: status.counts, moved },
      isBehind: status.audit.lagRecords > 0,
    };
  };
}

interface Part {
  readonly tasks: readonly TaskSummary[];
  readonly isAll: boolean;
}
const NOTHING: Part = { tasks: [], isAll: true };

interface BucketParts {
  readonly bucket: Bucket;
  readonly running: Part;
  readonly waiting: Part;
  readonly delayed: Part;
}

async function loadParts(
  client: Client,
  bucket: Bucket,
  { queues, counts }: StatusView,
  limit: number,
): Promise<BucketParts> {
  const some = async (status: readonly TaskStatus[]): Promise<Part> => {
    if (status.every((one) => counts[one] === 0)) return NOTHING;
    const where = { status: [...status], bucket };
    const page = await client.list({ where, limit, order: "oldest" });
    return { tasks: page.tasks, isAll: page.next === null };
  };
  const levels = counts.waiting === 0 ? [] : levelsInUse(queues, bucket);
  const [running, waiting, delayed] = await Promise.all([
    some(["running"]),
    firstWaiting(client, levels, limit),
    some(DELAYED),
  ]);
  return { bucket, running, waiting, delayed };
}

/**
 * The levels of a bucket with anything on the broker, the highest first. A worker that took a task ahead makes the broker
 * count it as taken while it still waits, so those with taken ones count too.
 */
function levelsInUse(queues: readonly QueueView[], bucket: Bucket): readonly number[] {
  const levels = queues
    .flatMap((queue) => queue.levels)
    .filter(({ waiting, running }) => waiting + running > 0)
    .map(({ level }) => level)
    .filter((level) => bucketOf(level) === bucket);
  return [...new Set(levels)].sort((a, b) => b - a);
}

function brokerCount(
  queues: readonly QueueView[],
  of: Bucket,
  what: "waiting" | "running",
): number {
  return queues
    .flatMap((queue) => queue.levels)
    .filter(({ level }) => bucketOf(level) === of)
    .reduce((sum, level) => sum + level[what], 0);
}

/** Level by level: only so the audit's index finds the first tasks of a long backlog without reading all of it. */
async function firstWaiting(
  client: Client,
  levels: readonly number[],
  limit: number,
): Promise<Part> {
  const tasks: TaskSummary[] = [];
  for (const level of levels) {
    const where = { status: ["waiting" as const], level };
    const page = await client.list({ where, limit: limit - tasks.length, order: "oldest" });
    tasks.push(...page.tasks);
    if (page.next !== null) return { tasks, isAll: false };
    if (tasks.length >= limit) return { tasks, isAll: level === levels.at(-1) };
  }
  return { tasks, isAll: true };
}

/**
 * How many wait in each bucket. What was listed to the end is counted from the list, so that numbers and rows agree; a lone
 * long bucket has what the others leave of the total. Only between several long ones the broker's counts decide.
 */
function countWaiting(
  parts: readonly BucketParts[],
  { queues, counts }: StatusView,
): readonly number[] {
  const listed = parts.map(({ waiting }) => waiting.tasks.length);
  const long = parts.filter(({ waiting }) => !waiting.isAll).length;
  const others = parts.reduce((sum, { waiting }, at) => sum + (waiting.isAll ? listed[at]! : 0), 0);
  return parts.map(({ bucket, waiting }, at) => {
    if (waiting.isAll) return listed[at]!;
    const count = long === 1 ? counts.waiting - others : brokerCount(queues, bucket, "waiting");
    return Math.max(count, listed[at]!);
  });
}

function toBucket(
  { bucket, running, waiting, delayed }: BucketParts,
  waitingCount: number,
  limit: number,
  { queues }: StatusView,
): BucketModel {
  const all = [
    ...running.tasks,
    ...waiting.tasks,
    ...[...delayed.tasks].sort((a, b) => (a.dueAt ?? "").localeCompare(b.dueAt ?? "")),
  ];
  const tasks = all.slice(0, limit).map((task) => ({ ...task, progress: null }));
  const sums = {
    waiting: waitingCount,
    running: running.isAll
      ? running.tasks.length
      : Math.max(brokerCount(queues, bucket, "running"), running.tasks.length),
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

const MOST_MOVES = 2000;

/** The level before the last change of each task, of the last day: all at first, then what came since. */
function createMoves(now: () => number): (client: Client) => Promise<ReadonlyMap<string, number>> {
  let known: ReadonlyMap<string, number> = new Map();
  let of: Client | null = null;
  let askedAt = 0;
  return async (client) => {
    const isFirst = of !== client;
    const startedAt = now();
    // A minute more than needed: the daemon's clock may be another one.
    const hours = isFirst ? 24 : Math.min(24, (startedAt - askedAt + MINUTE) / HOUR);
    const fresh = await movedWithin(client, hours);
    known = isFirst ? fresh : new Map([...[...known].slice(-MOST_MOVES), ...fresh]);
    of = client;
    askedAt = startedAt;
    return known;
  };
}

async function movedWithin(client: Client, hours: number): Promise<ReadonlyMap<string, number>> {
  const { columns, rows } = await client.request("audit_query", { query: "priority", hours });
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
