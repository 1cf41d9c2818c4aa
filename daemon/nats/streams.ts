import { AppError, describe } from "../../shared/errors.ts";
import type { Settings } from "../../shared/settings.ts";
import { EGOS_ROOT, EVENTS_ROOT, type Names } from "../../shared/subjects.ts";
import { JetStreamRefusal, type Wire } from "./wire.ts";

const MS_TO_NS = 1_000_000;
/** Longer than any retry of a publisher; the journal is the long-term guard against repeats. */
const DUPLICATE_WINDOW_MS = 120_000;
/** Above any sensible sum of slots: at this many unacknowledged messages a level would stall. */
const MAX_ACK_PENDING = 20_000;
const STREAM_NOT_FOUND = 10059;

interface StreamConfig {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly [key: string]: unknown;
}

/** The streams of the system, as they are declared on the broker. */
export function streamConfigs(names: Names, settings: Settings): StreamConfig[] {
  const { stream, prefix } = names;
  const file = (
    name: string,
    subjects: readonly string[],
    more: Record<string, unknown>,
  ): StreamConfig => ({
    name,
    subjects,
    storage: "file",
    num_replicas: settings.nats.replicas,
    allow_direct: true,
    duplicate_window: DUPLICATE_WINDOW_MS * MS_TO_NS,
    ...more,
  });
  const limits = (
    name: string,
    subjects: readonly string[],
    maxAgeMs: number,
    more: Record<string, unknown> = {},
  ): StreamConfig =>
    file(name, subjects, {
      retention: "limits",
      max_age: maxAgeMs * MS_TO_NS,
      ...(maxAgeMs > 0 && maxAgeMs < DUPLICATE_WINDOW_MS
        ? { duplicate_window: maxAgeMs * MS_TO_NS }
        : {}),
      ...more,
    });
  return [
    // Never message schedules or rollup here: a publisher of a low level could then reach a high one.
    file(stream.tasks, [`${prefix}.task.*.*.*`], {
      // Where every write is synced, an acknowledgement that deletes its message costs a sync; messages of a limits
      // stream stay, and are purged together below the floor that every lane has acknowledged.
      retention: settings.nats.durability === "strict" ? "limits" : "workqueue",
      discard: "new",
      max_bytes: Math.floor(settings.nats.maxFileStoreBytes * 0.5),
      allow_atomic: true,
      republish: { src: `${prefix}.task.>`, dest: `${prefix}.bell.>`, headers_only: true },
    }),
    file(stream.state, [`${prefix}.state.*.*`], {
      retention: "limits",
      discard: "new",
      max_bytes: Math.floor(settings.nats.maxFileStoreBytes * 0.3),
      allow_atomic: true,
      republish: { src: `${prefix}.state.>`, dest: `${prefix}.fact.>` },
    }),
    limits(stream.events, [`${prefix}.event.>`, `${EVENTS_ROOT}.>`], settings.retention.eventsMs),
    limits(stream.dead, [`${prefix}.dead.*.*`], settings.retention.deadMs, {
      max_msgs_per_subject: 1,
    }),
    file(stream.due, [`${prefix}.due.*.*`], {
      retention: "limits",
      max_msgs_per_subject: 1,
      discard: "new",
      discard_new_per_subject: false,
    }),
    limits(stream.egos, [`${EGOS_ROOT}.>`], settings.retention.eventsMs),
    limits(
      stream.advisory,
      [
        "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>",
        "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>",
      ],
      settings.retention.eventsMs,
    ),
  ];
}

/** Declares every stream, changing one that differs in what may change; `stream-incompatible` otherwise. Idempotent. */
export async function ensureStreams(wire: Wire, names: Names, settings: Settings): Promise<void> {
  for (const config of streamConfigs(names, settings)) await ensureStream(wire, config);
  await ensureStream(wire, {
    name: `KV_${names.kv.results}`,
    subjects: [`$KV.${names.kv.results}.>`],
    storage: "file",
    num_replicas: settings.nats.replicas,
    retention: "limits",
    max_msgs_per_subject: 1,
    allow_direct: true,
    max_age: Math.max(settings.retention.journalMs, 60_000) * MS_TO_NS,
    discard: "new",
    deny_delete: true,
    allow_rollup_hdrs: true,
  });
}

async function ensureStream(wire: Wire, config: StreamConfig): Promise<void> {
  const found = await exists(wire, config.name);
  const verb = found ? "UPDATE" : "CREATE";
  try {
    await wire.api(`$JS.API.STREAM.${verb}.${config.name}`, config);
  } catch (error) {
    if (error instanceof JetStreamRefusal) {
      throw new AppError(
        "stream-incompatible",
        { stream: config.name, what: error.message },
        error,
      );
    }
    throw new AppError("broker-unavailable", { what: describe(error) }, error);
  }
}

async function exists(wire: Wire, stream: string): Promise<boolean> {
  try {
    await wire.api(`$JS.API.STREAM.INFO.${stream}`, undefined);
    return true;
  } catch (error) {
    if (error instanceof JetStreamRefusal && error.errCode === STREAM_NOT_FOUND) return false;
    throw error;
  }
}

/** The durable pull consumer of one level of one queue. Attempts are counted in the journal, so deliveries have no limit. */
export function taskConsumerConfig(
  names: Names,
  queue: string,
  level: number,
  ackWaitMs: number,
): { durable_name: string; filter_subject: string; [key: string]: unknown } {
  return {
    durable_name: names.consumer(queue, level),
    filter_subject: names.task(level, queue, "*"),
    ack_policy: "explicit",
    ack_wait: ackWaitMs * MS_TO_NS,
    max_deliver: -1,
    max_ack_pending: MAX_ACK_PENDING,
    max_waiting: 2048,
  };
}

/**
 * Makes consumers before the first message of a level needs them; remembers which are there. Workers are told of each, ahead
 * of its first message: the order of levels must hold for one that is new, also while doorbells are off under load.
 */
export interface TaskConsumers {
  ensure(queue: string, level: number): Promise<void>;
  has(queue: string, level: number): boolean;
  forget(): void;
}

export function createTaskConsumers(deps: {
  wire: Wire;
  names: Names;
  ackWaitMs: number;
  /** A consumer has come to be: whoever pulls should know of it before its first message. */
  created(queue: string, level: number): void;
}): TaskConsumers {
  const known = new Map<string, Promise<void> | true>();
  return {
    has: (queue, level) => known.get(deps.names.consumer(queue, level)) === true,
    forget: () => known.clear(),
    async ensure(queue, level) {
      const key = deps.names.consumer(queue, level);
      const there = known.get(key);
      if (there === true) return;
      if (there) return there;
      const config = taskConsumerConfig(deps.names, queue, level, deps.ackWaitMs);
      const stream = deps.names.stream.tasks;
      const making = deps.wire
        .api(`$JS.API.CONSUMER.CREATE.${stream}.${key}.${config.filter_subject}`, {
          stream_name: stream,
          config,
        })
        .then(() => {
          known.set(key, true);
          deps.created(queue, level);
        })
        .catch((error: unknown) => {
          known.delete(key);
          throw error;
        });
      known.set(key, making);
      return making;
    },
  };
}

/**
 * Takes acknowledged messages off a limits stream, lane by lane: a task that waits long holds back only its own queue and
 * level. `purged` remembers each lane's floor, so that a lane at rest costs nothing.
 */
export async function purgeAcknowledged(
  wire: Wire,
  names: Names,
  purged: Map<string, number>,
): Promise<void> {
  const stream = names.stream.tasks;
  for (let offset = 0; ; ) {
    const page = await wire.api<{
      total: number;
      consumers: { name: string; ack_floor: { stream_seq: number } }[] | null;
    }>(`$JS.API.CONSUMER.LIST.${stream}`, { offset });
    for (const { name, ack_floor: floor } of page.consumers ?? []) {
      const where = names.parseConsumer(name);
      if (where === null || floor.stream_seq <= (purged.get(name) ?? 0)) continue;
      await wire.purge(stream, names.task(where.level, where.queue, "*"), floor.stream_seq + 1);
      purged.set(name, floor.stream_seq);
    }
    offset += page.consumers?.length ?? 0;
    if (offset >= page.total || !page.consumers?.length) return;
  }
}

/** Waiting and delivered-but-unacknowledged messages of each consumer of the task stream. */
export interface LaneCount {
  readonly queue: string;
  readonly level: number;
  readonly waiting: number;
  readonly pending: number;
}

export async function countLanes(wire: Wire, names: Names): Promise<LaneCount[]> {
  const lanes: LaneCount[] = [];
  for (let offset = 0; ; ) {
    const page = await wire.api<{
      total: number;
      consumers: { name: string; num_pending: number; num_ack_pending: number }[] | null;
    }>(`$JS.API.CONSUMER.LIST.${names.stream.tasks}`, { offset });
    for (const info of page.consumers ?? []) {
      const where = names.parseConsumer(info.name);
      if (where) lanes.push({ ...where, waiting: info.num_pending, pending: info.num_ack_pending });
    }
    offset += page.consumers?.length ?? 0;
    if (offset >= page.total || !page.consumers?.length) return lanes;
  }
}

/** Messages and last sequence of a stream. */
export async function streamState(
  wire: Wire,
  stream: string,
): Promise<{ messages: number; lastSeq: number; firstSeq: number; bytes: number }> {
  const info = await wire.api<{
    state: { messages: number; last_seq: number; first_seq: number; bytes: number };
  }>(`$JS.API.STREAM.INFO.${stream}`, undefined);
  return {
    messages: info.state.messages,
    lastSeq: info.state.last_seq,
    firstSeq: info.state.first_seq,
    bytes: info.state.bytes,
  };
}
