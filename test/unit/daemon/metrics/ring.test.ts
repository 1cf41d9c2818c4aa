import { describe, expect, test } from "vitest";
import { createMetricsRing, SAMPLE_MS, type Sample } from "../../../../daemon/metrics/ring.ts";

const NOON = 1_700_000_000_000 - (1_700_000_000_000 % 3_600_000);

function aSample(waiting: number, flows: Partial<Sample["flows"]> = {}): Sample {
  return {
    waiting: { high: 0, normal: waiting, low: 0 },
    running: 1,
    flows: { enqueued: 0, completed: 0, failed: 0, dead: 0, cancelled: 0, ...flows },
  };
}

/** A ring with a sample at the end of each of `count` steps from noon on; step `n` has `n` waiting and ended `n` in all. */
function filled(count: number) {
  const ring = createMetricsRing();
  for (let n = 0; n < count; n += 1)
    ring.push(NOON + (n + 1) * SAMPLE_MS - 1, aSample(n, { completed: n, enqueued: 2 * n }));
  return { ring, end: NOON + count * SAMPLE_MS - 1 };
}

describe("steps of a chart", () => {
  test("fifteen minutes are 180 steps of five seconds, the last one still growing", () => {
    const { ring, end } = filled(4);
    const { stepMs, lastStepAt, steps } = ring.steps(15, end);
    expect([stepMs, steps.length, lastStepAt]).toEqual([5000, 180, NOON + 15_000]);
    expect(steps.slice(-4).map((step) => step?.waiting.normal)).toEqual([0, 1, 2, 3]);
  });

  test("what nobody measured is null", () => {
    const { ring, end } = filled(4);
    expect(
      ring
        .steps(15, end)
        .steps.slice(0, -4)
        .every((step) => step === null),
    ).toBe(true);
    expect(createMetricsRing().steps(1, end).steps).toEqual(new Array(12).fill(null));
  });

  test("a sample of an hour ago does not stand in for one of now", () => {
    const { ring, end } = filled(4);
    expect(ring.steps(15, end + 3_600_000).steps.every((step) => step === null)).toBe(true);
    expect(ring.steps(1440, end + 24 * 3_600_000).steps.at(-1)).toBeNull();
  });

  test("flows are what happened in the step alone", () => {
    const { ring, end } = filled(4);
    expect(ring.steps(15, end).steps.at(-1)).toMatchObject({
      completed: 1,
      enqueued: 2,
      failed: 0,
    });
  });

  test("longer times have longer steps, with depths as at their end and flows added up", () => {
    const { ring, end } = filled(24);
    const hour = ring.steps(60, end);
    expect([hour.stepMs, hour.steps.length]).toEqual([20_000, 180]);
    expect(hour.steps.at(-1)).toMatchObject({ waiting: { normal: 23 }, completed: 4 });
    const day = ring.steps(1440, end);
    expect([day.stepMs, day.steps.length]).toEqual([360_000, 240]);
    expect(day.steps.at(-1)).toMatchObject({ waiting: { normal: 23 }, completed: 23 });
  });

  test.each([1, 15, 20, 21, 60, 61, 240, 241, 720, 721, 1440])(
    "%i minutes never make more than 240 steps, and cover that time",
    (minutes) => {
      const { stepMs, steps } = createMetricsRing().steps(minutes, NOON);
      expect(steps.length).toBeLessThanOrEqual(240);
      expect(steps.length * stepMs).toBeGreaterThanOrEqual(minutes * 60_000);
    },
  );

  test("after a gap the chart does not show as one moment what happened in all of it", () => {
    const { ring } = filled(2);
    const later = NOON + 60_000 - 1;
    ring.push(later, aSample(9, { completed: 500 }));
    const { steps } = ring.steps(15, later);
    expect(steps.at(-1)).toMatchObject({ waiting: { normal: 9 }, completed: 0 });
    expect(steps.at(-2)).toBeNull();
  });

  test("a sample asked for within a step and the one at its end make one step", () => {
    const ring = createMetricsRing();
    ring.push(NOON + 4999, aSample(0, { completed: 1 }));
    ring.push(NOON + 7000, aSample(5, { completed: 3 }));
    ring.push(NOON + 9999, aSample(4, { completed: 4 }));
    expect(ring.steps(1, NOON + 9999).steps.at(-1)).toMatchObject({
      waiting: { normal: 4 },
      completed: 3,
    });
  });

  test("a day later the first day is forgotten, and the memory is the same", () => {
    const ring = createMetricsRing();
    const stepMs = 60_000;
    for (let n = 0; n < 2 * 1440; n += 1) ring.push(NOON + n * stepMs, aSample(n));
    const end = NOON + (2 * 1440 - 1) * stepMs;
    const { steps } = ring.steps(1440, end);
    expect(steps[0]?.waiting.normal).toBeGreaterThanOrEqual(1440);
    expect(steps.every((step) => step !== null)).toBe(true);
  });
});

describe("the last hour", () => {
  test("counts all since the start while the daemon is younger than that", () => {
    const { ring, end } = filled(10);
    expect(ring.lastHour(end)).toMatchObject({ completed: 9, enqueued: 18 });
  });

  test("counts also what happened in a gap", () => {
    const { ring } = filled(2);
    ring.push(NOON + 600_000, aSample(0, { completed: 500 }));
    expect(ring.lastHour(NOON + 600_000).completed).toBe(500);
  });

  test("leaves out what is older", () => {
    const ring = createMetricsRing();
    ring.push(NOON, aSample(0, { completed: 100 }));
    ring.push(NOON + 3_700_000, aSample(0, { completed: 130 }));
    expect(ring.lastHour(NOON + 3_700_000).completed).toBe(30);
  });

  test("without a sample nothing is known", () => {
    expect(createMetricsRing().lastHour(NOON).completed).toBe(0);
  });
});
