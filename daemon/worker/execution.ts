import { AppError, describe } from "../../shared/errors.ts";
import { EVENTS_ROOT, HEADER } from "../../shared/subjects.ts";
import type { AttemptError, OutboxEvent, RunDescriptor } from "../../shared/task.ts";
import type { FollowUpOptions, TaskContext, TaskDefinition, TaskLog } from "../define.ts";
import { parseRun, type TaskMessage } from "../queue/task-message.ts";

/** One claimed task in this process, from its claim to its finish. */
export interface Execution {
  readonly message: TaskMessage;
  readonly definition: TaskDefinition<never, unknown>;
  /** Sequence of the running record: what the finish must expect. 0: not claimed yet, the finish expects no record. */
  claimSeq: number;
  /** A late claim that is on its way. */
  claiming: Promise<void> | null;
  /** Its place in the table of held messages; -1: none. */
  hold: number;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly earlierErrors: readonly AttemptError[];
  readonly lostInARow: number;
  startedAt: number;
  /** Where it stands: `ready` claimed and without a slot, `running`, `ended` its outcome is decided. */
  state: "ready" | "running" | "ended";
  /** Set when somebody asked to stop it. */
  stopped: StopCause | null;
  abort: AbortController | null;
  timer: NodeJS.Timeout | null;
  outbox: OutboxEvent[] | null;
  followUps: number;
}

export type StopCause =
  | {
      readonly kind: "cancel";
      readonly by: string;
      readonly role: string;
      readonly why: string | null;
    }
  | { readonly kind: "timeout"; readonly timeoutMs: number }
  | { readonly kind: "interrupted" }
  /** The task is somebody else's now: whatever this execution still does is done twice, and its outcome is discarded. */
  | { readonly kind: "lease-lost" };

/** What the context needs from the worker around it. */
export interface ContextDeps {
  progress(execution: Execution, p: { done: number; total: number | null; what: string }): void;
  enqueue(
    execution: Execution,
    name: string,
    input: unknown,
    options: FollowUpOptions & { id: string },
  ): Promise<{ id: string; deduplicated: boolean }>;
  taskLog(execution: Execution): TaskLog;
}

export function createExecution(
  message: TaskMessage,
  definition: TaskDefinition<never, unknown>,
  claim: {
    seq: number;
    attempt: number;
    maxAttempts: number;
    earlierErrors: readonly AttemptError[];
    lostInARow: number;
  },
): Execution {
  return {
    message,
    definition,
    claimSeq: claim.seq,
    claiming: null,
    hold: -1,
    attempt: claim.attempt,
    maxAttempts: claim.maxAttempts,
    earlierErrors: claim.earlierErrors,
    lostInARow: claim.lostInARow,
    startedAt: 0,
    state: "ready",
    stopped: null,
    abort: null,
    timer: null,
    outbox: null,
    followUps: 0,
  };
}

/** The error that a handler's signal is aborted with. */
export function stopError(execution: Execution, cause: StopCause): Error {
  const id = execution.message.id;
  switch (cause.kind) {
    case "timeout":
      return new AppError("timed-out", { id, timeoutMs: cause.timeoutMs });
    case "cancel":
      return new AppError("task-not-in-state", {
        id,
        status: "being cancelled",
        act: "going on",
        needs: "running",
      });
    case "interrupted":
    case "lease-lost":
      return new AppError("lease-lost", { id, generation: execution.message.generation });
    default:
      return cause satisfies never;
  }
}

/**
 * The context of one execution. A class, unlike elsewhere in this project: one is made per task on the hot path, and
 * methods on a prototype cost a fraction of a dozen closures. Everything costly is made on first use.
 */
class ExecutionContext implements TaskContext {
  readonly #execution: Execution;
  readonly #deps: ContextDeps;
  #run: RunDescriptor | null | undefined;
  #log: TaskLog | undefined;

  constructor(execution: Execution, deps: ContextDeps) {
    this.#execution = execution;
    this.#deps = deps;
  }
  get taskId(): string {
    return this.#execution.message.id;
  }
  get name(): string {
    return this.#execution.definition.name;
  }
  get queue(): string {
    return this.#execution.message.queue;
  }
  get level(): number {
    return this.#execution.message.level;
  }
  get generation(): number {
    return this.#execution.message.generation;
  }
  get attempt(): number {
    return this.#execution.attempt;
  }
  get maxAttempts(): number {
    return this.#execution.maxAttempts;
  }
  get idempotencyKey(): string {
    return this.taskId;
  }
  get correlationId(): string {
    return headerOf(this.#execution, HEADER.correlation) ?? this.taskId;
  }
  get traceId(): string {
    return headerOf(this.#execution, HEADER.trace) ?? this.taskId;
  }
  get run(): RunDescriptor | null {
    this.#run ??= parseRun(headerOf(this.#execution, HEADER.run) ?? undefined);
    return this.#run;
  }
  get signal(): AbortSignal {
    const execution = this.#execution;
    if (execution.abort === null) {
      execution.abort = new AbortController();
      if (execution.stopped) execution.abort.abort(stopError(execution, execution.stopped));
    }
    return execution.abort.signal;
  }
  get log(): TaskLog {
    this.#log ??= this.#deps.taskLog(this.#execution);
    return this.#log;
  }
  // The methods are getters of functions, so that a handler may take them apart from their context.
  get progress(): TaskContext["progress"] {
    return (p) =>
      this.#deps.progress(this.#execution, {
        done: p.done,
        total: p.total ?? null,
        what: p.what ?? "",
      });
  }
  get publish(): TaskContext["publish"] {
    return (subject, data) => {
      if (!subject.startsWith(`${EVENTS_ROOT}.`)) {
        throw new AppError("bad-usage", {
          what: `A domain event goes to ${EVENTS_ROOT}.…, not to ${subject}`,
        });
      }
      this.#execution.outbox ??= [];
      this.#execution.outbox.push({ subject, data });
    };
  }
  get enqueue(): TaskContext["enqueue"] {
    return (name, input, options = {}) => {
      const id = options.id ?? `${this.taskId}-${this.#execution.followUps++}`;
      return this.#deps.enqueue(this.#execution, name, input, { ...options, id });
    };
  }
}

function headerOf(execution: Execution, name: string): string | null {
  return execution.message.msg.headers?.get(name) || null;
}

export function createContext(execution: Execution, deps: ContextDeps): TaskContext {
  return new ExecutionContext(execution, deps);
}

const STACK_LIMIT = 16_384;

/** Any thrown value as it is kept: message, searchable code, stack. */
export function toAttemptError(error: unknown): AttemptError {
  const message = describe(error);
  const code = error instanceof AppError ? error.code : "handler-failed";
  if (!(error instanceof Error) || error.stack === undefined) return { code, message };
  return { code, message, stack: error.stack.slice(0, STACK_LIMIT) };
}
