import { setTimeout as pause } from "node:timers/promises";
import { describe } from "../../shared/errors.ts";
import { type Names, QUEUE_PATTERN, TASK_ID_PATTERN } from "../../shared/subjects.ts";
import type { AuditStore, EndedTask } from "../audit/audit-store.ts";
import type { Log } from "../log.ts";
import type { Wire } from "../nats/wire.ts";

export interface PurgeDeps {
  readonly wire: Wire;
  readonly names: Names;
  readonly audit: AuditStore;
  /** How long the journal of an ended task stays, ms. */
  readonly retentionMs: number;
  readonly log: Log;
}

/** From here on the journal stream counts as nearly full: at its bound every write would be refused. */
const FULL_SHARE = 0.75;
/**
 * What is then left of the retention. Not less: a worker takes a message for new without asking anyone while it is younger
 * than half of it (`isFresh`), and what it does then must find the record of a task that ended meanwhile.
 */
const SHORT_SHARE = 0.75;
/** Purges under way at once: with more the publishers notice. */
const LANES = 8;
/** Longer than the time between two syncs of the embedded server. */
const SYNCED_MS = 200;

/**
 * Takes the journals of tasks that ended long ago off the broker: everything below the first record that anyone may still
 * need, in one request, and above it the ended tasks one by one, so that a task that lives long keeps nothing but its own
 * records. A task whose journal is gone is terminal in the audit, and workers ask there before they run anything that could
 * hide behind a purged record. Answers how many records went; ends early when `signal` says so. Never rejects.
 */
export async function purgeJournal(deps: PurgeDeps, signal: AbortSignal): Promise<number> {
  let purged = 0;
  try {
    const retentionMs = await retentionNow(deps);
    const floor = await deps.audit.purgeFloor(retentionMs);
    // Below the floor whole files go, which costs next to nothing; a filter with a wildcard would hold up every write while
    // the server searches all files, so above the floor each task's own subject is named.
    if (floor > 1) purged = await deps.wire.purge(deps.names.stream.state, null, floor);
    for (let done = 0; !signal.aborted; ) {
      const { tasks, upTo } = await deps.audit.purgeable(retentionMs, done);
      if (tasks.length === 0) break;
      const count = await purgeTasks(deps, tasks, signal);
      if (count === null) break;
      purged += count;
      done = upTo;
    }
    if (purged > 0) deps.log.debug("journal purged", { belowSeq: floor, purged });
  } catch (error) {
    deps.log.warn("journal not purged", { error: describe(error) });
  }
  return purged;
}

async function retentionNow({ wire, names, retentionMs, log }: PurgeDeps): Promise<number> {
  const { config, state } = await wire.api<{
    config: { max_bytes: number };
    state: { bytes: number };
  }>(`$JS.API.STREAM.INFO.${names.stream.state}`, undefined);
  if (config.max_bytes <= 0 || state.bytes < config.max_bytes * FULL_SHARE) return retentionMs;
  log.warn("journal nearly full", { bytes: state.bytes, of: config.max_bytes });
  return retentionMs * SHORT_SHARE;
}

/**
 * The records of these tasks and no later ones: a task that was redriven meanwhile keeps its new record. Null: interrupted,
 * to be done again.
 */
async function purgeTasks(
  deps: PurgeDeps,
  tasks: readonly EndedTask[],
  signal: AbortSignal,
): Promise<number | null> {
  // Names that no enqueue takes come from producers without the daemon: a `*` would be a filter over other tasks. They go
  // with the floor.
  const named = tasks.filter(
    ({ id, queue }) => TASK_ID_PATTERN.test(id) && QUEUE_PATTERN.test(queue),
  );
  const older = await purgeEach(deps, named, 0, signal);
  // The last record a sync later than the older ones: should the power fail in between, none of those becomes the last
  // again, and an ended task would look as if it ran.
  if (older > 0)
    await pause(SYNCED_MS, undefined, { signal }).catch(() => {
      // Ignored: interrupted; what is left is done by the next round.
    });
  const last = await purgeEach(deps, named, 1, signal);
  return signal.aborted ? null : older + last;
}

/** Purges what is below each task's last record, and with `reach` 1 that one too. */
async function purgeEach(
  { wire, names }: PurgeDeps,
  tasks: readonly EndedTask[],
  reach: 0 | 1,
  signal: AbortSignal,
): Promise<number> {
  const rest = tasks.values();
  let purged = 0;
  const lane = async (): Promise<void> => {
    for (const { id, queue, lastSeq } of rest) {
      if (signal.aborted) return;
      const subject = names.state(queue, id);
      const gone = await wire.purge(names.stream.state, subject, lastSeq + reach);
      purged += gone;
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return purged;
}
