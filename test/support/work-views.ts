import type { TaskModel } from "../../extension/state/queue-model.ts";
import type { NodeContext } from "../../extension/views/queue-nodes.ts";
import type { FollowEvent } from "../../shared/bus/follow.ts";
import type { RunView, StatusView, TaskDetail } from "../../shared/control.ts";
import type { Role } from "../../shared/roles.ts";
import type { JournalRecord, TaskStatus } from "../../shared/task.ts";
import { sayEnglish } from "../../shared/view/rows.ts";

/** A noon on which everything in tests of views happens. */
export const NOON = Date.parse("2026-11-20T12:00:00.000Z");

/** An instant so many seconds before noon. */
export function secondsAgo(seconds: number): string {
  return new Date(NOON - seconds * 1000).toISOString();
}

export function aTask(part: Partial<TaskModel> = {}): TaskModel {
  return {
    id: "TASK0000000000a41f9c",
    name: "etl.load",
    queue: "etl",
    status: "waiting",
    priority: 5,
    bucket: "normal",
    generation: 1,
    attempts: 0,
    createdAt: secondsAgo(34),
    startedAt: null,
    endedAt: null,
    dueAt: null,
    durationMs: null,
    by: "ada",
    runId: null,
    error: null,
    progress: null,
    ...part,
  };
}

export function aDetail(part: Partial<TaskDetail> = {}): TaskDetail {
  return {
    ...aTask(),
    maxAttempts: 4,
    worker: null,
    inputJson: '{"table":"orders"}',
    resultJson: null,
    deadReason: null,
    correlationId: null,
    traceId: null,
    category: null,
    phase: null,
    attemptHistory: [],
    priorityHistory: [],
    progress: null,
    ...part,
  };
}

export function aRun(part: Partial<RunView> = {}): RunView {
  return {
    id: "RUN000000000000000118a",
    pipeline: "cls_all",
    status: "running",
    phases: [aPhase("sync", { status: "running", startedAt: secondsAgo(64) }), aPhase("integrate")],
    params: { root: "/data" },
    by: "ada",
    priority: 5,
    warnings: 0,
    createdAt: secondsAgo(70),
    endedAt: null,
    ...part,
  };
}

export function aPhase(
  phase: string,
  part: Partial<RunView["phases"][number]> = {},
): RunView["phases"][number] {
  const status = part.status ?? "pending";
  return {
    phase,
    taskId: status === "pending" ? null : `run-${phase}`,
    status,
    result: null,
    error: null,
    startedAt: null,
    endedAt: null,
    ...part,
  };
}

export function aContext(role: Role | null = "Admin", user = "ada"): NodeContext {
  return {
    say: sayEnglish,
    locale: "en",
    now: NOON,
    identity: role === null ? null : { user, role },
  };
}

export function aFact(
  taskId: string,
  record: Partial<JournalRecord> & { readonly s: TaskStatus },
): FollowEvent & { readonly kind: "task" } {
  const whole = { g: 1, a: 0, l: 5, t: NOON, n: "etl.load", ...record };
  return { kind: "task", at: secondsAgo(0), taskId, queue: "etl", status: record.s, record: whole };
}

export function aProgress(taskId: string, done: number, total: number | null): FollowEvent {
  const data = { taskId, done, total, what: "rows" };
  return { kind: "system", at: secondsAgo(0), event: `task.progress.${taskId}`, data };
}

export const NO_COUNTS: StatusView["counts"] = {
  scheduled: 0,
  waiting: 0,
  running: 0,
  retrying: 0,
  completed: 0,
  cancelled: 0,
  dead: 0,
};
