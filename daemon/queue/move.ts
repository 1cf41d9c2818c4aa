import { HEADER, type Names } from "../../shared/subjects.ts";
import type { JournalRecord } from "../../shared/task.ts";
import type { AuditReader, TaskRow } from "../audit/audit-store.ts";
import type { TaskConsumers } from "../nats/streams.ts";
import { encodeHeaders, OutcomeUnknown, type StoredMessage, type Wire } from "../nats/wire.ts";
import type { Journal, JournalEntry } from "./journal.ts";
import { copyHeaders } from "./task-message.ts";

/** What every act on a task needs. */
export interface MoveDeps {
  readonly wire: Wire;
  readonly names: Names;
  readonly journal: Journal;
  readonly consumers: TaskConsumers;
  readonly reader: () => AuditReader;
  readonly now: () => number;
  log(event: string, data: Record<string, unknown>): void;
  /** Makes workers claim a task that they may run without a claim; needed before a task without a record is changed. */
  askHolders(taskId: string, queue: string): Promise<void>;
  /** A change of priority that a claim made true before the journal could say who asked for it. */
  overtaken?(
    change: Pick<JournalRecord, "t" | "l" | "by" | "role" | "act" | "why" | "from"> & {
      readonly taskId: string;
    },
  ): void;
}

/** Who does something, as it is written to the journal. */
export interface Actor {
  readonly by: string;
  readonly role: NonNullable<JournalRecord["role"]>;
}

/** A task as the journal and the audit tell together. `entry` null: waiting since its enqueue, never touched. */
export interface Located {
  readonly id: string;
  readonly queue: string;
  readonly row: TaskRow | null;
  readonly entry: JournalEntry | null;
}

/** Finds a task by its id alone; null when neither the audit nor the broker knows it. */
export async function locate(deps: MoveDeps, id: string): Promise<Located | null> {
  const row = readRow(deps, id);
  const queue = row?.queue ?? (await queueOnBroker(deps, id));
  if (queue === null) return null;
  return { id, queue, row, entry: await deps.journal.read(queue, id) };
}

/** The task as the audit has it; null when it has none or cannot be read now. */
export function readRow(deps: MoveDeps, id: string): TaskRow | null {
  try {
    return deps.reader().task(id);
  } catch (error) {
    // The audit cannot be read now; the broker can still be asked.
    deps.log("audit_not_read", { taskId: id, error: String(error) });
    return null;
  }
}

/** The costly way, for tasks that the audit does not know (yet): a search by wildcard. */
async function queueOnBroker(deps: MoveDeps, id: string): Promise<string | null> {
  const { names } = deps;
  const record = await deps.wire.lastMatching(names.stream.state, names.state("*", id));
  if (record !== null) return names.parseState(record)?.queue ?? null;
  const message = await deps.wire.lastMatching(names.stream.tasks, names.task("*", "*", id));
  if (message !== null) return names.parseTask(message)?.queue ?? null;
  // A worker may have taken it between the two looks: then it has a record by now.
  const late = await deps.wire.lastMatching(names.stream.state, names.state("*", id));
  return late === null ? null : (names.parseState(late)?.queue ?? null);
}

/**
 * The same, for a change: a task without a record may run unclaimed in a worker. After the workers were asked it has a
 * record, or no worker runs it without one.
 */
export async function locateForChange(deps: MoveDeps, id: string): Promise<Located | null> {
  const task = await locate(deps, id);
  if (task === null || task.entry !== null) return task;
  await deps.askHolders(id, task.queue);
  return { ...task, entry: await deps.journal.read(task.queue, id) };
}

/** The level that a located task has now. */
export function levelOf(task: Located): number | null {
  return task.entry?.record.l ?? task.row?.level ?? null;
}

/** The waiting message of a task: where its level says, else at any level. */
export async function findMessage(
  deps: MoveDeps,
  task: Located,
  level: number | null,
): Promise<StoredMessage | null> {
  const { names, wire } = deps;
  if (level !== null) {
    const message = await wire.last(names.stream.tasks, names.task(level, task.queue, task.id));
    if (message !== null) return message;
  }
  const found = await wire.lastMatching(names.stream.tasks, names.task("*", task.queue, task.id));
  return found === null ? null : wire.last(names.stream.tasks, found);
}

/** Payload and headers of a task, from wherever they still are. */
export interface Payload {
  readonly data: Uint8Array | string;
  readonly headers: { get(name: string): string | undefined };
}

export function payloadOfRow(row: TaskRow): Payload | null {
  if (row.input === null) return null;
  const headers = new Map<string, string>([[HEADER.name, row.name]]);
  const optional: [string, string | null][] = [
    [HEADER.correlation, row.correlationId],
    [HEADER.trace, row.traceId],
    [HEADER.category, row.category],
    [HEADER.phase, row.phase],
    [HEADER.run, row.runHeader],
  ];
  for (const [name, value] of optional) if (value !== null) headers.set(name, value);
  return { data: row.input, headers };
}

/** More copies than this of one generation and its next ones cannot be strays of crashed writers. */
const MAX_STRAYS = 8;

/**
 * Publishes the copy of the next generation. When the broker says that this generation was published before (by a writer
 * that died before its journal entry, or by a rival), the one after it is taken: the journal decides which counts.
 */
export async function publishCopy(
  deps: MoveDeps,
  task: { id: string; queue: string; level: number; generation: number },
  payload: Payload,
): Promise<{ generation: number; seq: number }> {
  await deps.consumers.ensure(task.queue, task.level);
  const subject = deps.names.task(task.level, task.queue, task.id);
  for (let generation = task.generation + 1; ; generation++) {
    const stored = await deps.wire.publish(
      subject,
      payload.data,
      encodeHeaders(copyHeaders(payload.headers, task.id, generation)),
    );
    if (!stored.duplicate || generation > task.generation + MAX_STRAYS)
      return { generation, seq: stored.seq };
  }
}

/** For about so long the broker may be away before a superseded message is left where it is. */
const REMOVE_TRIES = 60;
const REMOVE_AGAIN_MS = 500;

/**
 * Removes a message that is superseded, without anyone waiting for it; again while the broker is away. Whoever receives
 * one that stayed drops it, but nobody receives parked messages and dead letters a second time.
 */
export function removeLater(deps: MoveDeps, stream: string, seq: number): void {
  void removeSurely(deps, stream, seq);
}

async function removeSurely(deps: MoveDeps, stream: string, seq: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await deps.wire.remove(stream, seq);
      return;
    } catch (error) {
      const again = error instanceof OutcomeUnknown && !deps.wire.nc.isClosed();
      if (!again || tries === REMOVE_TRIES) {
        deps.log("superseded_message_left", { stream, seq, error: String(error) });
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, REMOVE_AGAIN_MS));
    }
  }
}

/** What a record keeps from the one before. */
export function carried(
  record: JournalRecord | null,
  row: TaskRow | null,
): Pick<JournalRecord, "a" | "n" | "x" | "lost" | "es" | "run"> {
  const name = record?.n ?? row?.name;
  const attempts = record?.x ?? row?.maxAttempts;
  return {
    a: record?.a ?? 0,
    ...(name === undefined ? {} : { n: name }),
    ...(attempts === undefined ? {} : { x: attempts }),
    ...(record?.lost === undefined ? {} : { lost: record.lost }),
    ...(record?.es === undefined ? {} : { es: record.es }),
  };
}
