/** Where bars and ticks of a Gantt chart stand. Places are shares of the width, 0–1; instants epoch ms. Pure. */
import { HOUR, MINUTE, SECOND } from "../../shared/time.ts";

export interface GanttInput {
  readonly id: string;
  /** Null: not started. */
  readonly startedAt: number | null;
  /** Null: not ended. */
  readonly endedAt: number | null;
  /** It stands still for a time: what comes next has not started. */
  readonly isRunning: boolean;
  /** Median duration in the last runs; null: nobody knows. */
  readonly usualMs: number | null;
}

export interface Bar {
  readonly id: string;
  /** What the phase waited for its turn, before its bar; null: it did not. */
  readonly wait: Span | null;
  /** Null: not started. */
  readonly run: Span | null;
  /** What is still to be expected of a running phase; null: nothing is known, or it takes longer than usual. */
  readonly rest: Span | null;
}

export interface Span {
  readonly from: number;
  readonly to: number;
  readonly lengthMs: number;
}

export interface Gantt {
  readonly bars: readonly Bar[];
  readonly ticks: readonly { readonly at: number; readonly place: number }[];
  /** Null: the run is over. */
  readonly now: number | null;
  readonly fromAt: number;
  readonly toAt: number;
}

const STEPS_MS: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12, 24, 48, 168].map((n) => n * HOUR),
];
/** As many labels have room beside each other in a pane. */
const MOST_TICKS = 4;
/** A shorter run is drawn as if it took so long: there is nothing to see in less. */
const SHORTEST_MS = SECOND;
/** Shorter waits nobody can see. */
const LEAST_WAIT = 0.004;

/** The round instants inside a time, few enough to be read. `offsetMs` makes them round in local time. */
export function ticksOf(
  fromAt: number,
  toAt: number,
  offsetMs = 0,
  most = MOST_TICKS,
): readonly number[] {
  const span = toAt - fromAt;
  const stepMs = STEPS_MS.find((step) => span / step <= most) ?? STEPS_MS.at(-1)!;
  const first = Math.ceil((fromAt + offsetMs) / stepMs) * stepMs - offsetMs;
  const count = Math.min(most + 1, Math.max(0, Math.floor((toAt - first) / stepMs) + 1));
  return Array.from({ length: count }, (_, index) => first + index * stepMs);
}

/** The chart of a run: from its creation to its end, or to now and what is still expected. */
export function ganttOf(
  phases: readonly GanttInput[],
  run: { readonly createdAt: number; readonly endedAt: number | null },
  now: number,
  offsetMs = 0,
): Gantt {
  const fromAt = run.createdAt;
  const present = run.endedAt ?? Math.max(now, fromAt);
  const expected = phases.map((phase) => expectedEnd(phase, present) ?? 0);
  const latest = Math.max(present, ...phases.map(({ endedAt }) => endedAt ?? 0), ...expected);
  const toAt = Math.max(latest, fromAt + SHORTEST_MS);
  const place = (at: number): number => Math.min(1, Math.max(0, (at - fromAt) / (toAt - fromAt)));
  const span = (from: number, to: number): Span => ({
    from: place(from),
    to: place(to),
    lengthMs: Math.max(0, to - from),
  });
  let readyAt = fromAt;
  const bars = phases.map((phase): Bar => {
    const { id, startedAt, endedAt, isRunning } = phase;
    if (startedAt === null) return { id, wait: null, run: null, rest: null };
    const waited = span(Math.min(readyAt, startedAt), startedAt);
    const until = endedAt ?? (isRunning ? present : startedAt);
    readyAt = Math.max(readyAt, endedAt ?? until);
    const end = expectedEnd(phase, present);
    return {
      id,
      wait: waited.to - waited.from >= LEAST_WAIT ? waited : null,
      run: span(startedAt, Math.max(startedAt, until)),
      rest: end === null ? null : span(present, end),
    };
  });
  return {
    bars,
    ticks: ticksOf(fromAt, toAt, offsetMs).map((at) => ({ at, place: place(at) })),
    now: run.endedAt === null ? place(present) : null,
    fromAt,
    toAt,
  };
}

function expectedEnd({ startedAt, endedAt, isRunning, usualMs }: GanttInput, now: number) {
  if (!isRunning || startedAt === null || endedAt !== null || usualMs === null) return null;
  const end = startedAt + usualMs;
  return end > now ? end : null;
}

/** The middle of some durations; of an even number the mean of the two in the middle. Null: there are none. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half]!;
  return sorted.length % 2 === 1 ? upper : (sorted[half - 1]! + upper) / 2;
}
