import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { EnqueueRequest } from "../../shared/bus/client.ts";
import type { AuditEventView, TaskDetail, WorkerView } from "../../shared/control.ts";
import { isTerminal, type TaskStatus } from "../../shared/task.ts";
import { startDaemon, type TestDaemon, type TestDaemonOptions } from "./daemon.ts";
import { until } from "./until.ts";

/** A pool as the settings know it. */
export interface PoolOption {
  readonly queues?: readonly string[];
  readonly slots: number;
  readonly expressSlots?: number;
}

/** Two workers that serve the same queues, so that one can go on while the other is in trouble. */
export const TWO_WORKERS: Readonly<Record<string, PoolOption>> = {
  a: { slots: 4 },
  b: { slots: 4 },
};

/** A daemon whose workers know the tasks of faults, with these pools. */
export function startScenario(
  pools: Readonly<Record<string, PoolOption>>,
  options: TestDaemonOptions = {},
): Promise<TestDaemon> {
  const full = Object.entries(pools).map(([name, pool]) => [
    name,
    { queues: ["*"], expressSlots: 0, ...pool },
  ]);
  return startDaemon({
    workspace: fileURLToPath(new URL("../fixtures/scenarios", import.meta.url)),
    ...options,
    set: { "workers.pools": JSON.stringify(Object.fromEntries(full)), ...options.set },
  });
}

/** The workers that can take tasks now. */
export async function readyWorkers(daemon: TestDaemon): Promise<WorkerView[]> {
  const { workers } = await daemon.client.status();
  return workers.filter(({ state }) => state === "ready");
}

/** Waits until every pool has a worker that takes tasks. */
export function whenWorkersReady(daemon: TestDaemon, count: number): Promise<WorkerView[]> {
  return until(
    () => readyWorkers(daemon),
    (workers) => workers.length === count,
  );
}

/** Waits until the task runs, and answers the worker that holds it. */
export async function holderOf(daemon: TestDaemon, id: string): Promise<WorkerView> {
  const { worker } = await untilStatus(daemon, id, "running");
  const { workers } = await daemon.client.status();
  const holder = workers.find((view) => view.id === worker);
  if (holder === undefined) throw new Error(`no worker ${worker} holds the task ${id}`);
  return holder;
}

export function untilStatus(
  daemon: TestDaemon,
  id: string,
  status: TaskStatus,
): Promise<TaskDetail> {
  return until(
    () => daemon.client.get(id),
    (task) => task.status === status,
  );
}

/** Waits until the task has ended, however, and the audit has written it down. */
export async function untilEnded(daemon: TestDaemon, id: string): Promise<TaskDetail> {
  const ended = (task: TaskDetail): boolean => isTerminal(task.status);
  const { status } = await until(() => daemon.client.get(id), ended);
  await untilNoted(daemon, id, `task.${status}`);
  return daemon.client.get(id);
}

/** The audit's lines of this kind about a task. */
export async function notesOf(
  daemon: TestDaemon,
  id: string,
  kind: string,
): Promise<AuditEventView[]> {
  const { events } = await daemon.client.request("audit_task", { id });
  return events.filter((event) => event.kind === kind);
}

/** Waits until the audit has a line of this kind about the task. */
export async function untilNoted(
  daemon: TestDaemon,
  id: string,
  kind: string,
): Promise<AuditEventView> {
  const notes = await until(
    () => notesOf(daemon, id, kind),
    (found) => found.length > 0,
  );
  return notes[0]!;
}

/** Process ids of every process below this one, itself not included (Linux). */
export function descendantsOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    .split(" ")
    .filter((text) => text !== "")
    .map(Number);
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

/** How many times the audit saw the task complete, once it saw it. */
export function completionsOf(daemon: TestDaemon, id: string): Promise<number> {
  return until(
    async () => (await notesOf(daemon, id, "task.completed")).length,
    (count) => count > 0,
  );
}

/** Enqueues these tasks and answers their ids in the same order. Fails when one is refused. */
export async function enqueueAll(
  daemon: TestDaemon,
  items: readonly EnqueueRequest[],
): Promise<string[]> {
  const outcomes = await daemon.client.enqueueMany(items);
  return outcomes.map((outcome) => {
    if ("error" in outcome) throw outcome.error;
    return outcome.id;
  });
}
