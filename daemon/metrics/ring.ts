import type { MetricsStep, MetricsView } from "../../shared/control.ts";
import type { FlowCounts } from "../audit/flow-counts.ts";

/** How things stand at one instant. `flows` are totals that only grow. */
export interface Sample {
  readonly waiting: MetricsStep["waiting"];
  readonly running: number;
  readonly flows: FlowCounts;
}

/** Time between two samples, and the shortest step of a chart. */
export const SAMPLE_MS = 5000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** An hour in samples, a day in minutes: at most some hundred kilobytes, whatever the load. */
const FINE = { stepMs: SAMPLE_MS, length: HOUR_MS / SAMPLE_MS };
const COARSE = { stepMs: MINUTE_MS, length: 24 * 60 };
/** Steps of a chart, from fine to coarse; the first that needs no more than this many is taken. */
const CHART_STEPS_MS = [5000, 20_000, 60_000, 180_000, 360_000] as const;
const MOST_STEPS = 240;

interface Cell {
  /** Which step this is: its start divided by the length of a step. */
  readonly index: number;
  step: MetricsStep;
  /** Totals at the end of the step. */
  flows: FlowCounts;
}

/** Remembers a day of samples in fixed memory. Pure: instants (epoch ms) come in as arguments. */
export interface MetricsRing {
  /** Takes a sample into the step that holds the instant `at`. Samples come in the order of time. */
  push(at: number, sample: Sample): void;
  /** The last `minutes` (1–1440) as steps of a chart, of which the last is still growing at `now`. */
  steps(minutes: number, now: number): Pick<MetricsView, "stepMs" | "lastStepAt" | "steps">;
  /** What happened in the hour before `now`, as far as samples tell of it. */
  lastHour(now: number): FlowCounts;
}

export function createMetricsRing(): MetricsRing {
  const fine: (Cell | undefined)[] = [];
  const coarse: (Cell | undefined)[] = [];
  let last: { readonly at: number; readonly flows: FlowCounts } | null = null;

  return {
    push(at, sample) {
      // After a gap nobody knows when in it things happened: no step of a chart shows them.
      const gap = last === null || at - last.at >= 2 * SAMPLE_MS;
      const flow = difference(sample.flows, gap || last === null ? sample.flows : last.flows);
      put(fine, FINE, at, sample, flow);
      put(coarse, COARSE, at, sample, flow);
      last = { at, flows: sample.flows };
    },
    steps(minutes, now) {
      const stepMs = chartStep(minutes);
      const [ring, source] = stepMs < MINUTE_MS ? [fine, FINE] : [coarse, COARSE];
      const newest = Math.floor(now / stepMs);
      const count = Math.ceil((minutes * MINUTE_MS) / stepMs);
      const cells = stepMs / source.stepMs;
      const steps = Array.from({ length: count }, (_, i) => {
        const from = (newest - count + 1 + i) * cells;
        return joined(Array.from({ length: cells }, (_, k) => at(ring, source, from + k)));
      });
      return { stepMs, lastStepAt: newest * stepMs, steps };
    },
    lastHour(now) {
      if (last === null) return NONE;
      const oldest = Math.floor((now - HOUR_MS) / MINUTE_MS);
      const before = [...coarse]
        .filter((cell) => cell !== undefined && cell.index <= oldest)
        .reduce<Cell | undefined>(
          (a, b) => (a === undefined || b!.index > a.index ? b : a),
          undefined,
        );
      return difference(last.flows, before?.flows ?? NONE);
    },
  };
}

/** The totals when the daemon started. */
const NONE: FlowCounts = { enqueued: 0, completed: 0, failed: 0, dead: 0, cancelled: 0 };

function chartStep(minutes: number): number {
  const fits = (stepMs: number): boolean => (minutes * MINUTE_MS) / stepMs <= MOST_STEPS;
  // The fine ring reaches back an hour.
  return CHART_STEPS_MS.find((ms) => fits(ms) && (ms >= MINUTE_MS || minutes <= 60)) ?? 360_000;
}

function difference(now: FlowCounts, before: FlowCounts): FlowCounts {
  return {
    enqueued: now.enqueued - before.enqueued,
    completed: now.completed - before.completed,
    failed: now.failed - before.failed,
    dead: now.dead - before.dead,
    cancelled: now.cancelled - before.cancelled,
  };
}

function at(
  ring: readonly (Cell | undefined)[],
  { length }: { length: number },
  index: number,
): Cell | null {
  const cell = ring[index % length];
  return cell?.index === index ? cell : null;
}

function put(
  ring: (Cell | undefined)[],
  { stepMs, length }: { stepMs: number; length: number },
  instant: number,
  { waiting, running, flows }: Sample,
  flow: FlowCounts,
): void {
  const index = Math.floor(instant / stepMs);
  const before = at(ring, { length }, index)?.step;
  const step: MetricsStep = {
    waiting,
    running,
    enqueued: flow.enqueued + (before?.enqueued ?? 0),
    completed: flow.completed + (before?.completed ?? 0),
    failed: flow.failed + (before?.failed ?? 0),
    dead: flow.dead + (before?.dead ?? 0),
  };
  ring[index % length] = { index, step, flows };
}

/** One step of a chart from several of the ring: depths as at its end, flows added up. Null when none was measured. */
function joined(cells: readonly (Cell | null)[]): MetricsStep | null {
  return cells.reduce<MetricsStep | null>((sum, cell) => {
    if (cell === null) return sum;
    const { step } = cell;
    if (sum === null) return step;
    return {
      waiting: step.waiting,
      running: step.running,
      enqueued: sum.enqueued + step.enqueued,
      completed: sum.completed + step.completed,
      failed: sum.failed + step.failed,
      dead: sum.dead + step.dead,
    };
  }, null);
}
