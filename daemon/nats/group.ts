import { nuid } from "@nats-io/nuid";
import { encodeHeaders, type JetStreamRefusal, type OutcomeUnknown, type Wire } from "./wire.ts";

/** What became of one message of a group. `again`: it was sent a second time by itself, so a conflict may be with its own first copy. */
export type Grouped = (
  error: JetStreamRefusal | OutcomeUnknown | null,
  seq: number,
  again: boolean,
  duplicate: boolean,
) => void;

/** One message that may travel with others to the same stream. */
interface Item {
  readonly subject: string;
  readonly data: string | Uint8Array;
  readonly headers: readonly (readonly [string, string])[];
  readonly done: Grouped;
}

export interface Group {
  submit(
    subject: string,
    data: string | Uint8Array,
    headers: readonly (readonly [string, string])[],
    done: Grouped,
  ): void;
}

/** The server takes at most a thousand messages in an atomic batch. */
const MAX_ITEMS = 500;
/** Batches on their way: one is written while the next is sent. */
const MAX_IN_FLIGHT = 3;

/**
 * Stores messages of one stream in atomic batches: where every write is synced to disk, one sync then serves a whole
 * batch instead of one message. What is submitted while batches are on their way travels in the next one. A batch that
 * the server refuses (one message lost its compare-and-swap, or is a repeat) is sent again message by message.
 */
export function createGroup(wire: Wire): Group {
  let waiting: Item[] = [];
  let inFlight = 0;
  let scheduled = false;

  const single = (item: Item, again: boolean, end: () => void): void => {
    wire.post(item.subject, item.data, encodeHeaders(item.headers), (error, seq, duplicate) => {
      item.done(error, seq, again, duplicate);
      end();
    });
  };

  const singles = (items: readonly Item[]): void => {
    let left = items.length;
    for (const item of items) {
      single(item, true, () => {
        left--;
        if (left === 0) landed();
      });
    }
  };

  const launch = (items: readonly Item[]): void => {
    inFlight++;
    if (items.length === 1) {
      single(items[0]!, false, landed);
      return;
    }
    const id = nuid.next();
    const last = items.length - 1;
    items.forEach((item, at) => {
      const headers = [
        ...item.headers,
        ["Nats-Batch-Id", id],
        ["Nats-Batch-Sequence", String(at + 1)],
      ] as const;
      if (at < last) {
        wire.send(item.subject, item.data, encodeHeaders(headers as Item["headers"]));
        return;
      }
      const commit = encodeHeaders([...(headers as Item["headers"]), ["Nats-Batch-Commit", "1"]]);
      wire.post(item.subject, item.data, commit, (error, seq) => {
        if (error !== null) {
          singles(items);
          return;
        }
        // Atomic: the batch lies in one piece, its last message at `seq`.
        for (const [place, one] of items.entries()) {
          one.done(null, seq - last + place, false, false);
        }
        landed();
      });
    });
  };

  const landed = (): void => {
    inFlight--;
    pump();
  };

  const pump = (): void => {
    while (waiting.length > 0 && inFlight < MAX_IN_FLIGHT) {
      const items = waiting.slice(0, MAX_ITEMS);
      waiting = waiting.slice(MAX_ITEMS);
      launch(items);
    }
  };

  return {
    submit(subject, data, headers, done) {
      waiting.push({ subject, data, headers, done });
      if (scheduled) return;
      scheduled = true;
      queueMicrotask(() => {
        scheduled = false;
        pump();
      });
    },
  };
}
