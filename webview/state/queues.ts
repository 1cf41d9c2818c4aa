import type {
  MetricsView,
  QueueView,
  StatusView,
  TaskSummary,
  WorkerView,
} from "../../shared/control.ts";
import type { Bucket } from "../../shared/priority.ts";
import { MINUTE } from "../../shared/time.ts";
import type { ViewLimits } from "../../shared/view/messages.ts";

/** How a queue does, in one word; the worst that holds. */
export type QueueState = "no-worker" | "stuck" | "backlogged" | "processing" | "idle";

export interface QueueRow {
  readonly queue: string;
  readonly pool: string | null;
  readonly waiting: number;
  readonly running: number;
  readonly waitingBy: Readonly<Record<Bucket, number>>;
  readonly oldestWaitMs: number | null;
  readonly workers: number;
  /** Of its workers, which may serve other queues too. */
  readonly busy: number;
  readonly slots: number;
  readonly state: QueueState;
}

export interface BucketRow {
  readonly bucket: Bucket;
  readonly waiting: number;
  readonly running: number;
}

const BUCKETS: readonly Bucket[] = ["high", "normal", "low"];

/** The queues with their workers and how each does: trouble first, then the fullest. Pure. */
export function queueRows(
  status: Pick<StatusView, "queues" | "workers">,
  limits: ViewLimits | null,
): readonly QueueRow[] {
  return status.queues
    .map((queue) => {
      const ready = status.workers.filter((worker) => serves(worker, queue));
      const row = {
        queue: queue.queue,
        pool: queue.pool,
        waiting: queue.waiting,
        running: queue.running,
        waitingBy: waitingBy(queue),
        oldestWaitMs: queue.oldestWaitMs,
        workers: ready.length,
        busy: sum(ready, ({ running }) => running),
        slots: sum(ready, ({ slots }) => slots),
      };
      return { ...row, state: stateOf(row, limits) };
    })
    .sort((a, b) => ORDER[a.state] - ORDER[b.state] || b.waiting - a.waiting || byName(a, b));
}

const ORDER: Readonly<Record<QueueState, number>> = {
  "no-worker": 0,
  stuck: 1,
  backlogged: 2,
  processing: 3,
  idle: 3,
};

function byName(a: { queue: string }, b: { queue: string }): number {
  return a.queue < b.queue ? -1 : a.queue > b.queue ? 1 : 0;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** A worker of `*` serves what no other pool names; a queue says whose it is. */
function serves(worker: WorkerView, { queue, pool }: QueueView): boolean {
  if (worker.state !== "ready") return false;
  const isRest = worker.queues.includes("*") && (pool === null || worker.pool === pool);
  return worker.queues.includes(queue) || isRest;
}

const RANGES: Readonly<Record<Bucket, (level: number) => boolean>> = {
  high: (level) => level >= 8,
  normal: (level) => level >= 4 && level < 8,
  low: (level) => level < 4,
};

function waitingBy({ levels }: QueueView): Record<Bucket, number> {
  const of = (bucket: Bucket): number =>
    sum(
      levels.filter(({ level }) => RANGES[bucket](level)),
      ({ waiting }) => waiting,
    );
  return { high: of("high"), normal: of("normal"), low: of("low") };
}

function stateOf(
  row: Omit<QueueRow, "state" | "queue" | "pool" | "waitingBy">,
  limits: ViewLimits | null,
): QueueState {
  if (row.waiting > 0 && row.workers === 0) return "no-worker";
  if (limits !== null && row.oldestWaitMs !== null && row.oldestWaitMs > limits.oldestWaitMs)
    return "stuck";
  if (limits !== null && row.waiting > limits.backlog) return "backlogged";
  return row.waiting > 0 || row.running > 0 ? "processing" : "idle";
}

/** The same by bucket, over all queues. */
export function bucketRows(queues: readonly QueueView[]): readonly BucketRow[] {
  const levels = queues.flatMap((queue) => queue.levels);
  return BUCKETS.map((bucket) => {
    const mine = levels.filter(({ level }) => RANGES[bucket](level));
    return {
      bucket,
      waiting: sum(mine, ({ waiting }) => waiting),
      running: sum(mine, ({ running }) => running),
    };
  });
}

/** Tasks that came and went in the last minutes, each minute's mean; null: nobody measured. */
export function pacePerMinute(
  metrics: MetricsView,
  minutes = 5,
): { readonly in: number; readonly out: number } | null {
  const { steps, stepMs } = metrics;
  const count = Math.max(1, Math.round((minutes * MINUTE) / stepMs));
  // The last step still grows.
  const known = steps
    .slice(0, -1)
    .slice(-count)
    .filter((step) => step !== null);
  if (known.length === 0) return null;
  const perMinute = MINUTE / (known.length * stepMs);
  return {
    in: sum(known, ({ enqueued }) => enqueued) * perMinute,
    out: sum(known, ({ completed, dead }) => completed + dead) * perMinute,
  };
}

/** Depths of each queue since this view looks, for its sparkline: the daemon measures all queues together only. */
export interface DepthSamples {
  readonly takenAt: number;
  readonly depths: Readonly<Record<string, readonly number[]>>;
}

export const NO_SAMPLES: DepthSamples = { takenAt: 0, depths: {} };
export const SAMPLE_EVERY_MS = 5000;
const MOST_SAMPLES = 60;

/** One more sample when it is time. Pure. */
export function sampleDepths(
  samples: DepthSamples,
  queues: readonly Pick<QueueView, "queue" | "waiting">[],
  at: number,
): DepthSamples {
  if (at - samples.takenAt < SAMPLE_EVERY_MS) return samples;
  const depths = Object.fromEntries(
    queues.map(({ queue, waiting }) => [
      queue,
      [...(samples.depths[queue] ?? []), waiting].slice(-MOST_SAMPLES),
    ]),
  );
  return { takenAt: at, depths };
}

/** Which page of a list is shown: the cursors of the pages up to it, the first page having none. */
export interface Paging {
  readonly cursors: readonly string[];
}

export const FIRST_PAGE: Paging = { cursors: [] };

export function nextPage({ cursors }: Paging, next: string): Paging {
  return { cursors: [...cursors, next] };
}

export function previousPage({ cursors }: Paging): Paging {
  return { cursors: cursors.slice(0, -1) };
}

/** Which tasks are chosen: some, one by one, or all that match the filter, whatever is loaded. */
export type Selection =
  | { readonly kind: "some"; readonly tasks: ReadonlyMap<string, TaskSummary> }
  | { readonly kind: "all"; readonly count: number };

export const NOTHING: Selection = { kind: "some", tasks: new Map() };

/**
 * The choice after the boxes of a page changed. Tasks of other pages stay chosen. After "all", unticking one of a page
 * leaves the page's others: what is not loaded cannot be named one by one.
 */
export function select(
  selection: Selection,
  page: readonly TaskSummary[],
  ticked: ReadonlySet<string>,
): Selection {
  const tasks = new Map(selection.kind === "some" ? selection.tasks : []);
  for (const task of page) {
    if (ticked.has(task.id)) tasks.set(task.id, task);
    else tasks.delete(task.id);
  }
  return { kind: "some", tasks };
}

export function tickedOf(selection: Selection, page: readonly TaskSummary[]): ReadonlySet<string> {
  if (selection.kind === "all") return new Set(page.map(({ id }) => id));
  return new Set(selection.tasks.keys());
}

export function countOf(selection: Selection): number {
  return selection.kind === "all" ? selection.count : selection.tasks.size;
}
