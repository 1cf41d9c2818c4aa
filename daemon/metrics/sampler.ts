import type { MetricsView } from "../../shared/control.ts";
import { bucketOf } from "../../shared/priority.ts";
import type { AuditStore, MinuteOfEnds } from "../audit/audit-store.ts";
import type { LaneCount } from "../nats/streams.ts";
import { createMetricsRing, SAMPLE_MS, type Sample } from "./ring.ts";

const HOUR_MS = 3_600_000;
/** Within this time two questions have the same answer. */
const FRESH_MS = 1000;
/** Percentiles over an hour change slowly, and are the one read of the database. */
const WAITS_FRESH_MS = 5000;

export interface SamplerDeps {
  /** Waiting and running tasks of each queue and level: one request to the broker. */
  countLanes(): Promise<readonly LaneCount[]>;
  readonly audit: Pick<AuditStore, "flows" | "countSince"> & {
    readonly offThread: Pick<AuditStore["offThread"], "waits" | "endsByMinute">;
  };
  readonly now: () => number;
  readonly log: { debug(event: string, data: Record<string, unknown>): void };
}

/** Samples every five seconds, so that a dashboard opened later has a past to show. Reads the database only when asked. */
export interface Sampler {
  read(minutes: number): Promise<MetricsView>;
  stop(): Promise<void>;
}

export function startSampler(deps: SamplerDeps): Sampler {
  const { now } = deps;
  const ring = createMetricsRing();
  const hourBefore = createHourBefore(deps);
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  let sampledAt = 0;
  let sampling: Promise<void> | null = null;
  let waits: { readonly at: number; readonly value: Promise<MetricsView["waitMs"]> } | null = null;

  /** A sample that fails leaves a gap: the broker is away, and nobody knows how things stand there. */
  function sample(at: number): Promise<void> {
    sampling ??= deps
      .countLanes()
      .then((lanes) => {
        ring.push(at, toSample(lanes, deps.audit.flows()));
        sampledAt = at;
      })
      .catch((error: unknown) => deps.log.debug("not sampled", { error: String(error) }))
      .finally(() => {
        sampling = null;
      });
    return sampling;
  }

  /** On the borders of steps, so that each step has one sample, which is its end. */
  function arm(): void {
    if (stopped) return;
    const border = (Math.floor(now() / SAMPLE_MS) + 1) * SAMPLE_MS;
    timer = setTimeout(() => {
      void sample(border - 1).finally(arm);
    }, border - now());
  }
  arm();

  function waitsNow(): Promise<MetricsView["waitMs"]> {
    if (waits !== null && now() - waits.at < WAITS_FRESH_MS) return waits.value;
    const mine = { at: now(), value: deps.audit.offThread.waits(now() - HOUR_MS) };
    waits = mine;
    // Ignored here: who asked hears it; the next question reads anew.
    mine.value.catch(() => {
      if (waits === mine) waits = null;
    });
    return mine.value;
  }

  /** The growing step must have a sample, and a recent one. */
  function isFresh(): boolean {
    const sameStep = Math.floor(now() / SAMPLE_MS) === Math.floor(sampledAt / SAMPLE_MS);
    return sameStep && now() - sampledAt < FRESH_MS;
  }

  return {
    async read(minutes) {
      if (!isFresh()) await sample(now());
      const [waitMs, before] = await Promise.all([waitsNow(), hourBefore(now())]);
      const hour = ring.lastHour(now());
      return {
        ...ring.steps(minutes, now()),
        waitMs,
        endedLastHour: {
          completed: hour.completed + before.completed,
          dead: hour.dead + before.dead,
          cancelled: hour.cancelled + before.cancelled,
        },
        failedAttemptsLastHour: hour.failed + before.failed,
      };
    },
    async stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      await sampling;
    },
  };
}

function toSample(lanes: readonly LaneCount[], flows: Sample["flows"]): Sample {
  const waiting = { high: 0, normal: 0, low: 0 };
  let running = 0;
  for (const lane of lanes) {
    waiting[bucketOf(lane.level)] += lane.waiting;
    running += lane.pending;
  }
  return { waiting, running, flows };
}

type Ends = Omit<MinuteOfEnds, "at">;
const NO_ENDS: Ends = { completed: 0, dead: 0, cancelled: 0, failed: 0 };

/**
 * What ended in the last hour but before this daemon counted: read once, when it is first asked for, and not at all when
 * the daemon is older than an hour.
 */
function createHourBefore({ audit }: SamplerDeps): (now: number) => Promise<Ends> {
  let read: Promise<readonly MinuteOfEnds[]> | null = null;
  return async (now) => {
    const from = now - HOUR_MS;
    if (from >= audit.countSince) return NO_ENDS;
    read ??= audit.offThread.endsByMinute(from, audit.countSince);
    const minutes = await read.catch((error: unknown) => {
      read = null;
      throw error;
    });
    return minutes
      .filter(({ at }) => at >= from)
      .reduce<Ends>(
        (sum, minute) => ({
          completed: sum.completed + minute.completed,
          dead: sum.dead + minute.dead,
          cancelled: sum.cancelled + minute.cancelled,
          failed: sum.failed + minute.failed,
        }),
        NO_ENDS,
      );
  };
}
