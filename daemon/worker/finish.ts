import { AppError } from "../../shared/errors.ts";
import {
  INLINE_RESULT_LIMIT_BYTES,
  type JournalRecord,
  RESULT_LIMIT_BYTES,
} from "../../shared/task.ts";
import { encodeHeaders } from "../nats/wire.ts";
import { outcomeOf } from "../outcome-errors.ts";
import { publishDeadLetter } from "../queue/dead-letter.ts";
import { planRetry } from "../queue/retry.ts";
import { copyHeaders, type TaskMessage } from "../queue/task-message.ts";
import { type Execution, toAttemptError } from "./execution.ts";
import { retryAfter } from "./park.ts";
import { base, earlier, type FinishDeps, settle, surely, yieldMessage } from "./settle.ts";

/** How an execution ended, as its handler left it. */
export type Ending =
  | { readonly kind: "returned"; readonly result: unknown }
  | { readonly kind: "threw"; readonly error: unknown };

const encoder = new TextEncoder();

/** Writes the end of an execution: journal first, then what depends on it, the acknowledgement last. */
export async function finish(
  deps: FinishDeps,
  execution: Execution,
  ending: Ending,
): Promise<void> {
  const stopped = execution.stopped;
  if (stopped?.kind === "lease-lost") {
    if (ending.kind === "returned") deps.stale(execution, "completed");
    yieldMessage(deps, execution);
    return;
  }
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
    json.length > INLINE_RESULT_LIMIT_BYTES / 4 ? encoder.encode(json).length : json.length;
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
