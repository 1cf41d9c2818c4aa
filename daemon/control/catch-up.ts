import { setTimeout as pause } from "node:timers/promises";
import type { AuditStore } from "../audit/audit-store.ts";

/** An answer waits no longer than this for the audit. */
const LIMIT_MS = 500;
/** More records than this are not written within that time: then the answer does not wait at all. */
const FAR_BEHIND_RECORDS = 5000;

/**
 * Lets people read their own writes: an act that was answered before the question is in the answer, unless the audit is
 * behind. Behind is: it cannot be written, it lacks thousands of records, or what was asked for takes it longer than half
 * a second. Then the answer tells what is there. Neither function rejects.
 */
export interface CatchUp {
  /**
   * For one task: waits until the audit has its journal up to this sequence (0: it has none), and every refusal, note and
   * change of priority that was told before.
   */
  upTo(seq: number | (() => Promise<number>)): Promise<void>;
  /** For lists and counts: waits until the audit has all that the journal stream holds now. */
  all(): Promise<void>;
}

export interface CatchUpDeps {
  readonly audit: Pick<AuditStore, "state" | "lagRecords" | "written">;
  /** Sequence of the newest record of the journal stream. */
  lastSeq(): Promise<number>;
  readonly limitMs?: number;
}

export function createCatchUp({ audit, lastSeq, limitMs = LIMIT_MS }: CatchUpDeps): CatchUp {
  /** Waits that went over their limit and still last. While there is one the audit stands still: nobody waits for it. */
  let overdue = 0;

  async function upTo(seq: number | (() => Promise<number>)): Promise<void> {
    if (audit.state.kind === "unavailable" || audit.lagRecords > FAR_BEHIND_RECORDS) return;
    if (overdue > 0) return;
    const seqNow = typeof seq === "number" ? Promise.resolve(seq) : seq();
    const done = seqNow.then(audit.written).catch(() => {
      // Ignored: an answer without the newest record is better than none.
    });
    const limit = new AbortController();
    const isLate = await Promise.race([
      done.then(() => false),
      pause(limitMs, true, { signal: limit.signal }),
    ]);
    limit.abort();
    if (!isLate) return;
    overdue += 1;
    void done.then(() => {
      overdue -= 1;
    });
  }

  return { upTo, all: () => upTo(lastSeq) };
}
