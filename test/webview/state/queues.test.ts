import { expect, test } from "vitest";
import type { MetricsStep, QueueView, TaskSummary, WorkerView } from "../../../shared/control.ts";
import {
  bucketRows,
  countOf,
  FIRST_PAGE,
  NO_SAMPLES,
  NOTHING,
  nextPage,
  pacePerMinute,
  previousPage,
  queueRows,
  SAMPLE_EVERY_MS,
  sampleDepths,
  select,
  tickedOf,
} from "../../../webview/state/queues.ts";
import { exampleTask } from "../support/gallery/example-data.ts";

const LIMITS = { oldestWaitMs: 120_000, backlog: 100 };

function queue(name: string, more: Partial<QueueView> = {}): QueueView {
  return {
    queue: name,
    pool: "default",
    waiting: 0,
    running: 0,
    levels: [],
    tasks: [],
    oldestWaitMs: null,
    ...more,
  };
}

function worker(queues: string[], more: Partial<WorkerView> = {}): WorkerView {
  return {
    id: queues.join(),
    pool: "default",
    queues,
    pid: 1,
    host: "h",
    slots: 4,
    running: 1,
    state: "ready",
    startedAt: "2026-05-01T18:00:00.000Z",
    lastBeatAt: null,
    error: null,
    ...more,
  };
}

test("a queue's state is the worst that holds", () => {
  const states = (one: Partial<QueueView>, workers = [worker(["etl"])]) =>
    queueRows({ queues: [queue("etl", one)], workers }, LIMITS)[0]?.state;
  expect(states({})).toBe("idle");
  expect(states({ running: 1 })).toBe("processing");
  expect(states({ waiting: 101, oldestWaitMs: 10 })).toBe("backlogged");
  expect(states({ waiting: 101, oldestWaitMs: 120_001 })).toBe("stuck");
  expect(states({ waiting: 1, oldestWaitMs: 10 }, [])).toBe("no-worker");
});

test("only workers that are ready and serve the queue count", () => {
  const workers = [worker(["etl", "cls"]), worker(["etl"], { state: "silent" }), worker(["web"])];
  expect(queueRows({ queues: [queue("etl")], workers }, LIMITS)[0]).toMatchObject({
    workers: 1,
    busy: 1,
    slots: 4,
  });
});

test("a worker of the rest serves the queues of its pool only", () => {
  const workers = [worker(["*"], { pool: "fast" }), worker(["etl"], { pool: "slow" })];
  const rows = queueRows(
    { queues: [queue("etl", { pool: "slow" }), queue("web", { pool: "fast" })], workers },
    LIMITS,
  );
  expect(rows.map((row) => [row.queue, row.workers])).toEqual([
    ["etl", 1],
    ["web", 1],
  ]);
});

test("trouble stands first, then the fullest queue", () => {
  const queues = [
    queue("idle"),
    queue("busy", { waiting: 9 }),
    queue("full", { waiting: 200 }),
    queue("alone", { waiting: 1 }),
  ];
  const workers = [worker(["idle", "busy", "full"])];
  expect(queueRows({ queues, workers }, LIMITS).map((row) => row.queue)).toEqual([
    "alone",
    "full",
    "busy",
    "idle",
  ]);
});

test("levels are added up by bucket", () => {
  const levels = [10, 8, 7, 4, 3, 0].map((level) => ({ level, waiting: 1, running: level }));
  expect(bucketRows([queue("etl", { levels }), queue("cls", { levels })])).toEqual([
    { bucket: "high", waiting: 4, running: 36 },
    { bucket: "normal", waiting: 4, running: 22 },
    { bucket: "low", waiting: 4, running: 6 },
  ]);
});

function step(enqueued: number, completed: number, dead = 0): MetricsStep {
  return {
    waiting: { high: 0, normal: 0, low: 0 },
    running: 0,
    enqueued,
    completed,
    failed: 0,
    dead,
  };
}

test("the pace is of whole steps that were measured", () => {
  const metrics = {
    stepMs: 30_000,
    lastStepAt: 0,
    steps: [step(2, 1), null, step(4, 2, 1), step(900, 900)],
    waitMs: null,
    endedLastHour: { completed: 0, dead: 0, cancelled: 0 },
    failedAttemptsLastHour: 0,
  };
  expect(pacePerMinute(metrics)).toEqual({ in: 6, out: 4 });
  expect(pacePerMinute({ ...metrics, steps: [null, step(1, 1)] })).toBeNull();
});

test("a depth is sampled every five seconds, sixty are kept, a queue that is gone goes", () => {
  let samples = NO_SAMPLES;
  for (let n = 1; n <= 70; n++)
    samples = sampleDepths(samples, [{ queue: "etl", waiting: n }], n * SAMPLE_EVERY_MS);
  expect(samples.depths["etl"]).toHaveLength(60);
  expect(samples.depths["etl"]?.at(-1)).toBe(70);
  const soon = samples.takenAt + SAMPLE_EVERY_MS - 1;
  expect(sampleDepths(samples, [], soon)).toBe(samples);
  expect(sampleDepths(samples, [], soon + 1).depths).toEqual({});
});

test("pages go forth and back by their cursors", () => {
  const second = nextPage(FIRST_PAGE, "c1");
  expect(nextPage(second, "c2").cursors).toEqual(["c1", "c2"]);
  expect(previousPage(second)).toEqual(FIRST_PAGE);
});

const page = [0, 1, 2].map((n) => exampleTask(n));
const other: TaskSummary = exampleTask(9);
const ids = (...tasks: readonly TaskSummary[]) => new Set(tasks.map(({ id }) => id));

test("ticking a page leaves what is chosen on other pages", () => {
  const first = select(NOTHING, [other], ids(other));
  const second = select(first, page, ids(other, page[1]!));
  expect(tickedOf(second, page)).toEqual(ids(other, page[1]!));
  expect(countOf(select(second, page, ids(other)))).toBe(1);
});

test("all that match are chosen whatever is loaded; unticking one leaves the rest of the page", () => {
  const all = { kind: "all", count: 1234 } as const;
  expect(countOf(all)).toBe(1234);
  expect(tickedOf(all, page)).toEqual(ids(...page));
  expect(countOf(select(all, page, ids(page[0]!, page[2]!)))).toBe(2);
});
