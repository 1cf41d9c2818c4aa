import { setTimeout as sleep } from "node:timers/promises";
import type { WorkerStart } from "./bench-worker.ts";
import { nowUs } from "./job.ts";
import { memoryOf, spreadMs, withCpu } from "./measure.ts";
import type { Queue, System, SystemName } from "./system.ts";
import { until } from "./wait.ts";
import { spawnWorker, type WorkerProcess } from "./worker-process.ts";

/** How much of everything; a backlog is what waits while something else is measured. */
export interface Sizes {
  readonly tasks: number;
  readonly oneByOne: number;
  readonly latency: number;
  readonly backlog: number;
  readonly criticals: number;
  readonly escalations: number;
  readonly waiting: readonly [number, number, number];
  readonly crash: number;
}

/** Numbers by name; null: this system cannot tell. */
export type Metrics = Record<string, number | null>;

export interface Workload {
  readonly name: SystemName;
  readonly system: System;
  readonly sizes: Sizes;
  /** A directory that goes with the case. */
  readonly dir: string;
}

/** What a workload found; `accepted` tasks must all be known to the audit, and have completed if `drained`. */
export interface Outcome {
  readonly metrics: Metrics;
  readonly accepted: number;
  readonly drained: boolean;
}

const SETTLE_MS = 1500;
/** Node processes of ours give memory back when they have been idle for some seconds. */
const IDLE_MS = 6000;
const WARM_UP_ONE_BY_ONE = 50;

const perSecond = (n: number, us: number): number => (n / us) * 1e6;

/** Time of `work` in microseconds. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = nowUs();
  await work();
  return nowUs() - began;
}

async function drained(queue: Queue): Promise<void> {
  await until(async () => (await queue.outstanding()) === 0);
}

function workerOf(
  { name, system }: Workload,
  spec: Partial<WorkerStart> & { readonly queue: string },
): Promise<WorkerProcess> {
  return spawnWorker({
    system: name,
    conn: system.conn,
    aim: "latency",
    levels: ["normal"],
    handlerMs: 0,
    sampleFrom: 0,
    traceFile: null,
    ...spec,
  });
}

/** Enqueue in three ways, drain of what they left, and both at once; handlers that do nothing. */
export async function throughput(load: Workload): Promise<Outcome> {
  const { system, sizes } = load;
  const queue = await system.open("bench");
  const metrics: Metrics = {};
  const client = { ...system.pids, client: process.pid };
  const warmUp = sizes.tasks / 4 + WARM_UP_ONE_BY_ONE;
  await queue.enqueue(warmUp - WARM_UP_ONE_BY_ONE, { mode: "bulk" });
  await queue.enqueue(WARM_UP_ONE_BY_ONE, { mode: "seq" });
  const each = await timed(() => queue.enqueue(sizes.oneByOne, { mode: "seq" }));
  metrics["enqueue.one"] = perSecond(sizes.oneByOne, each);
  for (const mode of ["single", "bulk"] as const) {
    const enqueue = (): Promise<number> => timed(() => queue.enqueue(sizes.tasks, { mode }));
    let us = 0;
    const cpu = await withCpu(`enqueue.${mode}`, client, sizes.tasks, async () => {
      us = await enqueue();
    });
    Object.assign(metrics, cpu);
    metrics[`enqueue.${mode}`] = perSecond(sizes.tasks, us);
  }
  const backlog = warmUp + sizes.oneByOne + 2 * sizes.tasks;
  await sleep(SETTLE_MS);
  const worker = await workerOf(load, { queue: "bench", aim: "throughput" });
  const cpu = await withCpu("drain", { ...system.pids, worker: worker.pid }, backlog, async () => {
    const us = await timed(async () => {
      await worker.go();
      await worker.reached(backlog);
      await drained(queue);
    });
    metrics["drain"] = perSecond(backlog, us);
  });
  Object.assign(metrics, cpu);
  let accepted = backlog;
  for (const mode of ["bulk", "single"] as const) {
    const us = await timed(async () => {
      await queue.enqueue(sizes.tasks, { mode, first: accepted });
      accepted += sizes.tasks;
      await worker.reached(accepted);
      await drained(queue);
    });
    metrics[`whole.${mode}`] = perSecond(sizes.tasks, us);
  }
  await worker.stop();
  await queue.close();
  return { metrics, accepted, drained: true };
}

const GAP_MS = 20;
const LATENCY_WARM_UP = 50;

/** An idle system and a task each 20 ms: from the call of enqueue to the first line of the handler. */
export async function latency(load: Workload): Promise<Outcome> {
  const { system, sizes } = load;
  const queue = await system.open("bench");
  const worker = await workerOf(load, { queue: "bench", sampleFrom: 1 });
  await worker.go();
  await sleep(SETTLE_MS);
  const all = LATENCY_WARM_UP + sizes.latency;
  const calls: number[] = [];
  const began = nowUs();
  for (let i = 0; i < all; i++) {
    const earlyMs = (began - nowUs()) / 1000 + i * GAP_MS;
    if (earlyMs > 0) await sleep(earlyMs);
    const warm = i >= LATENCY_WARM_UP;
    const us = await timed(() => queue.enqueueOne(i, { p: warm ? 1 : 0 }));
    if (warm) calls.push(us);
  }
  await worker.reached(all);
  await drained(queue);
  const starts = (await worker.samples()).map(([, startUs, sentUs]) => startUs - sentUs);
  await worker.stop();
  await queue.close();
  return {
    metrics: { ...spreadMs("start", starts), ...spreadMs("call", calls) },
    accepted: all,
    drained: true,
  };
}

const LEVELS = ["top", "normal", "low"] as const;

/** Memory idle, right after a load, and with the backlog; then Critical tasks at random moments while the worker eats the backlog. */
export async function priority(load: Workload): Promise<Outcome> {
  const { system, sizes } = load;
  const queue = await system.open("bench");
  const spec = { queue: "bench", levels: LEVELS, handlerMs: 5, sampleFrom: 3 };
  const metrics: Metrics = {};
  const idle = await workerOf(load, spec);
  await idle.go();
  await sleep(IDLE_MS);
  Object.assign(metrics, memory("idle", { ...system.pids, worker: idle.pid }));
  await idle.stop();
  await queue.enqueue(sizes.backlog, { level: "low", mode: "bulk" });
  Object.assign(metrics, memory("filled", system.pids));
  await sleep(IDLE_MS);
  Object.assign(metrics, memory("waiting", system.pids));
  const worker = await workerOf(load, spec);
  await worker.go();
  await sleep(2 * SETTLE_MS);
  Object.assign(metrics, memory("waiting", { worker: worker.pid }));
  const before = worker.count();
  const us = await timed(() => sendCriticals(queue, sizes.criticals, () => exponential(70)));
  metrics["background"] = perSecond(worker.count() - before - sizes.criticals, us);
  metrics["left"] = await queue.outstanding();
  Object.assign(metrics, spreadMs("critical", await startsOf(worker, sizes.criticals)));
  await worker.kill();
  await queue.close();
  return { metrics, accepted: sizes.backlog + sizes.criticals, drained: false };
}

/** Every ordinary slot is busy with tasks of 100 ms: the express slot is for Critical ones. */
export async function express(load: Workload): Promise<Outcome> {
  const { system, sizes } = load;
  const queue = await system.open("bench");
  // Ten slots end at most 100 tasks a second, the Critical ones come every 150 ms: twice of what will be eaten.
  const backlog = sizes.criticals * 30 + 500;
  await queue.enqueue(backlog, { level: "normal", mode: "bulk" });
  const worker = await workerOf(load, {
    queue: "bench",
    levels: LEVELS,
    handlerMs: 100,
    sampleFrom: 3,
  });
  await worker.go();
  await until(() => worker.count() >= 20);
  await sendCriticals(queue, sizes.criticals, () => 100 + Math.random() * 100);
  const metrics = spreadMs("critical", await startsOf(worker, sizes.criticals));
  await worker.kill();
  await queue.close();
  return { metrics, accepted: backlog + sizes.criticals, drained: false };
}

function memory(when: string, pids: Readonly<Record<string, number>>): Metrics {
  const metrics: Metrics = {};
  for (const [role, pid] of Object.entries(pids)) {
    const found = memoryOf(pid);
    metrics[`memory.${when}.${role}.rss`] = found?.rss ?? null;
    metrics[`memory.${when}.${role}.pss`] = found?.pss ?? null;
  }
  return metrics;
}

const CRITICALS_FROM = 1_000_000;

async function sendCriticals(queue: Queue, n: number, gapMs: () => number): Promise<void> {
  for (let i = 0; i < n; i++) {
    await sleep(gapMs());
    await queue.enqueueOne(CRITICALS_FROM + i, { level: "top", p: 3 });
  }
}

async function startsOf(worker: WorkerProcess, n: number): Promise<number[]> {
  const starts: number[] = [];
  await until(async () => {
    for (const [, startUs, sentUs] of await worker.samples()) starts.push(startUs - sentUs);
    return starts.length >= n;
  });
  return starts;
}

function exponential(meanMs: number): number {
  return -Math.log(1 - Math.random()) * meanMs;
}

/** Changes of level while few, many and very many tasks wait: of the newest to Critical, and of any to any level. */
export async function escalation(load: Workload): Promise<Outcome> {
  const { system, sizes } = load;
  const queue = await system.open("bench");
  const metrics: Metrics = {};
  const waiting: { id: string; level: number }[] = [];
  for (const [step, upTo] of sizes.waiting.entries()) {
    const levels = Array.from({ length: upTo - waiting.length }, () => anyOf(10));
    const us = await timed(async () => {
      const ids = await queue.fill(levels);
      for (const [at, id] of ids.entries()) waiting.push({ id, level: levels[at] ?? 0 });
    });
    metrics[`fill.${step}`] = perSecond(levels.length, us);
    await sleep(SETTLE_MS);
    const newest = waiting.slice(-2 * sizes.escalations, -sizes.escalations);
    const up: number[] = [];
    for (const task of newest) up.push(await move(queue, task, 10));
    const anywhere: number[] = [];
    for (let i = 0; i < sizes.escalations; i++) {
      const task = waiting[anyOf(waiting.length)]!;
      anywhere.push(await move(queue, task, (task.level + 1 + anyOf(10)) % 11));
    }
    Object.assign(metrics, spreadMs(`newest.${step}`, up), spreadMs(`any.${step}`, anywhere));
  }
  await queue.close();
  return { metrics, accepted: waiting.length, drained: false };
}

/** A level out of 0 … n − 1, or a position. */
function anyOf(n: number): number {
  return Math.floor(Math.random() * n);
}

async function move(
  queue: Queue,
  task: { id: string; level: number },
  level: number,
): Promise<number> {
  const us = await timed(async () => {
    task.id = await queue.move(task.id, level);
  });
  task.level = level;
  return us;
}
