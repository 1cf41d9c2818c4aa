import { openSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { collectWhenIdle } from "../../daemon/collect-when-idle.ts";
import { nowUs } from "./job.ts";
import { type Job, loadSystem, type SystemName, type WorkSpec } from "./system.ts";

/** What the worker process is started with (its first argument, JSON). */
export interface WorkerStart extends WorkSpec {
  readonly system: SystemName;
  readonly conn: unknown;
  /** How long a task takes; those with a sample class of 3 end at once. */
  readonly handlerMs: number;
  /** Start times are kept of tasks whose sample class is at least this; 0: of none. */
  readonly sampleFrom: number;
  /** Every start and end goes to this file: it survives SIGKILL. */
  readonly traceFile: string | null;
}

/** Messages of the worker process. A sample: number, start and enqueue in microseconds. */
export type FromWorker =
  | { readonly kind: "loaded" | "working" }
  | { readonly kind: "count"; readonly n: number }
  | { readonly kind: "samples"; readonly samples: readonly Sample[] };
export type Sample = readonly [i: number, startUs: number, sentUs: number];
export type ToWorker = "go" | "samples" | "stop";

const COUNT_MS = 5;
const QUICK_CLASS = 3;

const start = JSON.parse(process.argv[2] ?? "null") as WorkerStart;
const system = await loadSystem(start.system);
const trace = start.traceFile === null ? null : openSync(start.traceFile, "a");
let ended = 0;
let told = 0;
let samples: Sample[] = [];
let working: { stop(): Promise<void> } | null = null;
const tell = (message: FromWorker): void => void process.send?.(message);

function began(job: Job): void {
  if (start.sampleFrom > 0 && job.p >= start.sampleFrom) samples.push([job.i, nowUs(), job.t]);
  if (trace !== null) writeSync(trace, `start ${job.i} ${Math.round(nowUs())}\n`);
}

function finished(job: Job): void {
  ended += 1;
  if (trace !== null) writeSync(trace, `end ${job.i} ${Math.round(nowUs())}\n`);
}

function atOnce(job: Job): void {
  began(job);
  finished(job);
}

async function slowly(job: Job): Promise<void> {
  began(job);
  if (job.p < QUICK_CLASS) await sleep(start.handlerMs);
  finished(job);
}

async function obey(order: ToWorker): Promise<void> {
  if (order === "go") {
    working = await system.work(start.conn, start, start.handlerMs > 0 ? slowly : atOnce);
    tell({ kind: "working" });
  } else if (order === "samples") {
    tell({ kind: "samples", samples });
    samples = [];
  } else {
    await working?.stop();
    process.exit(0);
  }
}

setInterval(() => {
  if (ended === told) return;
  told = ended;
  tell({ kind: "count", n: ended });
}, COUNT_MS);
process.on("message", (order: ToWorker) => void obey(order));
process.on("disconnect", () => process.exit(1));
collectWhenIdle();
tell({ kind: "loaded" });
