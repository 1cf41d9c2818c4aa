import { nuid } from "@nats-io/nuid";
import type { EnqueueItem, EnqueueOutcome } from "../../shared/control.ts";
import { AppError, type WireError } from "../../shared/errors.ts";
import { leastRoleForLevel } from "../../shared/roles.ts";
import { HEADER, type Names, QUEUE_PATTERN } from "../../shared/subjects.ts";
import { INPUT_LIMIT_BYTES, type JournalRecord, type RunDescriptor } from "../../shared/task.ts";
import type { AuditStore, EnqueueJournaled, EnqueueRow } from "../audit/audit-store.ts";
import type { Group } from "../nats/group.ts";
import type { TaskConsumers } from "../nats/streams.ts";
import {
  encodeHeaders,
  isStreamFull,
  JetStreamRefusal,
  type Stored,
  type Wire,
  WRONG_LAST_SEQUENCE,
} from "../nats/wire.ts";
import type { Journal } from "./journal.ts";
import type { KnownTask, Registry } from "./registry.ts";

export interface EnqueueDeps {
  readonly wire: Wire;
  readonly names: Names;
  readonly journal: Journal;
  readonly audit: AuditStore;
  readonly registry: Registry;
  readonly consumers: TaskConsumers;
  /** Where every write is synced to disk, tasks travel in atomic batches; null: one by one. */
  readonly group: Group | null;
  readonly now: () => number;
  /** Why the broker can store nothing now; null while it can. */
  readonly storageFailure: () => AppError | null;
}

export type EnqueueResult = EnqueueOutcome | { readonly error: WireError };

/** An item with the parts that only the daemon may set. */
export interface EnqueueOrder extends EnqueueItem {
  readonly run?: RunDescriptor;
}

interface Prepared {
  readonly row: EnqueueRow;
  /** The id was made here a moment ago: nothing can bear it yet, so publishing need not wait for the journal. */
  readonly fresh: boolean;
}

/**
 * Accepts tasks: checks each by itself, journals them together on disk, publishes them, and only then answers. One bad
 * item never keeps the others. Ids that the caller chose (or keys) are journaled first, so that a repeat cannot run twice.
 */
export async function enqueue(
  deps: EnqueueDeps,
  items: readonly EnqueueOrder[],
  by: string,
  maxLevel: number,
  first = false,
): Promise<EnqueueResult[]> {
  refuseWithoutStorage(deps);
  const results = new Array<EnqueueResult>(items.length);
  const prepared: Prepared[] = [];
  const places: number[] = [];
  items.forEach((item, index) => {
    try {
      prepared.push(prepare(deps, item, by, maxLevel, first));
      places.push(index);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      results[index] = { error: error.toWire() };
    }
  });
  if (prepared.length === 0) return results;
  await ensureConsumers(deps, prepared);
  const early = prepared.map(({ row, fresh }) => (fresh ? settled(send(deps, row)) : null));
  const journaled = await deps.audit.journalEnqueue(prepared.map(({ row }) => row));
  await Promise.all(
    prepared.map(async ({ row, fresh }, i) => {
      const index = places[i]!;
      const outcome = journaled[i]!;
      if (outcome.kind === "conflict") {
        results[index] = {
          error: new AppError("idempotency-conflict", { key: row.key ?? row.id }).toWire(),
        };
        return;
      }
      if (outcome.kind === "duplicate") {
        results[index] = await repeated(deps, row, outcome, fresh ? await early[i]! : undefined);
        return;
      }
      const sent = fresh ? await early[i]! : await settled(send(deps, row));
      if (!(sent instanceof Error)) {
        results[index] = {
          id: row.id,
          queue: row.queue,
          priority: row.level,
          status: row.status,
          deduplicated: false,
          durability: outcome.kind === "journaled" ? "journaled" : "broker",
        };
        return;
      }
      // Not accepted: the journal must not hold what the caller was told is not there.
      const refusal = isStreamFull(sent)
        ? new AppError("queue-full", { what: sent.message }, sent)
        : deps.storageFailure();
      if (refusal !== null) {
        await deps.audit.withdraw([row.id]);
        results[index] = { error: refusal.toWire() };
        return;
      }
      results[index] = {
        error: new AppError("broker-unavailable", { what: sent.message }, sent).toWire(),
      };
    }),
  );
  return results;
}

/** Nothing is journaled that the broker could not take: the caller is told at once instead. */
function refuseWithoutStorage(deps: EnqueueDeps): void {
  const failure = deps.storageFailure();
  if (failure !== null) throw failure;
}

/** A task that was there before needs no further message. Only that very one goes: others on its subject are not ours. */
async function takeBack(deps: EnqueueDeps, sent: Stored | null | Error): Promise<void> {
  if (sent === null || sent instanceof Error || sent.duplicate) return;
  try {
    await deps.wire.remove(deps.names.stream.tasks, sent.seq);
  } catch {
    // Ignored: whoever receives it finds the task's journal, or an ended task in the audit, and drops it.
  }
}

/**
 * A repeat is answered only when the task is on the broker: its first sending may have been journaled and then have met a
 * broker that was away. It is sent again unless the broker shows the task: a message of it, or a record. `early`: what came
 * of publishing it on the caller's word that its id was new.
 */
async function repeated(
  deps: EnqueueDeps,
  row: EnqueueRow,
  outcome: Extract<EnqueueJournaled, { kind: "duplicate" }>,
  early: Stored | null | Error | undefined,
): Promise<EnqueueResult> {
  if (early !== undefined) await takeBack(deps, early);
  if (outcome.status !== "waiting" || row.dueAt !== null) return toDuplicate(outcome);
  const { id, queue, level } = outcome;
  const sent = await settled(sendAgain(deps, { ...row, id, queue, level }));
  return sent instanceof Error
    ? { error: new AppError("broker-unavailable", { what: sent.message }, sent).toWire() }
    : toDuplicate(outcome);
}

async function sendAgain(deps: EnqueueDeps, row: EnqueueRow): Promise<Stored | null> {
  if ((await deps.journal.read(row.queue, row.id)) !== null) return null;
  try {
    return await send(deps, row, true);
  } catch (error) {
    if (error instanceof JetStreamRefusal && error.errCode === WRONG_LAST_SEQUENCE) return null;
    throw error;
  }
}

/** Errors as values, so that none goes unobserved while the journal is awaited. */
async function settled<T>(act: Promise<T>): Promise<T | Error> {
  try {
    return await act;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function prepare(
  deps: EnqueueDeps,
  item: EnqueueOrder,
  by: string,
  maxLevel: number,
  first: boolean,
): Prepared {
  const definition = deps.registry.get(item.name);
  if (definition === null) throw new AppError("unknown-task", { name: item.name });
  const level = item.priority ?? definition.priority;
  if (level > maxLevel) {
    throw new AppError("not-permitted", {
      user: by,
      role: `up to level ${maxLevel}`,
      act: `enqueue at level ${level}`,
      needs: leastRoleForLevel(level),
      level,
    });
  }
  checkInput(definition, item.input);
  const queue = item.queue ?? definition.queue;
  if (!QUEUE_PATTERN.test(queue))
    throw new AppError("bad-usage", {
      what: `${queue} is no queue name: lower-case letters, digits, hyphens and underscores.`,
    });
  const now = deps.now();
  const delayed = item.runAt !== undefined && item.runAt > now;
  const fresh = item.key === undefined && (item.id === undefined || (first && item.made === true));
  return {
    fresh,
    row: {
      id: item.id ?? nuid.next(),
      name: item.name,
      queue,
      level,
      maxAttempts: definition.maxAttempts,
      status: delayed ? "scheduled" : "waiting",
      input: item.input,
      by,
      createdAt: now,
      dueAt: delayed ? (item.runAt ?? null) : null,
      key: item.key ?? null,
      correlationId: item.correlationId ?? null,
      traceId: item.traceId ?? null,
      category: item.category ?? definition.category,
      phase: item.phase ?? definition.phase,
      run: item.run ?? null,
    },
  };
}

function checkInput(definition: KnownTask, input: string): void {
  const size = Buffer.byteLength(input);
  if (size > INPUT_LIMIT_BYTES) {
    throw new AppError("payload-too-large", {
      name: definition.name,
      size,
      limit: INPUT_LIMIT_BYTES,
    });
  }
  definition.check(input);
}

async function ensureConsumers(deps: EnqueueDeps, prepared: readonly Prepared[]): Promise<void> {
  const missing = new Map<string, EnqueueRow>();
  for (const { row } of prepared) {
    if (!deps.consumers.has(row.queue, row.level)) missing.set(`${row.queue}-${row.level}`, row);
  }
  await Promise.all(
    [...missing.values()].map((row) => deps.consumers.ensure(row.queue, row.level)),
  );
}

function toDuplicate(outcome: Extract<EnqueueJournaled, { kind: "duplicate" }>): EnqueueOutcome {
  return {
    id: outcome.id,
    queue: outcome.queue,
    priority: outcome.level,
    status: outcome.status === "scheduled" ? "scheduled" : "waiting",
    deduplicated: true,
    durability: "journaled",
  };
}

/** Header lines of generation 1 of a task. */
function taskHeaders(row: EnqueueRow): [string, string][] {
  const pairs: [string, string][] = [[HEADER.name, row.name]];
  if (row.correlationId !== null) pairs.push([HEADER.correlation, row.correlationId]);
  if (row.traceId !== null) pairs.push([HEADER.trace, row.traceId]);
  if (row.category !== null) pairs.push([HEADER.category, row.category]);
  if (row.phase !== null) pairs.push([HEADER.phase, row.phase]);
  if (row.run !== null) pairs.push([HEADER.run, JSON.stringify(row.run)]);
  return pairs;
}

function sendGrouped(
  group: Group,
  subject: string,
  input: string,
  headers: [string, string][],
): Promise<Stored> {
  return new Promise((resolve, reject) => {
    group.submit(subject, input, headers, (error, seq, _again, duplicate) => {
      if (error === null) resolve({ seq, duplicate });
      else reject(error);
    });
  });
}

/**
 * Puts a journaled task on the broker: among the waiting, or parked until it is due (null). `again`: it may have been sent
 * before; a message of it that waits still refuses this one.
 *
 * A task that is sent for the first time has no message id: the broker would keep each for two minutes, 200 bytes a task,
 * to refuse a repeat that only `again` can be. A batch of the group is sent again by itself, so there ids are needed.
 */
async function send(
  deps: Pick<EnqueueDeps, "wire" | "names" | "journal" | "group">,
  row: EnqueueRow,
  again = false,
): Promise<Stored | null> {
  const headers = taskHeaders(row);
  const messageId: [string, string] = [HEADER.msgId, `${row.id}:1`];
  if (row.dueAt === null) {
    const subject = deps.names.task(row.level, row.queue, row.id);
    if (again) headers.push([HEADER.expectLast, "0"]);
    if (deps.group === null) return deps.wire.publish(subject, row.input, encodeHeaders(headers));
    return sendGrouped(deps.group, subject, row.input, [messageId, ...headers]);
  }
  headers.push(messageId, [HEADER.due, String(row.dueAt)], [HEADER.level, String(row.level)]);
  await deps.wire.publish(deps.names.due(row.queue, row.id), row.input, encodeHeaders(headers));
  const record: JournalRecord = {
    s: "scheduled",
    g: 1,
    a: 0,
    l: row.level,
    t: row.createdAt,
    n: row.name,
    due: row.dueAt,
    x: row.maxAttempts,
  };
  await deps.journal.append(row.queue, row.id, record, 0);
  return null;
}
