/** What is measured: the product, and the broker alone beside it. */
export type SystemName = "msgsys" | "raw";
/** `safe`: every write is on disk before it is acknowledged. */
export type Variant = "default" | "safe";
export type LevelName = "top" | "normal" | "low";

/** A task's input: number, sample class, enqueue time in microseconds of the monotonic clock, filling up to 256 bytes. */
export interface Job {
  readonly i: number;
  readonly p: number;
  readonly t: number;
  readonly pad: string;
}

export interface EnqueueOptions {
  readonly first?: number;
  readonly level?: LevelName;
  /** One by one, single calls with `inflight` on their way, or the bulk call with 1,000 each. */
  readonly mode?: "seq" | "single" | "bulk";
  readonly inflight?: number;
  readonly p?: number;
}

/** The sending side of one queue. */
export interface Queue {
  enqueue(n: number, options?: EnqueueOptions): Promise<void>;
  /** The id by which `escalate` finds it again. */
  enqueueOne(i: number, options?: EnqueueOptions): Promise<string>;
  /** Tasks at the given levels (0–10), in bulk; their ids in the same order. */
  fill(levels: readonly number[]): Promise<string[]>;
  /** Changes the level of one waiting task; the id by which it is found from then on. */
  move(id: string, level: number): Promise<string>;
  /** Tasks that have not ended; the product counts what its audit has not written yet. */
  outstanding(): Promise<number>;
  close(): Promise<void>;
}

/** A running server. `conn` is JSON: it travels to the worker process. */
export interface System {
  readonly conn: unknown;
  /** Process ids by role, without the workers. */
  readonly pids: Readonly<Record<string, number>>;
  open(queue: string): Promise<Queue>;
  /** What the audit says of all tasks; null: there is none to ask. */
  check(): Promise<Check | null>;
  stop(): Promise<void>;
}

export interface Check {
  readonly known: number;
  readonly completed: number;
  readonly completedTwice: number;
}

export interface WorkSpec {
  readonly queue: string;
  /** For the raw client alone, which needs other windows for throughput; the product has one set, its defaults. */
  readonly aim: "throughput" | "latency";
  /** Levels that the raw client looks after. */
  readonly levels: readonly LevelName[];
}

/** One way to run tasks, under the same interface for both. */
export interface SystemKind {
  start(variant: Variant, dir: string): Promise<System>;
  /** Starts working in this process. */
  work(
    conn: unknown,
    spec: WorkSpec,
    handler: (job: Job) => unknown,
  ): Promise<{ stop(): Promise<void> }>;
}

/** Loads one of them alone: the code of the other would count in the memory of the process. */
export async function loadSystem(name: SystemName): Promise<SystemKind> {
  return name === "msgsys"
    ? (await import("./msgsys.ts")).msgsys
    : (await import("./raw-jetstream.ts")).raw;
}
