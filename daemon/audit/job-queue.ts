import { type AppError, fromUnknown } from "../../shared/errors.ts";
import type { DatabaseKeeper } from "./database-keeper.ts";
import type { Writer } from "./writer.ts";

/** Something to write that a caller waits for. */
interface Job {
  /** Inside the transaction; may run twice when another job of the first transaction failed. */
  readonly work: (writer: Writer) => unknown;
  readonly done: (value: unknown) => void;
  readonly failed: (error: AppError) => void;
}

/** Refusals and notes that are kept in memory while the database cannot be written; the oldest go first. */
const EVENTS_KEPT = 10_000;

/**
 * Group commit: what comes while one transaction runs goes into the next one together. A lone job is written in the
 * same turn of the event loop; there is no timer.
 */
export interface JobQueue {
  add(job: Job): void;
  /** Written with the next transaction; kept while the database cannot be written. */
  addEvent(write: (writer: Writer) => void): void;
  /** Writes what waits now. */
  flush(): void;
  /** Whether jobs came in the last moments. */
  busy(): boolean;
}

const BUSY_MS = 200;

export function createJobQueue(keeper: DatabaseKeeper): JobQueue {
  let jobs: Job[] = [];
  let events: ((writer: Writer) => void)[] = [];
  let scheduled = false;
  let lastJobMs = Number.NEGATIVE_INFINITY;

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
  }

  function write(batch: readonly Job[], extra: readonly ((writer: Writer) => void)[]): unknown[] {
    return keeper.transaction(true, (writer) => {
      const values = batch.map((job) => job.work(writer));
      for (const event of extra) event(writer);
      return values;
    });
  }

  function flush(): void {
    scheduled = false;
    const batch = jobs;
    const extra = events;
    jobs = [];
    if (batch.length > 0) lastJobMs = performance.now();
    if (batch.length === 0 && extra.length === 0) return;
    try {
      const values = write(batch, extra);
      events = [];
      batch.forEach((job, i) => {
        job.done(values[i]);
      });
    } catch (error) {
      const reason = fromUnknown(error);
      if (batch.length > 1 && reason.code !== "audit-store-unavailable") one(batch);
      else for (const job of batch) job.failed(reason);
    }
  }

  /** One of the jobs cannot be written: alone, it fails alone. */
  function one(batch: readonly Job[]): void {
    for (const job of batch) {
      try {
        job.done(write([job], [])[0]);
      } catch (error) {
        job.failed(fromUnknown(error));
      }
    }
  }

  return {
    add(job) {
      jobs.push(job);
      schedule();
    },
    addEvent(event) {
      events.push(event);
      if (events.length > EVENTS_KEPT) events = events.slice(-EVENTS_KEPT);
      schedule();
    },
    flush,
    busy: () => performance.now() - lastJobMs < BUSY_MS,
  };
}
