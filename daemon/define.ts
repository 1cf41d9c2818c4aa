import type * as z from "zod";
import type { Category, Phase } from "../shared/priority.ts";
import type { RetryPolicy, RunDescriptor } from "../shared/task.ts";

/** What a handler may use. Everything here is safe to call until the handler ends. */
export interface TaskContext {
  readonly taskId: string;
  readonly name: string;
  readonly queue: string;
  readonly level: number;
  readonly generation: number;
  /** 1 for the first execution. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** The same for every execution of this task: give it to systems that can drop repeats. */
  readonly idempotencyKey: string;
  readonly correlationId: string;
  readonly traceId: string;
  readonly run: RunDescriptor | null;
  /** Aborts on timeout, cancel, a lost lease and shutdown; its reason is an AppError that says which. */
  readonly signal: AbortSignal;
  /** Tells how far the work is. Throttled; the last one is always sent. */
  progress(p: { done: number; total?: number | null; what?: string }): void;
  readonly log: TaskLog;
  /** A domain event that leaves exactly when this task completes, and only then. */
  publish(subject: string, data: unknown): void;
  /** Enqueues a follow-up task. Calling it again from a repeated execution gives the same task. */
  enqueue(
    name: string,
    input: unknown,
    options?: FollowUpOptions,
  ): Promise<{ id: string; deduplicated: boolean }>;
}

export interface TaskLog {
  info(event: string, data?: Readonly<Record<string, unknown>>): void;
  warn(event: string, data?: Readonly<Record<string, unknown>>): void;
  error(event: string, data?: Readonly<Record<string, unknown>>): void;
}

export interface FollowUpOptions {
  readonly priority?: number;
  readonly delayMs?: number;
  readonly id?: string;
}

export type TaskHandler<I, O> = (input: I, context: TaskContext) => O | Promise<O>;

export interface TaskOptions<In extends z.ZodType, Out extends z.ZodType> {
  /** Dot-separated, lower case: `etl.load.warehouse`. Its first part is the queue unless `queue` names one. */
  readonly name: string;
  readonly input: In;
  readonly output?: Out;
  readonly queue?: string;
  /** Default: 3 retries, 60 s doubling to 15 min, ±10 %. `retries: 3` means four attempts. */
  readonly retry?: Partial<RetryPolicy>;
  /** Milliseconds for one attempt; absent: none. */
  readonly timeoutMs?: number;
  /** Default level, 5 when absent. It does not widen what a caller's role may set. */
  readonly priority?: number;
  readonly category?: Category;
  readonly phase?: Phase;
}

/** A task that workers can run. `Input` is what callers write, `Result` what they get back. */
export interface TaskDefinition<Input = unknown, Result = unknown> {
  readonly kind: "task";
  readonly name: string;
  readonly queue: string;
  readonly input: z.ZodType<unknown, Input>;
  readonly output: z.ZodType<Result> | null;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number | null;
  readonly priority: number;
  readonly category: Category | null;
  readonly phase: Phase | null;
  /** Runs with the parsed input. */
  run(input: unknown, context: TaskContext): unknown;
}

/** Middleware around every execution in a worker. A `before` that throws fails the attempt like the handler would. */
export interface TaskHooks {
  before?(context: TaskContext, input: unknown): void | Promise<void>;
  after?(context: TaskContext, result: unknown): void | Promise<void>;
  error?(context: TaskContext, error: unknown): void | Promise<void>;
}

/** What `msgsys.config.ts` exports by default. */
export interface WorkspaceConfig {
  readonly tasks: readonly TaskDefinition<never, unknown>[];
  readonly hooks: readonly TaskHooks[];
}
