import { expect, test } from "vitest";
import { MINUTE, SECOND } from "../../../shared/time.ts";
import { type GanttInput, ganttOf, median, ticksOf } from "../../../webview/graph/gantt.ts";

const T0 = Date.parse("2026-05-01T18:00:00.000Z");

function phase(
  id: string,
  startedS: number | null,
  endedS: number | null,
  more: Partial<GanttInput> = {},
): GanttInput {
  return {
    id,
    startedAt: startedS === null ? null : T0 + startedS * SECOND,
    endedAt: endedS === null ? null : T0 + endedS * SECOND,
    isRunning: startedS !== null && endedS === null,
    usualMs: null,
    ...more,
  };
}

test("bars stand where their time is in the run", () => {
  const { bars, now } = ganttOf(
    [phase("sync", 0, 25), phase("export", 50, 100)],
    { createdAt: T0, endedAt: T0 + 100 * SECOND },
    T0 + 999 * SECOND,
  );
  expect(bars[0]?.run).toEqual({ from: 0, to: 0.25, lengthMs: 25 * SECOND });
  expect(bars[1]?.run).toEqual({ from: 0.5, to: 1, lengthMs: 50 * SECOND });
  expect(now).toBeNull();
});

test("what a phase waited after the one before it stands before its bar", () => {
  const { bars } = ganttOf(
    [phase("sync", 10, 40), phase("export", 60, 100)],
    { createdAt: T0, endedAt: T0 + 100 * SECOND },
    T0,
  );
  expect(bars[0]?.wait).toEqual({ from: 0, to: 0.1, lengthMs: 10 * SECOND });
  expect(bars[1]?.wait).toEqual({ from: 0.4, to: 0.6, lengthMs: 20 * SECOND });
});

test("a running phase grows to now, and the chart leaves room for what is expected", () => {
  const { bars, now, toAt } = ganttOf(
    [phase("sync", 0, null, { usualMs: 100 * SECOND }), phase("export", null, null)],
    { createdAt: T0, endedAt: null },
    T0 + 60 * SECOND,
  );
  expect(toAt).toBe(T0 + 100 * SECOND);
  expect(now).toBe(0.6);
  expect(bars[0]).toMatchObject({
    run: { from: 0, to: 0.6 },
    rest: { from: 0.6, to: 1, lengthMs: 40 * SECOND },
  });
  expect(bars[1]).toEqual({ id: "export", wait: null, run: null, rest: null });
});

test("a phase that takes longer than usual expects nothing", () => {
  const { bars, toAt } = ganttOf(
    [phase("sync", 0, null, { usualMs: 10 * SECOND })],
    { createdAt: T0, endedAt: null },
    T0 + 60 * SECOND,
  );
  expect(bars[0]?.rest).toBeNull();
  expect(toAt).toBe(T0 + 60 * SECOND);
});

test("a phase that waits for its next attempt does not grow", () => {
  const { bars } = ganttOf(
    [phase("sync", 10, null, { isRunning: false })],
    { createdAt: T0, endedAt: null },
    T0 + 60 * SECOND,
  );
  expect(bars[0]?.run?.lengthMs).toBe(0);
});

test("a clock behind the daemon's draws nothing before the beginning", () => {
  const { now, bars } = ganttOf(
    [phase("sync", 0, null)],
    { createdAt: T0, endedAt: null },
    T0 - 5 * SECOND,
  );
  expect(now).toBe(0);
  expect(bars[0]?.run).toEqual({ from: 0, to: 0, lengthMs: 0 });
});

test("ticks are round instants, at most five", () => {
  expect(ticksOf(T0 + 3 * SECOND, T0 + 3 * MINUTE)).toEqual(
    [60, 120, 180].map((s) => T0 + s * SECOND),
  );
  for (const span of [1, 7, 61, 600, 7201, 90_000, 700_000].map((s) => s * SECOND)) {
    const ticks = ticksOf(T0 + 1, T0 + 1 + span);
    expect(ticks.length).toBeLessThanOrEqual(5);
    expect(ticks.every((at) => at > T0 && at <= T0 + 1 + span)).toBe(true);
  }
});

test("ticks are round in the user's zone", () => {
  const half = 30 * MINUTE;
  expect(ticksOf(T0, T0 + 240 * MINUTE, half)[0]).toBe(T0 + half);
});

test("the median is the middle, of none there is none", () => {
  expect([median([]), median([3]), median([9, 1, 5]), median([1, 9, 3, 5])]).toEqual([
    null,
    3,
    5,
    4,
  ]);
});
