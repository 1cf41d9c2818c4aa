import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { MinuteOfEnds } from "../../../../daemon/audit/audit-store.ts";
import { noLog } from "../../../../daemon/log.ts";
import { startSampler } from "../../../../daemon/metrics/sampler.ts";
import type { LaneCount } from "../../../../daemon/nats/streams.ts";

const NOON = 1_700_000_000_000 - (1_700_000_000_000 % 3_600_000);

beforeEach(() => vi.useFakeTimers({ now: NOON }));
afterEach(() => vi.useRealTimers());

function start(
  options: { lanes?: () => Promise<LaneCount[]>; ends?: MinuteOfEnds[]; since?: number } = {},
) {
  const calls = { lanes: 0, waits: 0, ends: 0 };
  const flows = { enqueued: 0, completed: 0, failed: 0, dead: 0, cancelled: 0 };
  const sampler = startSampler({
    countLanes: async () => {
      calls.lanes += 1;
      return options.lanes?.() ?? [{ queue: "etl", level: 9, waiting: 3, pending: 2 }];
    },
    audit: {
      countSince: options.since ?? NOON,
      flows: () => ({ ...flows }),
      offThread: {
        waits: async () => {
          calls.waits += 1;
          return { p50: 10, p95: 90 };
        },
        endsByMinute: async () => {
          calls.ends += 1;
          return options.ends ?? [];
        },
      },
    },
    now: Date.now,
    log: noLog,
  });
  return { sampler, calls, flows };
}

test("while nobody asks it makes one request in five seconds and never reads the database", async () => {
  const { sampler, calls } = start();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls).toEqual({ lanes: 12, waits: 0, ends: 0 });
  await sampler.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls.lanes).toBe(12);
});

test("depth by bucket, running, flows and percentiles are answered together", async () => {
  const { sampler, flows } = start({
    lanes: async () => [
      { queue: "etl", level: 9, waiting: 3, pending: 2 },
      { queue: "etl", level: 5, waiting: 4, pending: 0 },
      { queue: "cls", level: 0, waiting: 5, pending: 1 },
    ],
  });
  await vi.advanceTimersByTimeAsync(5000);
  flows.completed = 7;
  flows.failed = 2;
  await vi.advanceTimersByTimeAsync(4000);
  const view = await sampler.read(15);
  expect(view.steps.at(-1)).toMatchObject({
    waiting: { high: 3, normal: 4, low: 5 },
    running: 3,
    completed: 7,
  });
  expect(view).toMatchObject({
    stepMs: 5000,
    lastStepAt: NOON + 5000,
    waitMs: { p50: 10, p95: 90 },
    endedLastHour: { completed: 7, dead: 0, cancelled: 0 },
    failedAttemptsLastHour: 2,
  });
  await sampler.stop();
});

test("many who ask at once cost one request and one read", async () => {
  const { sampler, calls } = start();
  await vi.advanceTimersByTimeAsync(2000);
  await Promise.all([sampler.read(15), sampler.read(60)]);
  await sampler.read(15);
  expect(calls).toEqual({ lanes: 1, waits: 1, ends: 1 });
  await sampler.stop();
});

test("while the broker is away there is a gap, and it goes on afterwards", async () => {
  let away = false;
  const { sampler } = start({
    lanes: async () => {
      if (away) throw new Error("no answer");
      return [];
    },
  });
  await vi.advanceTimersByTimeAsync(5000);
  away = true;
  await vi.advanceTimersByTimeAsync(10_000);
  away = false;
  await vi.advanceTimersByTimeAsync(5000);
  const { steps } = await sampler.read(1);
  expect(steps.slice(-5).map((step) => step !== null)).toEqual([true, false, false, true, true]);
  await sampler.stop();
});

test("what ended in the hour before the daemon started is read once and counted as long as it is of the last hour", async () => {
  const minute = { completed: 5, dead: 1, cancelled: 2, failed: 3 };
  const { sampler, calls } = start({
    ends: [
      { at: NOON - 30 * 60_000, ...minute },
      { at: NOON - 10 * 60_000, ...minute },
    ],
  });
  await vi.advanceTimersByTimeAsync(1000);
  const first = await sampler.read(15);
  expect([first.endedLastHour, first.failedAttemptsLastHour]).toEqual([
    { completed: 10, dead: 2, cancelled: 4 },
    6,
  ]);
  await vi.advanceTimersByTimeAsync(40 * 60_000);
  expect((await sampler.read(15)).endedLastHour.completed).toBe(5);
  await vi.advanceTimersByTimeAsync(30 * 60_000);
  expect((await sampler.read(15)).endedLastHour.completed).toBe(0);
  expect(calls.ends).toBe(1);
  await sampler.stop();
});
