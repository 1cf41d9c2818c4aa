import { AppError } from "../../shared/errors.ts";
import { actionOf, type PriorityAction } from "../../shared/priority.ts";
import { isWaiting, type JournalRecord } from "../../shared/task.ts";
import {
  type Actor,
  carried,
  findMessage,
  type Located,
  levelOf,
  locateForChange,
  type MoveDeps,
  payloadOfRow,
  publishCopy,
  removeLater,
} from "./move.ts";

export interface Change {
  readonly to: number;
  readonly reason: string;
  /** The highest level that the caller may set: of the present level and the new one. */
  readonly maxLevel: number;
  readonly action?: PriorityAction;
}

export interface Changed {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly generation: number;
}

/** Rivals (workers, other escalators) can be first a few times; a task that is always claimed in between is running. */
const MAX_TRIES = 10;

/**
 * Changes the priority of a waiting task: the copy at the new level first, then the journal, then the old copy goes. The
 * new copy is never deleted: a worker may have taken it before the journal was written, and then the change has won.
 * Throws `task-not-found`, `task-not-waiting`, `already-running-task`, `not-permitted` (with the level that is needed).
 */
export async function escalate(
  deps: MoveDeps,
  id: string,
  change: Change,
  actor: Actor,
): Promise<Changed> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const task = await locateForChange(deps, id);
    if (task === null) throw new AppError("task-not-found", { id });
    const from = levelOf(task);
    refuse(task, from, change, actor);
    if (from === change.to) return { id, from, to: from, generation: task.entry?.record.g ?? 1 };
    const status = task.entry?.record.s ?? "waiting";
    const done =
      status === "waiting"
        ? await moveCopy(deps, task, from ?? change.to, change, actor)
        : await relabel(deps, task, change, actor);
    if (done !== null) return { id, from: from ?? change.to, to: change.to, generation: done };
  }
  throw new AppError("already-running-task", { id });
}

function refuse(task: Located, from: number | null, change: Change, actor: Actor): void {
  const status = task.entry?.record.s ?? task.row?.status ?? "waiting";
  if (task.entry === null && task.row !== null && !isWaiting(task.row.status)) {
    // No record although the audit saw one: the journal was purged after the task had ended.
    if (task.row.status !== "running")
      throw new AppError("task-not-waiting", { id: task.id, status: task.row.status });
  } else if (!isWaiting(status)) {
    throw new AppError(status === "running" ? "already-running-task" : "task-not-waiting", {
      id: task.id,
      status,
    });
  }
  const needed = Math.max(from ?? 0, change.to);
  if (needed > change.maxLevel) {
    throw new AppError("not-permitted", {
      user: actor.by,
      role: String(actor.role),
      act: change.to < needed ? `lower a task from level ${needed}` : `set level ${needed}`,
      needs: needed >= 10 ? "Admin" : needed === 9 ? "Manager" : "Operator",
      level: needed,
    });
  }
}

function historyOf(
  deps: MoveDeps,
  from: number,
  change: Change,
  actor: Actor,
): Pick<JournalRecord, "t" | "l" | "by" | "role" | "act" | "why" | "from"> {
  return {
    t: deps.now(),
    l: change.to,
    by: actor.by,
    role: actor.role,
    act: change.action ?? actionOf(from, change.to),
    why: change.reason,
    from,
  };
}

/** A task that waits for its time has its level in the journal alone. Null: somebody else was first. */
async function relabel(
  deps: MoveDeps,
  task: Located,
  change: Change,
  actor: Actor,
): Promise<number | null> {
  const { entry } = task;
  if (entry === null) return null;
  const { record } = entry;
  const next: JournalRecord = { ...record, ...historyOf(deps, record.l, change, actor) };
  const appended = await deps.journal.append(task.queue, task.id, next, entry.seq);
  return appended.kind === "appended" ? record.g : null;
}

/** Null: a rival was first, look again. */
async function moveCopy(
  deps: MoveDeps,
  task: Located,
  from: number,
  change: Change,
  actor: Actor,
): Promise<number | null> {
  const old = await findMessage(deps, task, from);
  const payload =
    old !== null
      ? { data: old.data, headers: old.headers }
      : task.row === null
        ? null
        : payloadOfRow(task.row);
  if (payload === null) return null;
  if (old === null && (await deps.journal.read(task.queue, task.id))?.seq !== task.entry?.seq)
    return null;
  const before = task.entry?.record ?? null;
  const copy = await publishCopy(
    deps,
    { id: task.id, queue: task.queue, level: change.to, generation: before?.g ?? 1 },
    payload,
  );
  const record: JournalRecord = {
    s: "waiting",
    g: copy.generation,
    ...carried(before, task.row),
    ...historyOf(deps, from, change, actor),
    m: copy.seq,
  };
  const appended = await deps.journal.append(task.queue, task.id, record, task.entry?.seq ?? 0);
  if (appended.kind === "appended") {
    if (old !== null) removeLater(deps, deps.names.stream.tasks, old.seq);
    return copy.generation;
  }
  const now = await deps.journal.read(task.queue, task.id);
  // A worker took the new copy before the journal was written: the change has won all the same.
  if (
    now !== null &&
    now.record.g === copy.generation &&
    now.record.l === change.to &&
    !isWaiting(now.record.s)
  ) {
    deps.log("escalation_won_by_claim", { taskId: task.id, from, to: change.to, by: actor.by });
    deps.overtaken?.({ taskId: task.id, ...historyOf(deps, from, change, actor) });
    return copy.generation;
  }
  return null;
}
