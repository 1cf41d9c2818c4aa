import { type ReadonlySignal, signal } from "@preact/signals";
import type { FeedBatch, FeedRow } from "../../shared/view/messages.ts";
import type { Host } from "../host.ts";
import type { Filterable } from "./filter.ts";

/** Rows that are kept; the oldest go first. */
export const RING = 2000;
/** So long without a row left out, and sampling is over. */
const SAMPLING_ENDS_MS = 3000;

/** The one state of the live feed. Rows are oldest first; instants are epoch ms. */
export interface FeedState {
  readonly rows: readonly FeedRow[];
  /** What is shown while paused; null: the rows themselves. */
  readonly frozen: readonly FeedRow[] | null;
  readonly newWhilePaused: number;
  /** The end stays in sight. */
  readonly isFollowing: boolean;
  /** `seq` of the selected row. */
  readonly selected: number | null;
  readonly sampling: Sampling | null;
  readonly dropped: number;
  readonly perSecond: number;
  readonly lastAt: number | null;
  /** False until the host sent the first batch since the feed was opened. */
  readonly isHeard: boolean;
}

/** A time in which more came than is shown. */
export interface Sampling {
  readonly since: number;
  readonly until: number;
  readonly kept: number;
  readonly leftOut: number;
}

export type FeedAct =
  | { readonly kind: "batch"; readonly batch: FeedBatch; readonly at: number }
  | { readonly kind: "pause"; readonly on: boolean }
  | { readonly kind: "follow"; readonly on: boolean }
  | { readonly kind: "select"; readonly seq: number | null }
  | { readonly kind: "clear" };

export const EMPTY_FEED: FeedState = {
  rows: [],
  frozen: null,
  newWhilePaused: 0,
  isFollowing: true,
  selected: null,
  sampling: null,
  dropped: 0,
  perSecond: 0,
  lastAt: null,
  isHeard: false,
};

/** The next state. Pausing freezes what is shown, never the intake. */
export function reduceFeed(state: FeedState, act: FeedAct): FeedState {
  switch (act.kind) {
    case "batch":
      return takeBatch(state, act.batch, act.at);
    case "pause":
      if (act.on === (state.frozen !== null)) return state;
      return { ...state, frozen: act.on ? state.rows : null, newWhilePaused: 0 };
    case "follow":
      return state.isFollowing === act.on ? state : { ...state, isFollowing: act.on };
    case "select":
      // Who looks at a row does not want it to run away.
      return { ...state, selected: act.seq, isFollowing: act.seq === null && state.isFollowing };
    case "clear":
      return {
        ...state,
        rows: [],
        frozen: state.frozen === null ? null : [],
        newWhilePaused: 0,
        selected: null,
      };
    default:
      return act satisfies never;
  }
}

function takeBatch(state: FeedState, batch: FeedBatch, at: number): FeedState {
  // A host that began anew counts anew: its first rows may bear numbers that were there before.
  const isRestart =
    (batch.rows[0]?.seq ?? Number.MAX_SAFE_INTEGER) <= (state.rows.at(-1)?.seq ?? 0);
  const before = isRestart ? [] : state.rows;
  const rows = batch.rows.length === 0 ? before : [...before, ...batch.rows].slice(-RING);
  return {
    ...state,
    rows,
    newWhilePaused: state.frozen === null ? 0 : state.newWhilePaused + batch.rows.length,
    sampling: sample(state.sampling, batch, at),
    dropped: batch.dropped,
    perSecond: batch.perSecond,
    lastAt: batch.lastAt ?? state.lastAt,
    isHeard: true,
  };
}

function sample(sampling: Sampling | null, batch: FeedBatch, at: number): Sampling | null {
  if (batch.sampledOut === 0) {
    if (sampling === null || at - sampling.until > SAMPLING_ENDS_MS) return null;
    return { ...sampling, kept: sampling.kept + batch.rows.length };
  }
  return {
    since: sampling?.since ?? at,
    until: at,
    kept: (sampling?.kept ?? 0) + batch.rows.length,
    leftOut: (sampling?.leftOut ?? 0) + batch.sampledOut,
  };
}

/** One of how many rows is shown while sampling. */
export function sampledOneIn({ kept, leftOut }: Sampling): number {
  return Math.max(2, Math.round((kept + leftOut) / Math.max(1, kept)));
}

/** Keys of the feed's filter. */
export const FEED_KEYS = [
  "type",
  "name",
  "queue",
  "task",
  "run",
  "by",
  "level",
  "trace",
  "status",
] as const;
type FeedKey = (typeof FEED_KEYS)[number];

const VALUE_OF: Readonly<Record<FeedKey, (row: FeedRow) => string | null>> = {
  type: (row) => row.type,
  name: (row) => row.subject,
  queue: (row) => row.queue,
  task: (row) => row.taskId,
  run: (row) => row.runId,
  by: (row) => row.by,
  level: (row) => row.severity,
  trace: (row) => row.traceId,
  status: (row) => row.status,
};

/** What a filter sees of a row. `type:task` also means all types below it; `level:warning` also errors. */
export function filterableOf(row: FeedRow): Filterable {
  return {
    values(key) {
      const value = VALUE_OF[key as FeedKey]?.(row) ?? null;
      if (value === null) return [];
      if (key === "type") return ancestorsOf(value);
      if (key === "level" && value === "error") return ["error", "warning"];
      return [value];
    },
    text: () => `${row.type} ${row.subject} ${row.text} ${row.by ?? ""} ${row.taskId ?? ""}`,
  };
}

function ancestorsOf(type: string): string[] {
  const parts = type.split(".");
  return parts.map((_, index) => parts.slice(0, index + 1).join("."));
}

/** The distinct values of a key among rows, the most frequent first. For suggestions. */
export function valuesSeen(rows: readonly FeedRow[], key: string): string[] {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const value = VALUE_OF[key as FeedKey]?.(row) ?? null;
    if (value !== null && value !== "") counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([value]) => value);
}

export interface Feed {
  readonly state: ReadonlySignal<FeedState>;
  act(act: FeedAct): void;
}

/**
 * The feed of a host. A batch is acknowledged once it was painted, so that a slow view gets less instead of falling
 * behind.
 */
export function createFeed(
  host: Host,
  now: () => number,
  afterPaint: (then: () => void) => void = (then) => requestAnimationFrame(() => setTimeout(then)),
): Feed {
  const state = signal(EMPTY_FEED);
  host.onNotice((notice) => {
    if (notice.type === "hello") host.post({ type: "feed", open: true });
    if (notice.type !== "feed") return;
    const { batch } = notice;
    state.value = reduceFeed(state.value, { kind: "batch", batch, at: now() });
    afterPaint(() => host.post({ type: "feed-ack", batch: batch.batch }));
  });
  return {
    state,
    act: (act) => {
      state.value = reduceFeed(state.value, act);
    },
  };
}
