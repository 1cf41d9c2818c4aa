import { describe, expect, test } from "vitest";
import type { StatusView } from "../../shared/control.ts";
import {
  addressOf,
  concernsOf,
  courseOf,
  depthOf,
  figuresOf,
  timesOf,
} from "../../webview/state/overview.ts";
import {
  EMPTY_STATUS,
  EXAMPLE_NOW,
  EXAMPLE_STATUS,
  exampleMetrics,
} from "./support/gallery/example-data.ts";

const LIMITS = { oldestWaitMs: 120_000, backlog: 1000 };
const kinds = (status: StatusView, runs = [], dead = 0): string[] =>
  concernsOf(status, runs, dead, LIMITS, EXAMPLE_NOW).map(({ kind }) => kind);

describe("what needs attention", () => {
  test("nothing does on an idle system", () => {
    expect(kinds(EMPTY_STATUS)).toEqual([]);
  });

  test("dead letters, a queue that is late and one that no worker serves do", () => {
    expect(kinds(EXAMPLE_STATUS)).toEqual(["dead", "slow", "no-worker"]);
  });

  test("a backlog that is not late is told as one", () => {
    const queues = EXAMPLE_STATUS.queues.map((queue) => ({ ...queue, oldestWaitMs: 10 }));
    expect(kinds({ ...EXAMPLE_STATUS, queues })).toContain("backlog");
  });

  test("a limit that is met exactly is not exceeded by the oldest wait", () => {
    const queues = [{ ...EXAMPLE_STATUS.queues[0]!, waiting: 1, oldestWaitMs: 120_000 }];
    expect(kinds({ ...EMPTY_STATUS, queues })).toEqual([]);
  });

  test("workers that are silent or given up do, and a degraded daemon comes first", () => {
    const workers = [{ ...EXAMPLE_STATUS.workers[0]!, state: "given-up" as const }];
    const daemon = { ...EXAMPLE_STATUS.daemon, degraded: ["The audit is behind."] };
    expect(kinds({ ...EMPTY_STATUS, workers, daemon })).toEqual(["degraded", "worker"]);
  });

  test("each concern leads to where it is dealt with", () => {
    const concerns = concernsOf(EXAMPLE_STATUS, [], 0, LIMITS, EXAMPLE_NOW);
    expect(concerns.map(addressOf)).toEqual([
      { screen: "dead" },
      { screen: "queues", filter: "queue:etl" },
      { screen: "queues", filter: "queue:orphans" },
    ]);
  });
});

describe("the figures", () => {
  const metrics = exampleMetrics(15);

  test("a step that nobody measured stays unknown and never becomes zero", () => {
    expect(figuresOf(metrics).waiting[22]).toBeNull();
    expect(depthOf(metrics, "high")[22]).toBeNull();
  });

  test("the rate is of the last whole minute, without the step that still grows", () => {
    const steps = metrics.steps.map((step, index) => step && { ...step, completed: index });
    // Four steps of 15 s before the last: 55 … 58.
    expect(figuresOf({ ...metrics, steps }).donePerMinute).toBe(55 + 56 + 57 + 58);
  });

  test("the share of failures is of all executions, and unknown when none ended", () => {
    expect(figuresOf(metrics).failedShare).toBeCloseTo(31 / 2551);
    const idle = { completed: 0, dead: 0, cancelled: 0 };
    const none = figuresOf({ ...metrics, endedLastHour: idle, failedAttemptsLastHour: 0 });
    expect(none.failedShare).toBeNull();
  });

  test("steps lie evenly before the last one", () => {
    const times = timesOf(metrics);
    expect([times.length, times.at(-1), times[58]]).toEqual([
      60,
      metrics.lastStepAt,
      metrics.lastStepAt - metrics.stepMs,
    ]);
  });

  test("a course goes from the first known value to the last", () => {
    expect(courseOf([null, 3, null, 9, null])).toEqual({ from: 3, to: 9 });
    expect(courseOf([null, 3])).toBeNull();
  });
});
