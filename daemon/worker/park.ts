import { HEADER } from "../../shared/subjects.ts";
import type { AttemptError } from "../../shared/task.ts";
import { encodeHeaders, JetStreamRefusal, WRONG_LAST_SEQUENCE } from "../nats/wire.ts";
import { copyHeaders } from "../queue/task-message.ts";
import type { Execution } from "./execution.ts";
import { base, type FinishDeps, settle, surely } from "./settle.ts";

/**
 * Parks the payload for the next generation, then moves the journal to `retrying`. A crash in between leaves a parked copy
 * that is ahead of its journal; whoever moves the task on next overtakes it, and it is dropped when it becomes due.
 */
export async function retryAfter(
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
