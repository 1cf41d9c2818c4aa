import type { Msg, Subscription } from "@nats-io/nats-core";
import type { ResponseOf } from "../control.ts";
import { AppError, ERRORS, type ErrorCode, fromUnknown } from "../errors.ts";
import type { Names } from "../subjects.ts";
import { type AttemptError, decodeRecord, isTerminal, type JournalRecord } from "../task.ts";
import type { OnReconnect } from "./reconnects.ts";
import type { Bus } from "./request.ts";

export interface WaitOptions {
  /** Rejects with `wait-timed-out` afterwards; absent: waits as long as it takes. */
  readonly timeoutMs?: number | undefined;
  /** The queue of the task when the caller knows it: fewer messages pass by. */
  readonly queue?: string | undefined;
  /** Ends the waiting with the signal's reason; the task goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** How a task ended, with its result as JSON text so that 64-bit integers stay exact. */
export interface TaskEnd {
  readonly status: "completed";
  readonly resultJson: string | null;
}

export interface WaitDeps {
  readonly nc: Bus;
  readonly names: Names;
  /** The verb `result`. */
  ask(id: string): Promise<ResponseOf["result"]>;
  readonly onReconnect: OnReconnect;
}

/** Facts are told once and only to who listens; asking at this pace finds what was missed. */
const ASK_AGAIN_MS = 5000;

/**
 * Waits until the task has ended. Listens first and asks then, so that no end falls between the two.
 * Rejects with the error of the last attempt (dead), `task-cancelled`, `wait-timed-out`, `task-not-found`.
 */
export function waitResult(
  deps: WaitDeps,
  id: string,
  options: WaitOptions = {},
): Promise<TaskEnd> {
  const { nc, names } = deps;
  const { timeoutMs, signal } = options;
  return new Promise((resolve, reject) => {
    let answered = false;
    let ended = false;
    const cleanups: (() => void)[] = [];
    const end = (settle: () => void): void => {
      if (ended) return;
      ended = true;
      for (const cleanup of cleanups) cleanup();
      settle();
    };
    const ask = async (): Promise<void> => {
      try {
        const answer = await deps.ask(id);
        answered = true;
        if (isTerminal(answer.status)) end(() => settleWith(id, answer, resolve, reject));
      } catch (error) {
        const failure = fromUnknown(error);
        // A daemon that restarts meanwhile comes back; the first question must be answered though.
        if (!answered || !ERRORS[failure.code].retryable) end(() => reject(failure));
      }
    };
    const heard = (error: Error | null, message: Msg): void => {
      if (error) {
        end(() => reject(fromUnknown(error, "broker-unavailable")));
        return;
      }
      const record = readRecord(message);
      if (record === null || !isTerminal(record.s)) return;
      if (record.rr !== undefined) void ask();
      else end(() => settleWith(id, fromRecord(record), resolve, reject));
    };
    const listening: Subscription = nc.subscribe(names.fact(options.queue ?? "*", id), {
      callback: heard,
    });
    cleanups.push(() => listening.unsubscribe());
    cleanups.push(deps.onReconnect(() => void ask()));
    const pace = setInterval(() => void ask(), ASK_AGAIN_MS);
    cleanups.push(() => clearInterval(pace));
    if (timeoutMs !== undefined) {
      const late = setTimeout(
        () => end(() => reject(waitTimedOut(`The task ${id}`, timeoutMs))),
        timeoutMs,
      );
      cleanups.push(() => clearTimeout(late));
    }
    const abort = (): void => end(() => reject(signal?.reason));
    signal?.addEventListener("abort", abort);
    cleanups.push(() => signal?.removeEventListener("abort", abort));
    if (signal?.aborted) abort();
    else void ask();
  });
}

export function waitTimedOut(what: string, timeoutMs: number): AppError {
  return new AppError("wait-timed-out", { what, timeoutMs });
}

/** null for a record of a later version that this one cannot read: the daemon is asked soon anyway. */
function readRecord(message: Msg): JournalRecord | null {
  try {
    return decodeRecord(message.string());
  } catch {
    // Ignored: the pace of asking the daemon finds the end that this message may have told.
    return null;
  }
}

function fromRecord(record: JournalRecord): ResponseOf["result"] {
  return {
    status: record.s,
    resultJson: record.r === undefined ? null : JSON.stringify(record.r),
    error: record.e ?? null,
  };
}

function settleWith(
  id: string,
  answer: ResponseOf["result"],
  resolve: (end: TaskEnd) => void,
  reject: (error: AppError) => void,
): void {
  if (answer.status === "completed")
    resolve({ status: "completed", resultJson: answer.resultJson });
  else if (answer.status === "cancelled") reject(new AppError("task-cancelled", { id }));
  else reject(attemptFailure(id, answer.error));
}

/** The error of a task's last attempt, worded as the handler worded it. */
function attemptFailure(id: string, error: AttemptError | null): AppError {
  const known = error !== null && error.code in ERRORS;
  const failure = new AppError(known ? (error.code as ErrorCode) : "handler-failed", {
    id,
    what: error?.message ?? "The task failed without telling why.",
  });
  if (known) Object.defineProperty(failure, "message", { value: error.message });
  return failure;
}
