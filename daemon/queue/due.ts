import type { Msg } from "@nats-io/transport-node";
import { HEADER } from "../../shared/subjects.ts";
import { isTerminal, type JournalRecord } from "../../shared/task.ts";
import { encodeHeaders } from "../nats/wire.ts";
import { type MoveDeps, readRow, removeLater } from "./move.ts";
import { copyHeaders } from "./task-message.ts";

/** A parked task: when it becomes due, and where its payload lies. */
interface Parked {
  readonly queue: string;
  readonly id: string;
  readonly due: number;
  readonly seq: number;
}

export interface DueClock {
  /** Parked tasks known now. */
  readonly size: number;
  /** Makes a parked task due now; false when none is parked under this id. */
  fireNow(id: string): boolean;
  stop(): Promise<void>;
}

export interface DueDeps extends MoveDeps {
  readonly inbox: string;
}

const RETRY_MS = 500;
/** Node's timers hold 31 bits of milliseconds. */
const MAX_TIMER_MS = 2_000_000_000;
/** A parked copy that is ahead of its journal: its writer is about to append, or died and was overtaken. */
const AHEAD_LIMIT_MS = 10_000;

/**
 * Moves delayed tasks (run-at and retries) to the waiting ones when they become due. It follows the parked messages, so
 * after a restart the stream itself says what is due; what became due meanwhile is moved at once.
 */
export async function startDueClock(deps: DueDeps): Promise<DueClock> {
  const parked = new Map<string, Parked>();
  let heap: Parked[] = [];
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  let busy: Promise<void> = Promise.resolve();

  const arm = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const next = heap[0];
    if (next === undefined || stopped) return;
    timer = setTimeout(tick, Math.min(MAX_TIMER_MS, Math.max(0, next.due - deps.now())));
  };
  const insert = (item: Parked): void => {
    let low = 0;
    let high = heap.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (heap[middle]!.due <= item.due) low = middle + 1;
      else high = middle;
    }
    heap.splice(low, 0, item);
    if (low === 0) arm();
  };
  const park = (item: Parked): void => {
    parked.set(item.id, item);
    insert(item);
  };
  const tick = (): void => {
    const now = deps.now();
    let count = 0;
    while (count < heap.length && heap[count]!.due <= now) count++;
    const ready = heap.slice(0, count);
    heap = heap.slice(count);
    busy = busy.then(() => fireAll(ready));
    arm();
  };
  const fireAll = async (ready: readonly Parked[]): Promise<void> => {
    for (let i = 0; i < ready.length && !stopped; i += 100) {
      await Promise.all(ready.slice(i, i + 100).map(fireSafely));
    }
  };
  const fireSafely = async (item: Parked): Promise<void> => {
    // A later message on the subject took its place.
    if (parked.get(item.id) !== item) return;
    try {
      const again = await fire(deps, item);
      if (parked.get(item.id) !== item) return;
      parked.delete(item.id);
      if (again !== null) park({ ...item, due: deps.now() + again });
    } catch (error) {
      deps.log("due_task_not_moved", { taskId: item.id, error: String(error) });
      // Only what is known under its id fires: the very one that goes back must be it.
      if (parked.get(item.id) === item && !stopped) park({ ...item, due: deps.now() + RETRY_MS });
    }
  };
  const follow = await followParked(deps, (m, seq) => {
    const [, , queue, id] = m.subject.split(".");
    if (!queue || !id) return;
    const due = Number(m.headers?.get(HEADER.due) ?? 0);
    park({ queue, id, seq, due });
  });
  return {
    get size() {
      return parked.size;
    },
    fireNow(id) {
      const item = parked.get(id);
      if (item === undefined) return false;
      const now = { ...item, due: 0 };
      parked.set(id, now);
      insert(now);
      return true;
    },
    async stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      await follow.stop();
      await busy;
    },
  };
}

/** Null: done with it. A number: look again after so many milliseconds. */
async function fire(deps: DueDeps, item: Parked): Promise<number | null> {
  const { names, wire, journal } = deps;
  const message = await wire.at(names.stream.due, item.seq);
  if (message === null) return null;
  const generation = Number(message.headers.get(HEADER.generation) ?? 1);
  const entry = await journal.read(item.queue, item.id);
  const record = entry?.record ?? null;
  if (record === null && isTerminal(readRow(deps, item.id)?.status ?? "scheduled")) {
    // It ended so long ago that its journal is purged: this message was left over.
    removeLater(deps, names.stream.due, item.seq);
    return null;
  }
  if (record === null || record.g < generation) {
    if (deps.now() - message.timeMs < AHEAD_LIMIT_MS) return RETRY_MS;
    // Its writer died before the journal knew of it. A delayed enqueue is completed; a retry was overtaken by the lost lease.
    if (record !== null) {
      removeLater(deps, names.stream.due, item.seq);
      return null;
    }
  }
  if (
    record !== null &&
    (record.g > generation ||
      (record.s !== "scheduled" && record.s !== "retrying" && record.s !== "waiting"))
  ) {
    removeLater(deps, names.stream.due, item.seq);
    return null;
  }
  const level = record?.l ?? Number(message.headers.get(HEADER.level) ?? 5);
  await deps.consumers.ensure(item.queue, level);
  // The level is part of the message id: after a change of level the copy at the new one is no repeat.
  const headers = copyHeaders(message.headers, item.id, generation).filter(
    ([name]) => name !== HEADER.msgId,
  );
  headers.push([HEADER.msgId, `${item.id}:${generation}:${level}`], [HEADER.journaled, "1"]);
  const copy = await wire.publish(
    names.task(level, item.queue, item.id),
    message.data,
    encodeHeaders(headers),
  );
  if (record === null || record.s !== "waiting") {
    const waiting: JournalRecord = {
      ...(record ?? { a: 0 }),
      s: "waiting",
      g: generation,
      l: level,
      t: deps.now(),
      m: copy.seq,
      by: "msgsys",
      role: "system",
      act: "due",
    };
    const appended = await journal.append(
      item.queue,
      item.id,
      withoutAttempt(waiting),
      entry?.seq ?? 0,
    );
    // Lost to a worker that claimed the copy already: fine. Lost to a change of level: the copy is at the old one.
    if (appended.kind === "lost") {
      const now = await journal.read(item.queue, item.id);
      if (
        now !== null &&
        now.record.g === generation &&
        (now.record.s === "scheduled" || now.record.s === "retrying")
      ) {
        removeLater(deps, names.stream.tasks, copy.seq);
        return 1;
      }
    }
  }
  removeLater(deps, names.stream.due, item.seq);
  return null;
}

/** The attempt's own fields belong to the record that ended it. */
function withoutAttempt(record: JournalRecord): JournalRecord {
  const { e: _e, st: _st, du: _du, due: _due, why: _why, from: _from, ...rest } = record;
  return rest;
}

/** Follows the parked messages from the first on, headers only. */
async function followParked(
  deps: DueDeps,
  onParked: (m: Msg, seq: number) => void,
): Promise<{ stop(): Promise<void> }> {
  const { wire, names } = deps;
  const { nc } = wire;
  const deliver = `${deps.inbox}.due`;
  const stream = names.stream.due;
  let consumer = "";
  let lastHeard = performance.now();
  const sub = nc.subscribe(deliver, {
    callback: (_err, m) => {
      lastHeard = performance.now();
      const reply = m.reply?.split(".");
      if (m.subject === deliver || reply === undefined) {
        // A flow-control request wants an answer; a heartbeat does not.
        if (m.reply && (m.headers?.description ?? "").startsWith("Flow")) m.respond();
        return;
      }
      onParked(m, Number(reply.at(-4)));
    },
  });
  const open = async (): Promise<void> => {
    const answer = await wire.api<{ name: string }>(`$JS.API.CONSUMER.CREATE.${stream}`, {
      stream_name: stream,
      config: {
        deliver_subject: deliver,
        ack_policy: "none",
        headers_only: true,
        // From the first one, also after a break: a server that was killed may bring removed messages back.
        deliver_policy: "all",
        idle_heartbeat: 1_000_000_000,
        flow_control: true,
        mem_storage: true,
        inactive_threshold: 30_000_000_000,
        num_replicas: 1,
      },
    });
    consumer = answer.name;
    lastHeard = performance.now();
  };
  await open();
  const watch = setInterval(() => {
    // Heartbeats come each second; without them the consumer is gone (a server restart ends it).
    if (performance.now() - lastHeard < 3000) return;
    lastHeard = performance.now();
    open().catch((error: unknown) => deps.log("due_follow_failed", { error: String(error) }));
  }, 1000);
  return {
    async stop() {
      clearInterval(watch);
      sub.unsubscribe();
      await wire.api(`$JS.API.CONSUMER.DELETE.${stream}.${consumer}`, undefined).catch(() => {
        // Ignored: an ephemeral consumer goes by itself.
      });
    },
  };
}
