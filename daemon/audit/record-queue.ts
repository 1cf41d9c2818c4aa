import type { FollowedRecord } from "./followed-record.ts";

/** A transaction of this many takes about 10 ms: enqueues wait no longer than that … */
const BATCH_BESIDE_ENQUEUES = 1000;
/** … and without enqueues it may take longer: the more tasks begin and end in one batch, the fewer rows are written. */
const BATCH_RECORDS = 4000;
/** Batches of this many and more mean load: then they are gathered for longer. */
const LOAD_RECORDS = 300;
const EVERY_MS_UNDER_LOAD = 50;
const EVERY_MS = 10;
/** Records in memory at which no more are asked for. */
const ROOM_RECORDS = 8000;

/** Records on their way into the database, in batches: at once when little comes, larger ones when much does. */
export interface RecordQueue {
  push(record: FollowedRecord): void;
  /** Somebody waits for what was pushed: do not gather any longer. */
  hurry(): void;
  hasRoom(): boolean;
  /** Forgets what waits; what is being written is told by `work`'s second argument. */
  clear(): void;
  /** Resolves when all that was pushed has been worked. */
  idle(): Promise<void>;
  stop(): void;
}

/**
 * `work` gets each batch in order, one at a time; `isCurrent()` turns false when the queue was cleared meanwhile.
 * `besideEnqueues`: whether somebody else waits for the database now and then.
 */
export function createRecordQueue(
  work: (batch: readonly FollowedRecord[], isCurrent: () => boolean) => Promise<void>,
  besideEnqueues: () => boolean,
): RecordQueue {
  let waiting: FollowedRecord[] = [];
  let working: Promise<void> | null = null;
  let wake: (() => void) | null = null;
  let era = 0;
  let endedAtMs = 0;
  let lastBatch = 0;
  let stopped = false;

  const limit = (): number => (besideEnqueues() ? BATCH_BESIDE_ENQUEUES : BATCH_RECORDS);

  /** Lets the records that came in one piece from the socket, or in the gathering time, come together. */
  async function gather(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    const everyMs = lastBatch >= LOAD_RECORDS ? EVERY_MS_UNDER_LOAD : EVERY_MS;
    const restMs = endedAtMs + everyMs - performance.now();
    if (restMs <= 0 || waiting.length >= limit()) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, restMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    wake = null;
  }

  async function run(): Promise<void> {
    while (waiting.length > 0 && !stopped) {
      await gather();
      const batch = waiting.length <= limit() ? waiting : waiting.slice(0, limit());
      lastBatch = batch.length;
      waiting = waiting.slice(batch.length);
      const mine = era;
      if (batch.length > 0) await work(batch, () => mine === era);
      endedAtMs = performance.now();
    }
  }

  return {
    push(record) {
      waiting.push(record);
      if (working === null)
        working = run().finally(() => {
          working = null;
        });
      else if (waiting.length >= limit()) wake?.();
    },
    hurry() {
      endedAtMs = 0;
      wake?.();
    },
    hasRoom: () => waiting.length < ROOM_RECORDS,
    clear() {
      waiting = [];
      era += 1;
    },
    async idle() {
      while (working !== null) {
        wake?.();
        await working;
      }
    },
    stop() {
      stopped = true;
      wake?.();
    },
  };
}
