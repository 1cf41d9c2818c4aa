import type { JournalRecord } from "../../shared/task.ts";
import { isTerminal } from "../../shared/task.ts";
import type { JournalEntry } from "./journal.ts";

/** What a delivered task message says of itself, before the journal was asked. */
export interface Delivered {
  readonly generation: number;
  /** 1 for the first delivery. */
  readonly deliveries: number;
  readonly ageMs: number;
  /** The journal has a record of it although this is generation 1 (it was delayed). */
  readonly journaled: boolean;
}

/**
 * What a worker does with a delivered message.
 * - `claim`: append the running record, expecting `expect`
 * - `verify`: no record exists, but one may have been purged: ask the audit whether the task ended long ago
 * - `drop`: the message is of no use any more: acknowledge it
 * - `bury`: the task is dead but its dead letter may be missing: publish it again, then acknowledge
 * - `later`: give it back for `delayMs`
 * - `mine`: the journal says that this very worker runs it. When it does not, the claim was stored and its answer lost
 */
export type ClaimPlan =
  | {
      readonly kind: "claim";
      readonly expect: number;
      readonly attempt: number;
      readonly before: JournalRecord | null;
    }
  | { readonly kind: "verify" }
  | { readonly kind: "drop"; readonly why: "superseded" | "ended" }
  | { readonly kind: "bury"; readonly record: JournalRecord }
  | { readonly kind: "later"; readonly delayMs: number }
  | { readonly kind: "mine"; readonly entry: JournalEntry };

/** How long a message whose task runs elsewhere stays away; the daemon moves the task on when that worker is lost. */
const ELSEWHERE_DELAY_MS = 5000;
/** A copy that is ahead of its journal: the writer is about to append. */
const AHEAD_DELAY_MS = 500;
/** A copy that has been ahead of an ended task for so long is what a writer left behind that died or was overtaken. */
const AHEAD_LIMIT_MS = 3000;

/**
 * Whether a message may be claimed on sight, expecting no record: its first delivery, generation 1, and younger than
 * half the time that journals of ended tasks are kept, so that no purged record can hide behind it.
 */
export function isFresh(message: Delivered, journalRetentionMs: number): boolean {
  return (
    message.generation === 1 &&
    message.deliveries === 1 &&
    !message.journaled &&
    message.ageMs < journalRetentionMs / 2
  );
}

/**
 * A message of a task that ended in generation `endedIn` (1 when its record is purged). A redrive publishes its copy first
 * and writes the journal then: dropped in between, the task would have no message. A completed task is never redriven.
 */
export function planEnded(message: Delivered, endedIn: number): ClaimPlan {
  return message.generation > endedIn && message.ageMs < AHEAD_LIMIT_MS
    ? { kind: "later", delayMs: AHEAD_DELAY_MS }
    : { kind: "drop", why: "ended" };
}

/** `verified`: the audit said that a task without a record did not end. */
export function planClaim(
  message: Delivered,
  entry: JournalEntry | null,
  self: string,
  nowMs: number,
  journalRetentionMs: number,
  verified: boolean,
): ClaimPlan {
  if (entry === null) {
    // A later generation has had a record; only a change of level whose journal entry is on its way has none yet.
    if (!isFresh(message, journalRetentionMs) && !verified) return { kind: "verify" };
    return { kind: "claim", expect: 0, attempt: 1, before: null };
  }
  const { record, seq } = entry;
  if (record.s === "dead" && record.g === message.generation) return { kind: "bury", record };
  if (isTerminal(record.s))
    return planEnded(message, record.s === "completed" ? Number.POSITIVE_INFINITY : record.g);
  if (record.g > message.generation) return { kind: "drop", why: "superseded" };
  if (record.s === "running") {
    if (record.g < message.generation) return { kind: "later", delayMs: AHEAD_DELAY_MS };
    return record.w === self
      ? { kind: "mine", entry }
      : { kind: "later", delayMs: ELSEWHERE_DELAY_MS };
  }
  if (record.s !== "waiting") {
    if (record.g < message.generation) return { kind: "later", delayMs: AHEAD_DELAY_MS };
    const wait = (record.due ?? 0) - nowMs;
    if (wait > 0) return { kind: "later", delayMs: wait };
  }
  return { kind: "claim", expect: seq, attempt: record.a + 1, before: record };
}
