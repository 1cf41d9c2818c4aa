import type { PriorityAction } from "./priority.ts";
import type { Role } from "./roles.ts";

/** The states of a task, everywhere: CLI, API, SQL and screens. */
export const TASK_STATUSES = [
  "scheduled",
  "waiting",
  "running",
  "retrying",
  "completed",
  "cancelled",
  "dead",
] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

export function isTerminal(status: TaskStatus): boolean {
  return status === "completed" || status === "cancelled" || status === "dead";
}

/** A task that no worker holds and whose priority can change. */
export function isWaiting(status: TaskStatus): boolean {
  return status === "waiting" || status === "scheduled" || status === "retrying";
}

/** 1 MiB of UTF-8 JSON. */
export const INPUT_LIMIT_BYTES = 1_048_576;
/** A result or error over this goes by reference. */
export const INLINE_RESULT_LIMIT_BYTES = 262_144;
export const RESULT_LIMIT_BYTES = 5 * 1_048_576;

/** The pipeline run that a task belongs to; travels with the task, so that chaining needs no database. */
export interface RunDescriptor {
  readonly id: string;
  readonly pipeline: string;
  /** The phases that this run lists, in order. A completion starts the next only if it is listed. */
  readonly phases: readonly string[];
  /** The phase that this task serves. */
  readonly phase: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** Who started the run. */
  readonly by: string;
}

/** How an attempt went wrong. */
export interface AttemptError {
  /** Short searchable word: an error code, or `handler-failed`, `timed-out`, `worker-lost`, `interrupted`. */
  readonly code: string;
  readonly message: string;
  readonly stack?: string;
}

export type DeadReason =
  | "attempts-exhausted"
  | "non-retryable"
  | "worker-lost"
  | "poison"
  | "invalid"
  | "discarded";

/** A domain event that leaves together with the completion of its task. */
export interface OutboxEvent {
  readonly subject: string;
  readonly data: unknown;
}

/**
 * One record of a task's journal on `<prefix>.state.<queue>.<taskId>`: the only arbiter of what the task is.
 * Every transition is a compare-and-swap append; a waiting task of generation 1 that was never touched has no record.
 * Keys are short because a record is written twice a task.
 */
export interface JournalRecord {
  /** Status after this transition. */
  readonly s: TaskStatus;
  /** Generation: grows at every move; a message of an older generation is dropped. */
  readonly g: number;
  /** Attempts begun so far, this one included (of the present budget: redrive starts again at 0). */
  readonly a: number;
  /** Level. */
  readonly l: number;
  /** When, epoch ms. */
  readonly t: number;
  /** Task name. */
  readonly n?: string;
  /** Worker that holds or held the task. */
  readonly w?: string;
  /** Sequence of the task's message in the task stream (running, waiting), or 0 when unknown. */
  readonly m?: number;
  /** Attempts allowed, the first execution included. */
  readonly x?: number;
  /** Workers lost in a row. */
  readonly lost?: number;
  /** Due instant of a scheduled or retrying task, epoch ms. */
  readonly due?: number;
  /** Start of the attempt, epoch ms, and its monotonic duration in ms. */
  readonly st?: number;
  readonly du?: number;
  /** Result, inline; or `rr`: its size in bytes in the results bucket under the task id. */
  readonly r?: unknown;
  readonly rr?: number;
  /** The attempt's error. */
  readonly e?: AttemptError;
  /** Errors of the earlier attempts, without stacks. */
  readonly es?: readonly AttemptError[];
  readonly dead?: DeadReason;
  /** Events that leave with this transition. */
  readonly ev?: readonly OutboxEvent[];
  /** A person's or the system's act: who, with which role, what, why, and the level before. */
  readonly by?: string;
  readonly role?: Role | "system";
  readonly act?:
    | PriorityAction
    | "cancel"
    | "retry"
    | "redrive"
    | "lost"
    | "handback"
    | "repair"
    | "due"
    | "discard";
  readonly why?: string;
  readonly from?: number;
  readonly run?: RunDescriptor;
  /** The input as JSON text, when this act replaced it. */
  readonly in?: string;
}

export function encodeRecord(record: JournalRecord): string {
  return JSON.stringify(record);
}

/** Parses a record written by this or a newer version; unknown keys are kept. Throws SyntaxError on anything else. */
export function decodeRecord(text: string): JournalRecord {
  const value: unknown = JSON.parse(text);
  if (
    typeof value !== "object" ||
    value === null ||
    !("s" in value) ||
    !("g" in value) ||
    !TASK_STATUSES.includes(value.s as TaskStatus) ||
    typeof value.g !== "number"
  ) {
    throw new SyntaxError("not a journal record");
  }
  return value as JournalRecord;
}

/** When and how often a failed task runs again. Delays in milliseconds. */
export interface RetryPolicy {
  /** Retries after the first execution: 3 means four attempts. */
  readonly retries: number;
  readonly delayMs: number;
  readonly factor: number;
  readonly maxDelayMs: number;
  /** Share of the delay that is random, 0–1. */
  readonly jitter: number;
}

export const DEFAULT_RETRY: RetryPolicy = {
  retries: 3,
  delayMs: 60_000,
  factor: 2,
  maxDelayMs: 900_000,
  jitter: 0.1,
};
