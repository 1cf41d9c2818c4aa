import { nuid } from "@nats-io/nuid";
import type {
  BulkOutcome,
  EnqueueItem,
  EnqueueOutcome,
  ResponseOf,
  RunView,
  StatusView,
  TaskDetail,
  TaskFilter,
  WhyView,
} from "../control.ts";
import type { AppError } from "../errors.ts";
import { type Category, DEFAULT_LEVEL, type Phase } from "../priority.ts";
import type { Names } from "../subjects.ts";
import { INPUT_LIMIT_BYTES } from "../task.ts";
import { createBatcher } from "./enqueue-batcher.ts";
import { type FollowEvent, type FollowFilter, type Following, follow } from "./follow.ts";
import { checkedJson, checkInput, inputText, type TaskRef } from "./input-text.ts";
import {
  type ActOptions,
  BULK_TIMEOUT_MS,
  createLevelled,
  type LevelledActs,
  sendLevelled,
  type Target,
  toWireTarget,
} from "./levelled.ts";
import { createReconnects } from "./reconnects.ts";
import { type ReplayOptions, replay } from "./replay.ts";
import { type Bus, createRequester, type Requester } from "./request.ts";
import { type TaskEnd, type WaitOptions, waitResult } from "./wait-result.ts";
import { type WaitRunOptions, waitRun } from "./wait-run.ts";

export type { FollowEvent, FollowFilter, Following } from "./follow.ts";
export type { TaskRef } from "./input-text.ts";
export type { ActOptions, RedriveOptions, Target } from "./levelled.ts";
export type { ReplayOptions } from "./replay.ts";
export type { Bus, RequestOptions } from "./request.ts";
export type { TaskEnd, WaitOptions } from "./wait-result.ts";
export type { RunProgress, WaitRunOptions } from "./wait-run.ts";

declare const RESULT: unique symbol;

/** The outcome of an enqueue; it remembers, for the compiler only, what the task will answer. */
export interface Enqueued<Result = unknown> extends EnqueueOutcome {
  readonly [RESULT]?: Result;
}

export interface EnqueueOptions {
  readonly priority?: number | undefined;
  readonly queue?: string | undefined;
  readonly id?: string | undefined;
  /** Same key and same input: the same task again. Same key, other input: `idempotency-conflict`. */
  readonly key?: string | undefined;
  /** Not before this instant: a Date or epoch milliseconds. */
  readonly runAt?: Date | number | undefined;
  /** Not before this many milliseconds from now. */
  readonly delayMs?: number | undefined;
  readonly category?: Category | undefined;
  readonly phase?: Phase | undefined;
  readonly correlationId?: string | undefined;
  readonly traceId?: string | undefined;
}

/** One task of `enqueueMany`. */
export interface EnqueueRequest extends EnqueueOptions {
  readonly task: string | TaskRef;
  readonly input: unknown;
}

export interface RunOptions {
  /** Absent: all phases of the pipeline. */
  readonly phases?: readonly string[] | undefined;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  readonly priority?: number | undefined;
  /** Same id: the same run again. */
  readonly runId?: string | undefined;
}

export interface ListOptions {
  readonly where?: TaskFilter | undefined;
  /** Default 50, at most 1000. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  /** By creation; default `newest`. */
  readonly order?: "newest" | "oldest" | undefined;
}

/** Everything a program may ask of the daemon. Every rejection is an AppError. */
export interface Client extends Pick<Requester, "request">, LevelledActs {
  readonly user: string;
  readonly names: Names;
  /**
   * Enqueues one task. Calls made together, or while a request is on its way, share one request; each resolves with its
   * own outcome. A typed definition has its input checked first (`input-invalid`); see also `input-not-json`,
   * `payload-too-large`.
   */
  enqueue<Input, Result>(
    task: TaskRef<Input, Result>,
    input: NoInfer<Input>,
    options?: EnqueueOptions,
  ): Promise<Enqueued<Result>>;
  enqueue(name: string, input: unknown, options?: EnqueueOptions): Promise<Enqueued>;
  /** The same with an input that is JSON text already: it is stored as it stands. */
  enqueueJson(name: string, inputJson: string, options?: EnqueueOptions): Promise<Enqueued>;
  /** Outcomes in the order of the items; one that is refused does not hold up the others. */
  enqueueMany(
    items: readonly EnqueueRequest[],
  ): Promise<(Enqueued | { readonly error: AppError })[]>;
  /** The result of a task once it has ended; rejects with the error of its last attempt, `task-cancelled`, `wait-timed-out`. */
  waitResult<Result>(task: Enqueued<Result>, options?: WaitOptions): Promise<Result>;
  waitResult(id: string, options?: WaitOptions): Promise<unknown>;
  /** The same with the result as JSON text. */
  waitEnd(id: string, options?: WaitOptions): Promise<TaskEnd>;
  cancel(target: Target, options?: ActOptions): Promise<BulkOutcome>;
  cancelRun(id: string, reason?: string): Promise<BulkOutcome>;
  get(id: string): Promise<TaskDetail>;
  list(options?: ListOptions): Promise<ResponseOf["list"]>;
  why(id: string): Promise<WhyView>;
  status(): Promise<StatusView>;
  queues(): Promise<ResponseOf["queues"]>;
  definitions(): Promise<ResponseOf["definitions"]>;
  run(pipeline: string, options?: RunOptions): Promise<ResponseOf["run"]>;
  getRun(id: string): Promise<RunView>;
  /** The run once it has ended, whatever its status. */
  waitRun(id: string, options?: WaitRunOptions): Promise<RunView>;
  /** Everything that happens from now on. */
  follow(
    filter: FollowFilter,
    callback: (event: FollowEvent) => void,
    failed?: (error: Error) => void,
  ): Following;
  /** What is kept of it since a time or a sequence, in order, and with `follow` what comes after it. */
  replay(
    filter: FollowFilter,
    options: ReplayOptions,
    callback: (event: FollowEvent) => void,
  ): Promise<void>;
}

export interface ClientDeps {
  /** Stays the caller's: the client never closes it. */
  readonly nc: Bus;
  readonly user: string;
  readonly names: Names;
  readonly newId?: () => string;
  readonly now?: () => number;
  /** What messages name as the place of the daemon. */
  readonly where?: string | undefined;
}

/** An external server may take less than ours; this much of its limit is left to headers and the request around. */
const ENVELOPE_BYTES = 65_536;
const MAX_BATCH_BYTES = 4 * 1_048_576;

export function createClient(deps: ClientDeps): Client {
  const { nc, user, names, now = Date.now } = deps;
  const requester = createRequester(deps);
  const { request } = requester;
  const onReconnect = createReconnects(nc);
  const levelled = createLevelled(requester);
  const waitEnd: Client["waitEnd"] = (id, options) =>
    waitResult(
      { nc, names, ask: (task) => request("result", { id: task }), onReconnect },
      id,
      options,
    );
  // Ids that grow keep the audit's index compact, whose inserts are on the hot path.
  const newId = deps.newId ?? (() => nuid.next());
  const enqueueing = createEnqueueing({ nc, requester, newId, now });

  return {
    user,
    names,
    request,
    ...enqueueing,
    waitEnd,
    async waitResult(task: string | Enqueued, options?: WaitOptions): Promise<never> {
      const { resultJson } =
        typeof task === "string"
          ? await waitEnd(task, options)
          : await waitEnd(task.id, { queue: task.queue, ...options });
      return (resultJson === null ? undefined : JSON.parse(resultJson)) as never;
    },
    ...levelled,
    cancel: (target, { reason, dryRun = false } = {}) =>
      request(
        "cancel",
        { ...toWireTarget(target), reason, dryRun },
        // One task is quick: a lost answer must not be waited for as long as an act on thousands.
        typeof target === "string" ? {} : { timeoutMs: BULK_TIMEOUT_MS },
      ),
    cancelRun: (id, reason) => request("cancel_run", { id, reason }),
    get: (id) => request("get", { id }),
    list: ({ where = {}, limit, cursor, order } = {}) =>
      request("list", { where, limit, cursor, order }),
    why: (id) => request("why", { id }),
    status: () => request("status", {}),
    queues: () => request("queues", {}),
    definitions: () => request("definitions", {}),
    run(pipeline, { phases, params = {}, priority, runId = newId() } = {}) {
      const body = JSON.stringify({ pipeline, phases, params, priority, runId });
      return sendLevelled(requester, "run", body, { level: priority ?? DEFAULT_LEVEL });
    },
    getRun: (id) => request("run_get", { id }),
    waitRun: (id, options) =>
      waitRun(
        { nc, names, ask: (runId) => request("run_get", { id: runId }), onReconnect },
        id,
        options,
      ),
    follow: (filter, callback, failed = () => {}) =>
      follow({ nc, names, now }, filter, callback, failed),
    replay: (filter, options, callback) =>
      replay({ nc, names, now, ask: (page) => request("events", page) }, filter, options, callback),
  };
}

interface EnqueueDeps {
  readonly nc: Bus;
  readonly requester: Requester;
  newId(): string;
  now(): number;
}

function createEnqueueing(
  deps: EnqueueDeps,
): Pick<Client, "enqueue" | "enqueueJson" | "enqueueMany"> {
  const { nc, requester } = deps;
  const limitBytes = (share: number): number =>
    Math.min(share, (nc.info?.max_payload ?? Number.POSITIVE_INFINITY) - ENVELOPE_BYTES);
  const batcher = createBatcher({
    send: (body, level) => requester.send("enqueue", body, { level }),
    maxBytes: () => limitBytes(MAX_BATCH_BYTES),
  });

  function add(name: string, input: string, level: number, options: EnqueueOptions) {
    const item = toItem(deps, name, input, options);
    // The id is new: what the daemon calls a repeat is our own first sending, whose answer was lost.
    const own = options.id === undefined && options.key === undefined;
    return new Promise<Enqueued>((resolve, reject) => {
      batcher.add({
        json: JSON.stringify(item),
        level,
        resolve: (outcome) =>
          resolve(own && outcome.deduplicated ? { ...outcome, deduplicated: false } : outcome),
        reject,
      });
    });
  }

  async function enqueue(
    task: string | TaskRef,
    input: unknown,
    options: EnqueueOptions = {},
  ): Promise<Enqueued<never>> {
    const name = typeof task === "string" ? task : task.name;
    if (typeof task !== "string") {
      const checking = checkInput(task, input);
      if (checking !== undefined) await checking;
    }
    const text = inputText(name, input, limitBytes(INPUT_LIMIT_BYTES));
    const usual = typeof task === "string" ? DEFAULT_LEVEL : (task.priority ?? DEFAULT_LEVEL);
    return add(name, text, options.priority ?? usual, options) as Promise<Enqueued<never>>;
  }

  return {
    enqueue,
    async enqueueJson(name, inputJson, options = {}) {
      const text = checkedJson(name, inputJson, limitBytes(INPUT_LIMIT_BYTES));
      return add(name, text, options.priority ?? DEFAULT_LEVEL, options);
    },
    async enqueueMany(items) {
      const settled = await Promise.allSettled(
        items.map(({ task, input, ...options }) => enqueue(task, input, options)),
      );
      return settled.map((one) =>
        one.status === "fulfilled" ? one.value : { error: one.reason as AppError },
      );
    },
  };
}

/** With a key the daemon finds the id; else the client makes it, so that sending twice enqueues once. */
function toItem(
  deps: EnqueueDeps,
  name: string,
  input: string,
  options: EnqueueOptions,
): { [K in keyof EnqueueItem]: EnqueueItem[K] | undefined } {
  const { delayMs, runAt, id, key, priority, queue, category, phase, correlationId, traceId } =
    options;
  const due = delayMs === undefined ? runAt?.valueOf() : deps.now() + delayMs;
  return {
    name,
    input,
    id: id ?? (key === undefined ? deps.newId() : undefined),
    made: id === undefined && key === undefined ? true : undefined,
    key,
    priority,
    queue,
    runAt: due,
    category,
    phase,
    correlationId,
    traceId,
  };
}
