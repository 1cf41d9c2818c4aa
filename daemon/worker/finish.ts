import { AppError } from "../../shared/errors.ts";
import { HEADER, type Names } from "../../shared/subjects.ts";
import {
  type AttemptError,
  INLINE_RESULT_LIMIT_BYTES,
  type JournalRecord,
  RESULT_LIMIT_BYTES,
} from "../../shared/task.ts";
import {
  encodeHeaders,
  JetStreamRefusal,
  OutcomeUnknown,
  type Wire,
  WRONG_LAST_SEQUENCE,
} from "../nats/wire.ts";
import { outcomeOf } from "../outcome-errors.ts";
import { publishDeadLetter } from "../queue/dead-letter.ts";
import type { Appended, Journal } from "../queue/journal.ts";
import { planRetry } from "../queue/retry.ts";
import { copyHeaders, type TaskMessage } from "../queue/task-message.ts";
import { type Execution, toAttemptError } from "./execution.ts";

export interface FinishDeps {
  readonly wire: Wire;
  readonly journal: Journal;
  readonly names: Names;
  readonly workerId: string;
  readonly now: () => number;
  readonly random: () => number;
  ack(message: TaskMessage): void;
  /** Neither acknowledges nor extends it any more: the server gives it to somebody when its time is over. */
  leave(message: TaskMessage): void;
  /** This worker had lost the task: its outcome was discarded. */
  stale(execution: Execution, outcome: string): void;
  log(event: string, data: Record<string, unknown>): void;
}

/** The usual end, as text: completed with a small result and nothing else to send. Null when it is not the usual one. */
export function completedText(
  execution: Execution,
  workerId: string,
  now: number,
  result: unknown,
): string | null {
  if (execution.outbox !== null || execution.definition.output !== null) return null;
  let json: string;
  try {
    json = JSON.stringify(result) ?? "null";
  } catch {
    // Ignored here: the usual way says what is wrong with the result.
    return null;
  }
  // Four bytes of UTF-8 a character at most.
  if (json.length > INLINE_RESULT_LIMIT_BYTES / 4) return null;
  const { message } = execution;
  const du = Math.max(0, now - execution.startedAt);
  return `{"s":"completed","g":${message.generation},"a":${execution.attempt},"l":${message.level},"t":${now},"w":"${workerId}","n":${JSON.stringify(message.name)},"st":${execution.startedAt},"du":${du},"x":${execution.maxAttempts},"r":${json}}`;
}

/** The claim of a task that nothing has happened to yet, as text. */
export function runningText(
  message: TaskMessage,
  workerId: string,
  now: number,
  maxAttempts: number,
): string {
  return `{"s":"running","g":1,"a":1,"l":${message.level},"t":${now},"n":${JSON.stringify(message.name)},"x":${maxAttempts},"w":"${workerId}","m":${message.seq}}`;
}

/** How an execution ended, as its handler left it. */
export type Ending =
  | { readonly kind: "returned"; readonly result: unknown }
  | { readonly kind: "threw"; readonly error: unknown };

const BROKER_RETRY_MS = 200;
const decoder = new TextEncoder();

/** Writes the end of an execution: journal first, then what depends on it, the acknowledgement last. */
export async function finish(
  deps: FinishDeps,
  execution: Execution,
  ending: Ending,
): Promise<void> {
  const stopped = execution.stopped;
  if (stopped?.kind === "cancel") return finishCancelled(deps, execution, stopped);
  if (stopped?.kind === "interrupted" && ending.kind === "threw") return handBack(deps, execution);
  if (stopped?.kind === "timeout") {
    const error = new AppError("timed-out", {
      id: execution.message.id,
      timeoutMs: stopped.timeoutMs,
    });
    return finishFailed(deps, execution, error);
  }
  if (ending.kind === "threw") return finishFailed(deps, execution, ending.error);
  return finishReturned(deps, execution, ending.result);
}

function base(
  deps: FinishDeps,
  execution: Execution,
): Pick<JournalRecord, "g" | "a" | "l" | "t" | "w" | "n" | "st" | "du" | "x"> {
  const now = deps.now();
  // A task can end without having started: claimed ahead, then cancelled or given back.
  const startedAt = execution.startedAt || now;
  return {
    g: execution.message.generation,
    a: execution.attempt,
    l: execution.message.level,
    t: now,
    w: deps.workerId,
    n: execution.message.name,
    st: startedAt,
    du: Math.max(0, now - startedAt),
    x: execution.maxAttempts,
  };
}

/** Appends until the broker has said yes or no: a result in hand is worth waiting for. */
async function appendSurely(
  deps: FinishDeps,
  execution: Execution,
  record: JournalRecord,
): Promise<Appended> {
  const { id, queue } = execution.message;
  for (;;) {
    try {
      return await deps.journal.append(queue, id, record, execution.claimSeq);
    } catch (error) {
      if (!(error instanceof OutcomeUnknown) || deps.wire.nc.isClosed()) throw error;
      deps.log("finish_waits_for_broker", { taskId: id, error: error.message });
      await pause(BROKER_RETRY_MS);
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The same for what follows the journal: it can be repeated, so it is until it succeeded. */
async function surely<T>(deps: FinishDeps, taskId: string, act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof OutcomeUnknown) || deps.wire.nc.isClosed()) throw error;
      deps.log("finish_waits_for_broker", { taskId, error: error.message });
      await pause(BROKER_RETRY_MS);
    }
  }
}

async function finishReturned(
  deps: FinishDeps,
  execution: Execution,
  result: unknown,
): Promise<void> {
  const { definition, message } = execution;
  let json: string;
  try {
    const value = definition.output === null ? result : definition.output.parse(result);
    json = JSON.stringify(value) ?? "null";
  } catch (error) {
    return finishFailed(
      deps,
      execution,
      Object.assign(error instanceof Error ? error : new Error(String(error)), {
        outcome: "non-retryable",
      }),
    );
  }
  const size =
    json.length > INLINE_RESULT_LIMIT_BYTES / 4 ? decoder.encode(json).length : json.length;
  if (size > RESULT_LIMIT_BYTES) {
    const error = new AppError("result-too-large", {
      name: message.name,
      size,
      limit: RESULT_LIMIT_BYTES,
    });
    return finishFailed(deps, execution, Object.assign(error, { outcome: "non-retryable" }));
  }
  const byReference = size > INLINE_RESULT_LIMIT_BYTES;
  if (byReference) {
    await surely(deps, message.id, () =>
      deps.wire.publish(deps.names.result(message.id, message.generation), json),
    );
  }
  const record: JournalRecord = {
    s: "completed",
    ...base(deps, execution),
    ...(byReference ? { rr: size } : { r: JSON.parse(json) as unknown }),
    ...(execution.outbox !== null ? { ev: execution.outbox } : {}),
  };
  await settle(deps, execution, record);
}

/**
 * The message of a task that was lost to somebody else. After a claim it is of an older generation and can go; without
 * one it may be the very message that another worker was given, and is left alone.
 */
export function yieldMessage(deps: Pick<FinishDeps, "ack" | "leave">, execution: Execution): void {
  if (execution.claimSeq === 0) deps.leave(execution.message);
  else deps.ack(execution.message);
}

/** Appends the last record of an execution and acknowledges; says when the task had been lost meanwhile. */
async function settle(
  deps: FinishDeps,
  execution: Execution,
  record: JournalRecord,
): Promise<boolean> {
  const appended = await appendSurely(deps, execution, record);
  if (appended.kind === "lost") {
    deps.stale(execution, record.s);
    yieldMessage(deps, execution);
    return false;
  }
  if (record.s !== "dead") deps.ack(execution.message);
  return true;
}

async function finishCancelled(
  deps: FinishDeps,
  execution: Execution,
  cause: { by: string; role: string; why: string | null },
): Promise<void> {
  await settle(deps, execution, {
    s: "cancelled",
    ...base(deps, execution),
    act: "cancel",
    by: cause.by,
    role: cause.role as NonNullable<JournalRecord["role"]>,
    ...(cause.why === null ? {} : { why: cause.why }),
  });
}

async function finishFailed(deps: FinishDeps, execution: Execution, error: unknown): Promise<void> {
  const failed = toAttemptError(error);
  const plan = planRetry(
    {
      attempt: execution.attempt,
      maxAttempts: execution.maxAttempts,
      policy: execution.definition.retry,
      ...outcomeOf(error),
    },
    deps.random,
  );
  if (plan.kind === "dead")
    return bury(deps, execution, {
      s: "dead",
      ...base(deps, execution),
      e: failed,
      dead: plan.reason,
      ...earlier(execution),
    });
  await retryAfter(deps, execution, failed, plan.delayMs);
}

function earlier(execution: Execution): Pick<JournalRecord, "es"> {
  return execution.earlierErrors.length > 0 ? { es: execution.earlierErrors } : {};
}

async function bury(deps: FinishDeps, execution: Execution, record: JournalRecord): Promise<void> {
  if (!(await settle(deps, execution, record))) return;
  await buryMessage(deps, execution.message, record);
}

/** Publishes the dead letter of a task whose journal says dead, then acknowledges its message. */
export async function buryMessage(
  deps: FinishDeps,
  message: TaskMessage,
  record: JournalRecord,
): Promise<void> {
  const headers = { get: (name: string) => message.msg.headers?.get(name) || undefined };
  await surely(deps, message.id, () =>
    publishDeadLetter(
      deps,
      { id: message.id, queue: message.queue, headers, data: message.msg.data },
      record,
    ),
  );
  deps.ack(message);
}

/**
 * Parks the payload for the next generation, then moves the journal to `retrying`. A crash in between leaves a parked copy
 * that is ahead of its journal; whoever moves the task on next overtakes it, and it is dropped when it becomes due.
 */
async function retryAfter(
  deps: FinishDeps,
  execution: Execution,
  failed: AttemptError,
  delayMs: number,
): Promise<void> {
  const { message } = execution;
  const generation = message.generation + 1;
  const due = deps.now() + delayMs;
  const headers = copyHeaders(
    { get: (name) => message.msg.headers?.get(name) || undefined },
    message.id,
    generation,
  );
  headers.push([HEADER.due, String(due)], [HEADER.level, String(message.level)]);
  await surely(deps, message.id, () => park(deps, execution, headers));
  const { code, message: text } = failed;
  await settle(deps, execution, {
    s: "retrying",
    ...base(deps, execution),
    g: generation,
    due,
    e: failed,
    es: [...execution.earlierErrors, { code, message: text.slice(0, 500) }].slice(-20),
  });
}

/**
 * Parks the payload, unless the task was taken from this worker. The stream keeps one parked copy a task, so a worker that
 * woke up too late must not put its own in the place of its successor's: what lies there is looked at before the journal,
 * and the broker refuses the copy when that changed since. While the task is ours only a former copy can have gone.
 */
async function park(
  deps: FinishDeps,
  execution: Execution,
  headers: readonly [string, string][],
): Promise<void> {
  const { message } = execution;
  const { wire, names } = deps;
  const subject = names.due(message.queue, message.id);
  for (;;) {
    const there = await wire.last(names.stream.due, subject);
    const entry = await deps.journal.read(message.queue, message.id);
    if ((entry?.seq ?? 0) !== execution.claimSeq) return;
    const expect: [string, string] = [HEADER.expectLast, String(there?.seq ?? 0)];
    try {
      await wire.publish(subject, message.msg.data, encodeHeaders([...headers, expect]));
      return;
    } catch (error) {
      const changed = error instanceof JetStreamRefusal && error.errCode === WRONG_LAST_SEQUENCE;
      if (!changed) throw error;
    }
  }
}

/** An orderly shutdown gives a running task back: it waits again at once, and the attempt does not count. */
export async function handBack(deps: FinishDeps, execution: Execution): Promise<void> {
  const { message } = execution;
  const generation = message.generation + 1;
  const headers = copyHeaders(
    { get: (name) => message.msg.headers?.get(name) || undefined },
    message.id,
    generation,
  );
  const copy = await surely(deps, message.id, () =>
    deps.wire.publish(
      deps.names.task(message.level, message.queue, message.id),
      message.msg.data,
      encodeHeaders(headers),
    ),
  );
  await settle(deps, execution, {
    s: "waiting",
    ...base(deps, execution),
    g: generation,
    a: execution.attempt - 1,
    m: copy.seq,
    act: "handback",
    by: deps.workerId,
    role: "system",
    ...(execution.lostInARow > 0 ? { lost: execution.lostInARow } : {}),
    ...earlier(execution),
  });
}
