import { AppError } from "../../shared/errors.ts";
import { isTerminal, type JournalRecord } from "../../shared/task.ts";
import type { Order } from "../worker/protocol.ts";
import { askWorker } from "./ask-worker.ts";
import {
  type Actor,
  carried,
  findMessage,
  type Located,
  levelOf,
  locateForChange,
  type MoveDeps,
  removeLater,
} from "./move.ts";

const MAX_TRIES = 10;
/** A worker answers from its own loop; one whose loop is blocked or that is gone is fenced instead. */
const ORDER_TIMEOUT_MS = 700;

/**
 * Cancels a task wherever it is. Waiting: it never runs. Running: its worker is told to abort; when the worker does not
 * answer, the journal says cancelled at once and whatever the handler still returns is discarded.
 * `ended` when it had ended before; throws `task-not-found`.
 */
export async function cancel(
  deps: MoveDeps,
  id: string,
  why: string | null,
  actor: Actor,
): Promise<"cancelled" | "stopping" | "ended"> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const task = await locateForChange(deps, id);
    if (task === null) throw new AppError("task-not-found", { id });
    const status =
      task.entry?.record.s ??
      (task.row && isTerminal(task.row.status) ? task.row.status : "waiting");
    if (isTerminal(status)) return "ended";
    if (status === "running" && (await order(deps, task, why, actor))) return "stopping";
    if (await write(deps, task, why, actor)) return "cancelled";
  }
  throw new AppError("task-not-in-state", {
    id,
    status: "moving",
    act: "cancel",
    needs: "a task that stands still",
  });
}

async function order(
  deps: MoveDeps,
  task: Located,
  why: string | null,
  actor: Actor,
): Promise<boolean> {
  const worker = task.entry?.record.w;
  if (worker === undefined) return false;
  const message: Order = {
    kind: "cancel",
    taskId: task.id,
    by: actor.by,
    role: String(actor.role),
    why,
  };
  try {
    const { nc } = deps.wire;
    return (await askWorker({ nc, names: deps.names }, worker, message, ORDER_TIMEOUT_MS)).done;
  } catch (error) {
    deps.log("worker_not_reached", { worker, taskId: task.id, error: String(error) });
    return false;
  }
}

async function write(
  deps: MoveDeps,
  task: Located,
  why: string | null,
  actor: Actor,
): Promise<boolean> {
  const before = task.entry?.record ?? null;
  const level = levelOf(task) ?? 0;
  const record: JournalRecord = {
    s: "cancelled",
    g: before?.g ?? 1,
    ...carried(before, task.row),
    l: level,
    t: deps.now(),
    ...(before?.w === undefined ? {} : { w: before.w }),
    by: actor.by,
    role: actor.role,
    act: "cancel",
    ...(why === null ? {} : { why }),
  };
  const appended = await deps.journal.append(task.queue, task.id, record, task.entry?.seq ?? 0);
  if (appended.kind === "lost") return false;
  await clear(deps, task, level);
  return true;
}

/** Takes the task's messages away. Best effort: a worker or the due clock that meets one drops it. */
async function clear(deps: MoveDeps, task: Located, level: number): Promise<void> {
  const status = task.entry?.record.s ?? "waiting";
  if (status === "scheduled" || status === "retrying") {
    await deps.wire.purge(deps.names.stream.due, deps.names.due(task.queue, task.id));
    return;
  }
  const message = await findMessage(deps, task, level);
  if (message !== null) removeLater(deps, deps.names.stream.tasks, message.seq);
}
