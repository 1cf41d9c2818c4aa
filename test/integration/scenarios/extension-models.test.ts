import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outcomeWords } from "../../../extension/commands/outcome-words.ts";
import { createSource } from "../../../extension/observable.ts";
import {
  concernsDeadLetters,
  type DeadLetterModel,
  loadDeadLetters,
  reduceDeadLetters,
} from "../../../extension/state/dead-letter-model.ts";
import { createLiveModel, type LiveModel } from "../../../extension/state/live-model.ts";
import { createQueueLoader } from "../../../extension/state/queue-load.ts";
import {
  carryTaskProgress,
  concernsQueues,
  type QueueModel,
  reduceQueues,
} from "../../../extension/state/queue-model.ts";
import {
  carryProgress,
  concernsRuns,
  loadRuns,
  type RunModel,
  reduceRuns,
} from "../../../extension/state/run-model.ts";
import { createWorkSource, type WorkSource } from "../../../extension/state/work-source.ts";
import { queueNodes } from "../../../extension/views/queue-nodes.ts";
import type { EnqueueRequest } from "../../../shared/bus/client.ts";
import type { ConnectionState } from "../../../shared/connection.ts";
import { sayEnglish } from "../../../shared/view/rows.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { tempDir } from "../../support/temp-dir.ts";
import { until } from "../../support/until.ts";
import { aContext } from "../../support/work-views.ts";

const LIMITS = { tasksPerBucket: 50, oldestWaitMs: 120_000, backlog: 1_000_000 };
const CONNECTED: ConnectionState = {
  kind: "connected",
  since: 0,
  url: "",
  rttMs: null,
  daemonVersion: "",
  serverVersion: "",
};

let daemon: TestDaemon;
let source: WorkSource;
let queues: LiveModel<QueueModel>;
let runs: LiveModel<RunModel>;
let dead: LiveModel<DeadLetterModel>;
let asked = 0;

const load = createQueueLoader();

beforeAll(async () => {
  daemon = await startDaemon({
    set: { "workers.pools": '{"only":{"queues":["*"],"slots":1,"expressSlots":0}}' },
  });
  const { client } = daemon;
  source = createWorkSource({
    client: () => client,
    onClient: () => () => {},
    connection: createSource<ConnectionState>(CONNECTED),
  });
  queues = createLiveModel<QueueModel>({
    source,
    load(one) {
      asked += 1;
      return load(one, LIMITS);
    },
    reduce: reduceQueues,
    carry: carryTaskProgress,
    concerns: concernsQueues,
  });
  runs = createLiveModel<RunModel>({
    source,
    load: loadRuns,
    reduce: reduceRuns,
    carry: carryProgress,
    concerns: concernsRuns,
  });
  dead = createLiveModel<DeadLetterModel>({
    source,
    load: (one) => loadDeadLetters(one, 50),
    reduce: reduceDeadLetters,
    concerns: concernsDeadLetters,
  });
  for (const model of [queues, runs, dead]) model.setVisible(true);
});

afterAll(async () => {
  for (const model of [queues, runs, dead]) model?.dispose();
  source?.dispose();
  await daemon?.close();
});

/** Bucket and status of a task as the tree has it; null: it is not there. */
function placeOf(id: string): string | null {
  for (const { bucket, tasks } of queues.get().value?.buckets ?? []) {
    const task = tasks.find((one) => one.id === id);
    if (task !== undefined) return `${bucket} ${task.status}`;
  }
  return null;
}
const file = (): string => join(tempDir(), "trace");

describe("the trees follow a real daemon", () => {
  test("a task shows when it is enqueued, when it runs, and goes when it has completed", async () => {
    const { client } = daemon;
    const busy = await client.enqueue("test.work", { file: file(), ms: 1500 });
    const task = await client.enqueue("test.work", { file: file(), ms: 1000 });
    await until(
      () => placeOf(task.id),
      (place) => place === "normal waiting",
    );
    await until(
      () => placeOf(task.id),
      (place) => place === "normal running",
    );
    expect(placeOf(busy.id)).toBeNull();
    await client.waitResult(task);
    await until(
      () => placeOf(task.id),
      (place) => place === null,
    );
  });

  test("an escalation moves the task to the high bucket, where it starts next, and can be undone", async () => {
    const { client } = daemon;
    const some: EnqueueRequest[] = Array.from({ length: 4 }, () => ({
      task: "test.work",
      input: { file: file(), ms: 1200 },
    }));
    const tasks = await client.enqueueMany(some);
    const last = tasks.at(-1) as { readonly id: string };
    await until(
      () => placeOf(last.id),
      (place) => place === "normal waiting",
    );
    await client.escalate(last.id, 9, "the board meets at nine");
    await until(
      () => placeOf(last.id),
      (place) => place === "high waiting",
    );
    expect(queues.get().value?.moved.get(last.id)).toBe(5);
    await until(
      () => placeOf(last.id),
      (place) => place === "high running",
    );
    await client.cancel({ where: {} });
    await until(
      () => queues.get().value?.buckets.flatMap((bucket) => bucket.tasks) ?? [],
      (left) => left.length === 0,
    );
  });

  test("a dead letter shows, and goes when it is redriven; a refusal is told for each item", async () => {
    const { client } = daemon;
    const one = await client.enqueue("test.fail", { file: file(), kind: "final" });
    const two = await client.enqueue("test.fail", { file: file(), kind: "final" });
    await until(
      () => dead.get().value?.letters.map(({ id }) => id) ?? [],
      (ids) => ids.includes(one.id) && ids.includes(two.id),
    );
    expect(dead.get().value?.total).toBe(2);
    const block = await client.enqueue("test.work", { file: file(), ms: 3000 }, { priority: 9 });
    await until(
      () => placeOf(block.id),
      (place) => place === "high running",
    );
    const outcome = await client.redrive({ ids: [one.id, "no-such-task"] });
    expect(outcome).toMatchObject({ applied: 1, refusedCount: 1 });
    expect(outcomeWords("redrive", outcome, sayEnglish)).toMatch(/^1 task redriven, 1 refused: ./);
    await until(
      () => dead.get().value?.letters.map(({ id }) => id),
      (ids) => ids?.length === 1 && ids[0] === two.id,
    );
    await until(
      () => placeOf(one.id),
      (place) => place === "normal waiting",
    );
    await client.cancel({ where: {} });
  });

  test("every pipeline is there once, with its runs", async () => {
    const { client } = daemon;
    await until(
      () => runs.get().value?.pipelines.map(({ name }) => name),
      (names) => names?.includes("cls_all") ?? false,
    );
    expect(runs.get().value?.pipelines.map(({ name }) => name)).toEqual(["cls_all"]);
    const { runId } = await client.run("cls", { phases: ["sync"], params: { root: tempDir() } });
    await until(
      () => runs.get().value?.pipelines[0]?.runs[0],
      (run) => run?.id === runId && run.status === "failed",
    );
  });

  test("nothing is asked while nobody looks, however much happens", async () => {
    const { client } = daemon;
    queues.setVisible(false);
    // What was on its way is over after it.
    await queues.refresh();
    const before = asked;
    const task = await client.enqueue("test.work", { file: file() });
    await client.waitResult(task);
    expect(asked).toBe(before);
    queues.setVisible(true);
    await until(
      () => asked,
      (now) => now > before,
    );
  });

  test("a hundred thousand waiting tasks: what the tree asks for, and what it keeps", async () => {
    const { client } = daemon;
    await client.enqueue("test.work", { file: file(), ms: 110_000 }, { priority: 10 });
    const trace = file();
    const many = Array.from({ length: 20_000 }, (_, at) => ({
      task: "test.work",
      input: { file: trace, label: String(at) },
    }));
    queues.setVisible(false);
    for (let round = 0; round < 5; round++) await client.enqueueMany(many);
    globalThis.gc?.();
    const heapBefore = process.memoryUsage().heapUsed;
    const times: number[] = [];
    for (let round = 0; round < 7; round++) {
      const startedAt = performance.now();
      await queues.refresh();
      queueNodes(queues.get().value!, aContext());
      times.push(performance.now() - startedAt);
    }
    const heapAfter = process.memoryUsage().heapUsed;
    const [, normal] = queues.get().value!.buckets;
    expect(normal!.waiting).toBeGreaterThanOrEqual(100_000);
    expect(normal!.tasks).toHaveLength(50);
    const sorted = [...times].sort((a, b) => a - b);
    console.info(
      `100,000 waiting: first ${times[0]!.toFixed(0)} ms, median ${sorted[3]!.toFixed(0)} ms, ` +
        `heap ${((heapAfter - heapBefore) / 1e6).toFixed(1)} MB more`,
    );
    // One task high up: its bucket holds a backlog of another level's neighbour only.
    const urgent = await client.enqueue("test.work", { file: trace }, { priority: 9 });
    const startedAt = performance.now();
    await queues.refresh();
    console.info(`with one urgent task: ${(performance.now() - startedAt).toFixed(0)} ms`);
    expect(placeOf(urgent.id)).toBe("high waiting");
  });
});
