import { HEADER, type Names } from "../../shared/subjects.ts";
import type { AttemptError, DeadReason, JournalRecord } from "../../shared/task.ts";
import { encodeHeaders, type Wire } from "../nats/wire.ts";
import { copyHeaders } from "./task-message.ts";

/** What a dead letter's header tells beside the payload. */
export interface DeadLetter {
  readonly reason: DeadReason;
  readonly attempts: number;
  readonly level: number;
  readonly errors: readonly AttemptError[];
  readonly at: number;
}

/** Header values hold one line; a long message is cut, the journal and the audit have it whole. */
const ERROR_LIMIT = 2000;

function toDeadLetter(record: JournalRecord): DeadLetter {
  const errors = [...(record.es ?? []), ...(record.e ? [record.e] : [])];
  return {
    reason: record.dead ?? "attempts-exhausted",
    attempts: record.a,
    level: record.l,
    errors: errors.map(({ code, message }) => ({ code, message: message.slice(0, ERROR_LIMIT) })),
    at: record.t,
  };
}

/**
 * Puts the payload of a dead task among the dead letters. Safe to repeat: the message id names task and generation. It
 * comes after the journal's `dead` record and before the acknowledgement, so a crash in between only repeats it.
 */
export async function publishDeadLetter(
  deps: { wire: Wire; names: Names },
  task: {
    id: string;
    queue: string;
    headers: { get(name: string): string | undefined };
    data: Uint8Array;
  },
  record: JournalRecord,
): Promise<void> {
  const pairs = copyHeaders(task.headers, task.id, record.g).filter(
    ([name]) => name !== HEADER.msgId,
  );
  pairs.push([HEADER.msgId, `${task.id}:${record.g}:dead`]);
  pairs.push([HEADER.dead, JSON.stringify(toDeadLetter(record))]);
  await deps.wire.publish(deps.names.dead(task.queue, task.id), task.data, encodeHeaders(pairs));
}
