import { randomUUID } from "node:crypto";
import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import { describe } from "../../shared/errors.ts";
import type { Names } from "../../shared/subjects.ts";
import type { Log } from "../log.ts";
import type { Wire } from "../nats/wire.ts";
import { parseDelivery } from "./delivery.ts";
import { type FollowedRecord, toFollowedRecord } from "./followed-record.ts";

/** Records asked for at once; the next are asked for when half of them have come, so that the server never waits. */
const PULL_RECORDS = 1000;
/** A record may carry a result of 256 KiB: the memory of one pull must stay bounded. */
const PULL_BYTES = 16 * 1024 * 1024;
const PULL_EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 1000;
/** Heartbeats missed before the consumer counts as gone, e.g. with the server that held it. */
const SILENCE_MS = 3500;
const RETRY_MS = 250;
/** The broker removes the consumer of an audit that went away. */
const CONSUMER_TTL_MS = 30_000;
const MS_TO_NS = 1_000_000;

/** What the broker says of the journal stream when the follower comes to it. */
export interface StreamFacts {
  readonly created: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** Follows the journal stream in order, without acknowledgements, from wherever it is told to. */
export interface Follower {
  /** Asks for more when there is room for it. */
  refill(): void;
  /** Leaves the journal at once and comes back where `startAt` says; no record of before arrives after this call. */
  restart(): void;
  stop(): void;
}

export interface FollowerDeps {
  readonly nc: NatsConnection;
  readonly wire: Wire;
  readonly names: Names;
  readonly inbox: string;
  readonly log: Log;
  /** The first sequence to read. Asked each time the follower (again) comes to the stream. */
  readonly startAt: (facts: StreamFacts) => Promise<number>;
  /** `last`: the newest sequence of the stream, as far as known. */
  readonly onRecord: (followed: FollowedRecord, last: number) => void;
  /** How far the stream reaches, told at each arrival at it. */
  readonly onLast: (last: number) => void;
  /** False while so much waits to be written that no more should come. */
  readonly hasRoom: () => boolean;
}

/** One stay at the stream: an ordered consumer of our own and what it owes us. */
interface Stay {
  readonly sub: Subscription;
  readonly consumer: string;
  /** Records asked for and not come yet. */
  asked: number;
  nextConsumerSeq: number;
  heardAt: number;
  pulls: number;
}

export function createFollower(deps: FollowerDeps): Follower {
  const { nc, wire, names, log } = deps;
  const stream = names.stream.state;
  let stay: Stay | null = null;
  let stopped = false;
  /** Grows at each restart, so that an arrival that was overtaken gives up. */
  let journey = 0;

  function leave(): void {
    journey += 1;
    if (stay === null) return;
    stay.sub.unsubscribe();
    if (!nc.isClosed())
      nc.publish(`$JS.API.CONSUMER.DELETE.${stream}.${stay.consumer}`, "", {
        reply: `${deps.inbox}.left`,
      });
    stay = null;
  }

  function restart(): void {
    leave();
    if (!stopped) void arrive(journey);
  }

  async function arrive(mine: number): Promise<void> {
    for (let tries = 0; mine === journey && !stopped; tries += 1) {
      try {
        return await attach(mine);
      } catch (error) {
        if (tries % 40 === 0) log.warn("journal not reached", { why: describe(error) });
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async function attach(mine: number): Promise<void> {
    const info = await wire.api<{
      created: string;
      state: { first_seq: number; last_seq: number };
    }>(`$JS.API.STREAM.INFO.${stream}`, undefined);
    const { first_seq: firstSeq, last_seq: lastSeq } = info.state;
    const start = await deps.startAt({ created: info.created, firstSeq, lastSeq });
    if (mine !== journey) return;
    const consumer = `audit-${randomUUID()}`;
    const inbox = `${deps.inbox}.${consumer}`;
    const filter = names.state("*", "*");
    const sub = nc.subscribe(`${inbox}.*`, {
      callback: (error, m) => {
        if (error === null) receive(m, inbox);
      },
    });
    const next: Stay = { sub, consumer, asked: 0, nextConsumerSeq: 1, heardAt: 0, pulls: 0 };
    try {
      await wire.api(`$JS.API.CONSUMER.CREATE.${stream}.${consumer}.${filter}`, {
        stream_name: stream,
        config: {
          name: consumer,
          deliver_policy: "by_start_sequence",
          opt_start_seq: Math.max(start, 1),
          ack_policy: "none",
          replay_policy: "instant",
          filter_subject: filter,
          inactive_threshold: CONSUMER_TTL_MS * MS_TO_NS,
          mem_storage: true,
          num_replicas: 1,
        },
      });
    } catch (error) {
      sub.unsubscribe();
      throw error;
    }
    if (mine !== journey) return sub.unsubscribe();
    next.heardAt = performance.now();
    stay = next;
    deps.onLast(lastSeq);
    refill();
  }

  function refill(): void {
    if (stay === null || stay.asked > PULL_RECORDS / 2 || !deps.hasRoom()) return;
    stay.asked += PULL_RECORDS;
    stay.pulls += 1;
    const request = {
      batch: PULL_RECORDS,
      max_bytes: PULL_BYTES,
      expires: PULL_EXPIRES_MS * MS_TO_NS,
      idle_heartbeat: HEARTBEAT_MS * MS_TO_NS,
    };
    nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${stay.consumer}`, JSON.stringify(request), {
      reply: `${deps.inbox}.${stay.consumer}.${stay.pulls}`,
    });
  }

  function receive(m: Msg, inbox: string): void {
    if (stay === null) return;
    stay.heardAt = performance.now();
    const delivery = m.reply ? parseDelivery(m.reply) : null;
    if (delivery === null) {
      // A status comes on the inbox itself; a record has the subject that it was published on.
      if (m.subject.startsWith(inbox)) hearStatus(m);
      return;
    }
    if (delivery.consumerSeq !== stay.nextConsumerSeq) {
      log.warn("journal delivery had a gap", { seq: delivery.streamSeq });
      restart();
      return;
    }
    stay.nextConsumerSeq += 1;
    stay.asked -= 1;
    const where = names.parseState(m.subject);
    const { streamSeq, time, pending } = delivery;
    const id = where?.taskId ?? m.subject;
    deps.onRecord(
      toFollowedRecord(streamSeq, id, where?.queue ?? "", time, textOf(m.data)),
      streamSeq + pending,
    );
    refill();
  }

  function hearStatus(m: Msg): void {
    if (stay === null) return;
    const { code = 0 } = m.headers ?? {};
    if (code === 100) return;
    if (code === 404 || code === 408 || (code === 409 && m.headers?.has("Nats-Pending-Messages"))) {
      // This pull ended before it was filled: what it still owed will not come.
      const owed = Number(m.headers?.get("Nats-Pending-Messages") || 0);
      stay.asked = Math.max(0, stay.asked - owed);
      refill();
      return;
    }
    log.info("journal consumer ended", { code, why: m.headers?.description ?? "" });
    setTimeout(restart, RETRY_MS);
    leave();
  }

  const watchdog = setInterval(() => {
    if (stay === null || stay.asked === 0) return;
    if (performance.now() - stay.heardAt < SILENCE_MS || nc.isClosed()) return;
    log.warn("journal fell silent", { consumer: stay.consumer });
    restart();
  }, HEARTBEAT_MS);

  async function watchConnection(): Promise<void> {
    for await (const status of nc.status()) if (status.type === "reconnect") restart();
  }
  watchConnection().catch((error: unknown) =>
    log.error("connection not watched", { why: describe(error) }),
  );
  restart();
  return {
    refill,
    restart,
    stop() {
      stopped = true;
      clearInterval(watchdog);
      leave();
    },
  };
}

function textOf(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("utf8");
}
