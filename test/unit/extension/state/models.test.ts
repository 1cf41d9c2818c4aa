import { describe, expect, test } from "vitest";
import {
  causesOf,
  concernsDeadLetters,
  reduceDeadLetters,
} from "../../../../extension/state/dead-letter-model.ts";
import { createQueueLoader } from "../../../../extension/state/queue-load.ts";
import {
  carryTaskProgress,
  concernsQueues,
  type QueueModel,
  reduceQueues,
  type TaskModel,
} from "../../../../extension/state/queue-model.ts";
import {
  carryProgress,
  concernsRuns,
  groupRuns,
  type RunModel,
  reduceRuns,
} from "../../../../extension/state/run-model.ts";
import { summarize } from "../../../../extension/state/work-summary.ts";
import type { Client, ListOptions } from "../../../../shared/bus/client.ts";
import type { QueueView } from "../../../../shared/control.ts";
import {
  aFact,
  aPhase,
  aProgress,
  aRun,
  aTask,
  NO_COUNTS,
  NOON,
} from "../../../support/work-views.ts";

const LIMITS = { tasksPerBucket: 50, oldestWaitMs: 120_000, backlog: 1000 };

function aQueue(part: Partial<QueueView> = {}): QueueView {
  return {
    queue: "etl",
    pool: "main",
    waiting: 0,
    running: 0,
    levels: [],
    tasks: [],
    oldestWaitMs: null,
    ...part,
  };
}

/** A daemon with so many waiting tasks at each level; it notes what it was asked. */
function daemonWith(waiting: Readonly<Record<number, number>>) {
  const asked: ListOptions[] = [];
  const levels = Object.entries(waiting).map(([level, n]) => ({
    level: Number(level),
    waiting: n,
    running: 0,
  }));
  const total = levels.reduce((sum, level) => sum + level.waiting, 0);
  const client = {
    async status() {
      const queues = [aQueue({ waiting: total, levels })];
      const counts = { ...NO_COUNTS, waiting: total };
      return { queues, counts, audit: { lagRecords: 0 } };
    },
    async request() {
      return { columns: ["task_id", "action", "from_level"], rows: [] };
    },
    async list(options: ListOptions) {
      asked.push(options);
      const { level = 0 } = options.where ?? {};
      const n = Math.min(options.limit ?? 50, waiting[level] ?? 0);
      const tasks = Array.from({ length: n }, (_, at) =>
        aTask({ id: `${level}-${at}`, priority: level }),
      );
      return { tasks, next: n < (waiting[level] ?? 0) ? "more" : null };
    },
  } as unknown as Client;
  return { client, asked };
}

describe("what the Queues view asks for", () => {
  test("of 100,000 waiting tasks no more than the first 50 of the bucket are asked for", async () => {
    const { client, asked } = daemonWith({ 5: 100_000 });
    const { value } = await createQueueLoader()(client, LIMITS);
    expect(asked).toEqual([
      { where: { status: ["waiting"], level: 5 }, limit: 50, order: "oldest" },
    ]);
    const [, normal] = value.buckets;
    expect(normal).toMatchObject({ waiting: 100_000, more: { known: 99_950, others: false } });
    expect(normal!.tasks).toHaveLength(50);
  });

  test("higher levels of a bucket come first, and the rest of the fifty from the next", async () => {
    const { client, asked } = daemonWith({ 10: 1, 9: 30, 8: 500 });
    const { value } = await createQueueLoader()(client, LIMITS);
    expect(asked.map(({ where, limit }) => [where?.level, limit])).toEqual([
      [10, 50],
      [9, 49],
      [8, 19],
    ]);
    expect(value.buckets[0]!.tasks.map(({ priority }) => priority)).toEqual([
      10,
      ...Array.from({ length: 30 }, () => 9),
      ...Array.from({ length: 19 }, () => 8),
    ]);
  });

  test("a task that a worker took ahead still counts as waiting, whatever the broker says", async () => {
    const { client } = daemonWith({ 9: 2, 5: 100_000 });
    const taken = {
      ...client,
      async status() {
        const levels = [
          { level: 9, waiting: 0, running: 2 },
          { level: 5, waiting: 99_990, running: 10 },
        ];
        const counts = { ...NO_COUNTS, waiting: 100_002 };
        return { queues: [aQueue({ levels })], counts, audit: { lagRecords: 0 } };
      },
    } as unknown as Client;
    const { value } = await createQueueLoader()(taken, LIMITS);
    expect(value.buckets.map(({ waiting }) => waiting)).toEqual([2, 100_000, 0]);
  });

  test("an idle daemon is asked for no list at all", async () => {
    const { client, asked } = daemonWith({});
    const { value } = await createQueueLoader()(client, LIMITS);
    expect([asked, value.lanes]).toEqual([[], []]);
  });

  test.each([
    ["nobody serves it", { pool: null, waiting: 1 }, "unserved"],
    ["its oldest task is late", { waiting: 1, oldestWaitMs: 120_001 }, "late"],
    ["too many wait", { waiting: 1001, oldestWaitMs: 10 }, "backlog"],
    ["all is well", { waiting: 1000, oldestWaitMs: 120_000 }, undefined],
    ["nothing waits", { pool: null, waiting: 0 }, undefined],
  ] as const)("a lane is shown when %s", async (_, queue, trouble) => {
    const { client } = daemonWith({});
    const status = { queues: [aQueue(queue)], counts: NO_COUNTS, audit: { lagRecords: 0 } };
    const changed = { ...client, status: async () => status } as unknown as Client;
    const { value } = await createQueueLoader()(changed, LIMITS);
    expect(value.lanes[0]?.trouble).toBe(trouble);
  });
});

function aModel(...tasks: readonly TaskModel[]): QueueModel {
  const bucket = (name: "high" | "normal" | "low") => {
    const own = tasks.filter((task) => task.bucket === name);
    const count = (status: string): number => own.filter((task) => task.status === status).length;
    return {
      bucket: name,
      waiting: count("waiting"),
      running: count("running"),
      tasks: own,
      more: null,
    };
  };
  return {
    buckets: [bucket("high"), bucket("normal"), bucket("low")],
    lanes: [],
    counts: NO_COUNTS,
    moved: new Map(),
  };
}
const shape = (model: QueueModel): unknown =>
  model.buckets.map(({ waiting, running, tasks }) => [
    waiting,
    running,
    ...tasks.map(({ id }) => id),
  ]);

describe("what an event changes of the queues", () => {
  test("an escalated task moves to the bucket of its new level, and can be moved back", () => {
    const record = { s: "waiting", g: 2, l: 9, act: "urgent", from: 5, by: "ada" } as const;
    const model = reduceQueues(aModel(aTask({ id: "a" }), aTask({ id: "b" })), aFact("a", record));
    expect(shape(model)).toEqual([
      [1, 0, "a"],
      [1, 0, "b"],
      [0, 0],
    ]);
    expect(model.buckets[0]!.tasks[0]).toMatchObject({ priority: 9, generation: 2 });
    expect(model.moved.get("a")).toBe(5);
  });

  test("a task that starts stands first, one that ends goes", () => {
    const waiting = aModel(aTask({ id: "a" }), aTask({ id: "b" }));
    const running = reduceQueues(waiting, aFact("b", { s: "running", a: 1, st: NOON }));
    expect(shape(running)).toEqual([
      [0, 0],
      [1, 1, "b", "a"],
      [0, 0],
    ]);
    const ended = reduceQueues(running, aFact("b", { s: "completed", a: 1 }));
    expect(shape(ended)).toEqual([
      [0, 0],
      [1, 0, "a"],
      [0, 0],
    ]);
  });

  test("a fact that is older than the answer changes nothing", () => {
    const model = aModel(aTask({ id: "a", status: "running", generation: 3, attempts: 1 }));
    for (const record of [
      { s: "completed", g: 2 },
      { s: "waiting", g: 3 },
    ] as const)
      expect(reduceQueues(model, aFact("a", record))).toBe(model);
  });

  test("facts of tasks that are not shown change nothing", () => {
    const model = aModel(aTask({ id: "a" }));
    expect(reduceQueues(model, aFact("z", { s: "completed" }))).toBe(model);
  });

  test("progress shows at the running task, stays over the next answer and ends with the attempt", () => {
    const running = aTask({ id: "a", status: "running", attempts: 1 });
    const model = reduceQueues(aModel(running), aProgress("a", 61, 100));
    const of = (one: QueueModel) => one.buckets[1]!.tasks[0]!.progress;
    expect(of(model)).toEqual({ done: 61, total: 100 });
    expect(of(carryTaskProgress(model, aModel(running)))).toEqual({ done: 61, total: 100 });
    const again = aModel({ ...running, attempts: 2 });
    expect(of(carryTaskProgress(model, again))).toBeNull();
    expect(of(reduceQueues(model, aFact("a", { s: "retrying", a: 1, due: NOON })))).toBeNull();
  });

  test("only progress leaves counts and order as they are", () => {
    expect(concernsQueues(aProgress("a", 1, 2))).toBe(false);
    expect(concernsQueues(aFact("a", { s: "running" }))).toBe(true);
    expect(concernsQueues({ kind: "system", at: "", event: "enqueued", data: {} })).toBe(true);
  });
});

describe("runs", () => {
  const known = [
    { name: "cls_all", phases: ["sync"], paramsSchema: { a: 1 } },
    { name: "cls", phases: ["sync"], paramsSchema: { a: 1 } },
    { name: "other", phases: ["sync"], paramsSchema: { a: 2 } },
  ];

  test("a second name of a pipeline is not shown twice; its runs stand under the first", () => {
    const runs = [aRun({ id: "1", pipeline: "cls" }), aRun({ id: "2", pipeline: "cls_all" })];
    const shown = groupRuns(known, runs, false);
    expect(shown.map(({ name, runs: own }) => [name, own.map(({ id }) => id)])).toEqual([
      ["cls_all", ["1", "2"]],
      ["other", []],
    ]);
  });

  test("runs of a pipeline that nobody offers any more keep a place", () => {
    const shown = groupRuns([], [aRun({ pipeline: "gone" })], false);
    expect(shown).toMatchObject([{ name: "gone", phases: [], runs: [{ pipeline: "gone" }] }]);
  });

  test("ten runs of each are shown, and that there are more is said", () => {
    const runs = Array.from({ length: 11 }, (_, at) => aRun({ id: String(at) }));
    const [shown] = groupRuns(known, runs, false);
    expect([shown!.runs.length, shown!.hasMore]).toEqual([10, true]);
  });

  const model: RunModel = {
    pipelines: [
      {
        name: "cls_all",
        phases: ["sync"],
        runs: [aRun({ phases: [aPhase("sync", { status: "waiting" })] })],
        hasMore: false,
      },
    ],
    progress: new Map(),
  };
  const phaseOf = (one: RunModel) => one.pipelines[0]!.runs[0]!.phases[0]!;

  test("a phase that starts runs at once, and its progress is kept while it does", () => {
    const running = reduceRuns(model, aFact("run-sync", { s: "running", n: "cls.sync", st: NOON }));
    expect(phaseOf(running).status).toBe("running");
    const half = reduceRuns(running, aProgress("run-sync", 1, 2));
    expect(carryProgress(half, running).progress.get("run-sync")).toEqual({ done: 1, total: 2 });
    expect(carryProgress(half, model).progress.size).toBe(0);
  });

  test("tasks of no run are no matter of the pipelines", () => {
    expect(concernsRuns(aFact("x", { s: "completed" }))).toBe(false);
    expect(concernsRuns(aFact("x-sync", { s: "completed", n: "cls.sync" }))).toBe(true);
    expect(reduceRuns(model, aProgress("x", 1, 2))).toBe(model);
  });
});

describe("dead letters", () => {
  const model = { letters: [aTask({ id: "a", status: "dead", generation: 2 })], total: 300 };

  test("one that was redriven goes at once", () => {
    const redriven = aFact("a", { s: "waiting", g: 3, act: "redrive" });
    expect(reduceDeadLetters(model, redriven)).toEqual({ letters: [], total: 299 });
    expect(concernsDeadLetters(redriven)).toBe(true);
  });

  test("older facts and other tasks change nothing", () => {
    expect(reduceDeadLetters(model, aFact("a", { s: "running", g: 2 }))).toBe(model);
    expect(reduceDeadLetters(model, aFact("b", { s: "waiting", g: 9 }))).toBe(model);
    expect(concernsDeadLetters(aFact("b", { s: "completed" }))).toBe(false);
  });

  test("causes that differ by numbers and ids alone are one, the most frequent first", () => {
    const letters = ["timeout after 30 s", "boom", "timeout after 31 s", null].map((error) => ({
      error,
    }));
    expect(causesOf(letters)).toEqual(["timeout after 30 s (2)", "boom (1)", "? (1)"]);
  });
});

test("a backlog is late since it was first seen, and over when it is", () => {
  const late = {
    counts: { ...NO_COUNTS, waiting: 2, retrying: 1 },
    queues: [aQueue({ waiting: 2, oldestWaitMs: 200_000 })],
  };
  const dead = { unseen: 0, causes: [] };
  const first = summarize(late, dead, LIMITS, null, 1000);
  expect(first).toMatchObject({ waiting: 3, backlog: { where: "etl", since: 1000 } });
  expect(summarize(late, dead, LIMITS, first, 9000).backlog?.since).toBe(1000);
  expect(summarize({ ...late, queues: [aQueue()] }, dead, LIMITS, first, 9000).backlog).toBeNull();
});
