import { mkdtempSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { CLS_PHASES } from "../../../daemon/pipelines/cls/params.ts";
import { openClsStore } from "../../../daemon/pipelines/cls/store.ts";
import { lockRoot } from "../../../daemon/pipelines/cls/store-lock.ts";
import { COMPLETED_PATTERN } from "../../../daemon/pipelines/runs.ts";
import type { RunView, TaskDetail } from "../../../shared/control.ts";
import { cliHere } from "../../support/cli.ts";
import { SMALL_ROOT } from "../../support/cls-phases.ts";
import { writeClsRoot } from "../../support/cls-root.ts";
import { runCls } from "../../support/cls-run.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { type Injector, inject } from "../../support/inject.ts";
import { untilStatus } from "../../support/scenario.ts";
import { until } from "../../support/until.ts";

const SLOTS = 2;
const POOLS = {
  fast: { queues: ["*"], slots: 2, expressSlots: 0 },
  slow: { queues: ["cls", "etl"], slots: SLOTS, expressSlots: 0 },
};

let daemon: TestDaemon;
let broker: Injector;
let work: string;

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), "cls-chain-"));
  daemon = await startDaemon({ set: { "workers.pools": JSON.stringify(POOLS) } });
  broker = await inject(daemon);
});
afterAll(async () => {
  await broker.close();
  await daemon.close();
  await rm(work, { recursive: true, force: true });
});

let places = 0;
async function aRoot(): Promise<{ root: string; out: string }> {
  places += 1;
  const root = join(work, `root-${places}`);
  await writeClsRoot(root, SMALL_ROOT);
  return { root, out: join(work, `out-${places}`) };
}

/** Holds a root as another run would, so that every run on it waits. */
async function hold(root: string, runId: string): Promise<() => void> {
  const signal = new AbortController().signal;
  const lock = await lockRoot(daemon.dataDir, root, { runId, signal, onWait: () => undefined });
  onTestFinished(() => lock.release());
  return () => lock.release();
}

function tasksOf(runId: string): Promise<TaskDetail[]> {
  return Promise.all(CLS_PHASES.map((phase) => daemon.client.get(`${runId}-${phase}`)));
}

function untilRun(runId: string, status: RunView["status"]): Promise<RunView> {
  return until(
    () => daemon.client.getRun(runId),
    (run) => run.status === status,
  );
}

test("a run on a root that another run holds waits and says for whom", async () => {
  const { root, out } = await aRoot();
  const release = await hold(root, "the-first-run");
  let told = "";
  const waiting = cliHere(
    [
      ...["--data", daemon.dataDir, "run", "cls_all", "--root", root, "--out", out],
      ...["--run-id", "second-run", "--wait"],
    ],
    {
      onErr: (err) => {
        told = err;
      },
    },
  );
  const sync = await until(
    () => daemon.client.get("second-run-sync").catch(() => null),
    (task) => task?.progress?.what.includes("the-first-run") === true,
  );
  expect(sync).toMatchObject({
    status: "running",
    progress: { what: "waiting for run the-first-run on this root" },
  });
  await until(() => told.includes("waiting for run the-first-run on this root"));
  release();
  expect((await waiting).code).toBe(0);
});

test("two runs started at the same time on one root apply each file once", async () => {
  const { root, out } = await aRoot();
  const ended = await Promise.all([
    runCls(daemon.dataDir, root, out),
    runCls(daemon.dataDir, root, `${out}-other`),
  ]);
  expect(ended.map(({ code }) => code)).toEqual([0, 0]);
  const applied = ended.flatMap(({ result }) =>
    (result.phases.sync.files ?? []).map(({ name, status }) => `${name} ${status}`),
  );
  expect(applied.filter((line) => line.endsWith("applied"))).toHaveLength(2);
  expect(applied.filter((line) => line.endsWith("skipped"))).toHaveLength(2);
  for (const { result } of ended) expect(result.phases.sync.finalRows).toBe(3);
  const store = openClsStore(daemon.dataDir, root);
  onTestFinished(() => store.close());
  expect(store.db.prepare("SELECT count(*) FROM files").pluck().get()).toBe(2);
});

test("the level that a waiting phase was given and the correlation id go with the run to its end", async () => {
  const blockers = await Promise.all(Array.from({ length: SLOTS }, () => aRoot()));
  const releases = await Promise.all(blockers.map(({ root }) => hold(root, "a-blocker")));
  const blocking = blockers.map(({ root, out }, n) =>
    runCls(daemon.dataDir, root, out, "--run-id", `blocker-${n}`),
  );
  for (const [n] of blockers.entries())
    await untilStatus(daemon, await idOf(`blocker-${n}-sync`), "running");
  const { root, out } = await aRoot();
  const waiting = runCls(daemon.dataDir, root, out, "--run-id", "raised", "--priority", "3");
  await until(() => daemon.client.get("raised-sync").catch(() => null), Boolean);
  const raised = await cliHere([
    ...["--data", daemon.dataDir, "escalate", "raised-sync", "urgent"],
    ...["--reason", "month end", "--json"],
  ]);
  expect(raised.code, raised.err).toBe(0);
  const level = (await daemon.client.get("raised-sync")).priority;
  expect(level).toBeGreaterThan(5);
  for (const release of releases) release();
  expect((await waiting).code).toBe(0);
  for (const task of await tasksOf("raised"))
    expect(task).toMatchObject({
      status: "completed",
      priority: level,
      correlationId: "raised",
      runId: "raised",
    });
  expect((await daemon.client.get("raised-sync")).priorityHistory).toMatchObject([
    { from: 3, to: level, reason: "month end" },
  ]);
  for (const { code } of await Promise.all(blocking)) expect(code).toBe(0);
});

test("a running run that is cancelled stops, begins no further phase and ends its waiting command with 1", async () => {
  const { root, out } = await aRoot();
  await hold(root, "somebody");
  const waiting = runCls(daemon.dataDir, root, out, "--run-id", "unwanted");
  await untilStatus(daemon, await idOf("unwanted-sync"), "running");
  const cancelled = await cliHere([
    ...["--data", daemon.dataDir, "cancel", "--run", "unwanted"],
    ...["--reason", "wrong folder", "--json"],
  ]);
  expect(cancelled.code, cancelled.err).toBe(0);
  const { code, result, err } = await waiting;
  expect(code).toBe(1);
  expect(err).toContain("was cancelled");
  expect(result).toMatchObject({ status: "cancelled", phases: { integrate: null } });
  const run = await untilRun("unwanted", "cancelled");
  expect(run.phases.map(({ status }) => status)).toEqual([
    ...["cancelled", "pending", "pending", "pending"],
  ]);
  await expect(readdir(out)).rejects.toMatchObject({ code: "ENOENT" });
});

/** The id once the task is there. */
async function idOf(id: string): Promise<string> {
  await until(() => daemon.client.get(id).catch(() => null), Boolean);
  return id;
}

test("a completion that is told several times starts the next phase once", async () => {
  const { root, out } = await aRoot();
  const events: { subject: string; data: Uint8Array }[] = [];
  const { nc } = broker.wire;
  // Each event is told again at once, while the next phase begins, and once more when all is over.
  const sub = nc.subscribe(COMPLETED_PATTERN, {
    callback: (_error, { subject, data }) => {
      if (events.length >= CLS_PHASES.length) return;
      if (events.some((event) => event.subject === subject)) return;
      events.push({ subject, data });
      nc.publish(subject, data);
    },
  });
  const { code, result } = await runCls(daemon.dataDir, root, out);
  expect(code).toBe(0);
  sub.unsubscribe();
  expect(events).toHaveLength(CLS_PHASES.length);
  for (const { subject, data } of events) nc.publish(subject, data);
  await nc.flush();
  await untilHandled();
  for (const task of await tasksOf(result.runId)) {
    expect(task).toMatchObject({ status: "completed", generation: 1, attempts: 1 });
    const entry = await broker.journal.read(task.queue, task.id);
    expect(entry?.record).toMatchObject({ s: "completed", g: 1, a: 1 });
    expect(await broker.messagesOf(task.id)).toBe(0);
  }
  const { tasks } = await daemon.client.list({ where: { runId: result.runId } });
  expect(tasks).toHaveLength(CLS_PHASES.length);
});

/** Waits until the daemon has dealt with every completion event that the broker holds. */
async function untilHandled(): Promise<void> {
  const info = () =>
    broker.wire.api<{ num_pending: number; num_ack_pending: number }>(
      `$JS.API.CONSUMER.INFO.${broker.names.stream.events}.pipelines`,
      {},
    );
  await until(info, (now) => now.num_pending === 0 && now.num_ack_pending === 0);
}
