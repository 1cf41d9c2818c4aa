import { setTimeout as delay } from "node:timers/promises";
import { describe } from "../../shared/errors.ts";
import { createNames, EVENTS_ROOT, HEADER } from "../../shared/subjects.ts";
import { encodeHeaders, JetStreamRefusal, type Wire } from "../nats/wire.ts";
import type { FollowedRecord } from "./followed-record.ts";

const RETRY_MS = 250;
/** The broker answered and refused: a stream that is full or being made may take it a moment later. */
const REFUSALS_BEFORE_GIVING_UP = 20;
const IN_FLIGHT = 256;

interface Outgoing {
  readonly taskId: string;
  readonly subject: string;
  readonly msgId: string;
  readonly data: string;
}

/** Publishes the events that records carry, each once: its id lets the broker drop a repetition. */
export interface Outbox {
  /**
   * Resolves with true when the broker has stored every event of these records; while it is away this goes on trying.
   * False when it was stopped before.
   */
  publish(records: readonly FollowedRecord[]): Promise<boolean>;
  stop(): void;
}

export interface OutboxDeps {
  readonly wire: Wire;
  readonly prefix: string;
  /** An event that can never be stored. */
  readonly onRefused: (taskId: string, subject: string, why: string) => void;
}

export function createOutbox({ wire, prefix, onRefused }: OutboxDeps): Outbox {
  /** Records up to here had their events published by this process; the journal may be read again after an outage. */
  let publishedSeq = 0;
  let stopped = false;

  async function send(event: Outgoing): Promise<void> {
    for (let refusals = 0; !stopped; ) {
      try {
        await wire.publish(event.subject, event.data, encodeHeaders([[HEADER.msgId, event.msgId]]));
        return;
      } catch (error) {
        // Ignored until it has been refused often enough: without the broker nothing but waiting helps.
        if (error instanceof JetStreamRefusal && ++refusals >= REFUSALS_BEFORE_GIVING_UP) {
          onRefused(event.taskId, event.subject, describe(error));
          return;
        }
        await delay(RETRY_MS);
      }
    }
  }

  return {
    async publish(records) {
      const fresh = records.filter(({ seq, record }) => seq > publishedSeq && record?.ev);
      const last = records.at(-1);
      if (fresh.length > 0) {
        const events = fresh.flatMap(toOutgoing);
        const allowed = events.filter((event) => {
          const fits = isEventSubject(event.subject, prefix);
          if (!fits) onRefused(event.taskId, event.subject, "it is not a subject of events");
          return fits;
        });
        for (let at = 0; at < allowed.length; at += IN_FLIGHT)
          await Promise.all(allowed.slice(at, at + IN_FLIGHT).map(send));
      }
      if (stopped && fresh.length > 0) return false;
      if (last !== undefined) publishedSeq = Math.max(publishedSeq, last.seq);
      return true;
    },
    stop() {
      stopped = true;
    },
  };
}

function toOutgoing({ id, record }: FollowedRecord): Outgoing[] {
  return (record?.ev ?? []).map((event, index) => ({
    taskId: id,
    subject: event.subject,
    msgId: `${id}:${record?.g}:ev:${index}`,
    data: JSON.stringify(event.data ?? null),
  }));
}

/**
 * Events of handlers leave with the daemon's rights, so they may go nowhere but to the events.
 * The subject must be a plain one: no wildcards, no empty tokens, no spaces.
 */
export function isEventSubject(subject: unknown, prefix: string): subject is string {
  return (
    typeof subject === "string" &&
    (subject.startsWith(`${EVENTS_ROOT}.`) || subject.startsWith(createNames(prefix).event(""))) &&
    subject.split(".").every((token) => /^[^\s*>]+$/.test(token))
  );
}
