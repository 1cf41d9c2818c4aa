import type { RunView, TaskSummary } from "../../shared/control.ts";
import { ESCALATIONS } from "../../shared/priority.ts";
import { can, highestLevelOf } from "../../shared/roles.ts";
import { isWaiting } from "../../shared/task.ts";
import type { Identity } from "../app-context.ts";
import type { Capability } from "../contributions.ts";

/**
 * What this user may do with a task, as words of `contextValue`. The daemon decides again; what is left out here would be
 * refused there. `from`: the level before its last change, undefined when nobody changed it lately.
 */
export function taskCapabilities(
  task: Pick<TaskSummary, "status" | "priority" | "by">,
  identity: Identity | null,
  from?: number,
): Capability[] {
  const { status, priority } = task;
  const words: Capability[] = [status === "dead" ? "dead" : "task"];
  if (identity === null || !can(identity.role, "run_tasks")) return words;
  const highest = highestLevelOf(identity.role);
  const mayCancel = can(identity.role, "cancel_tasks") || task.by === identity.user;
  const mayMove = can(identity.role, "prioritize_tasks") && highest >= priority;
  if (isWaiting(status)) {
    if (mayMove) words.push(...moves(priority, highest, from));
    if (mayMove && status !== "waiting") words.push("startable");
    if (mayCancel) words.push("cancelable");
  }
  if (status === "running" && mayCancel) words.push("abortable");
  if (status === "cancelled" && mayMove) words.push("retryable");
  if (status === "dead" && mayMove) words.push("retryable", "redrivable");
  return words;
}

function moves(priority: number, highest: number, from: number | undefined): Capability[] {
  const words: Capability[] = [];
  const mayReach = (level: number): boolean => priority < level && level <= highest;
  if (highest > priority) words.push("escalatable");
  if (mayReach(ESCALATIONS.prioritize)) words.push("prioritizable");
  if (mayReach(ESCALATIONS.urgent)) words.push("urgentable");
  if (mayReach(ESCALATIONS.critical)) words.push("criticalable");
  if (priority > 0) words.push("lowerable");
  if (from !== undefined && from !== priority && from <= highest) words.push("undoable");
  return words;
}

/** The same for a run of a pipeline. */
export function runCapabilities(
  run: Pick<RunView, "status" | "by" | "priority">,
  identity: Identity | null,
): Capability[] {
  const words: Capability[] = ["run"];
  if (identity === null || !can(identity.role, "run_tasks")) return words;
  if (run.status === "running") {
    if (can(identity.role, "cancel_tasks") || run.by === identity.user) words.push("abortable");
  } else if (run.priority <= highestLevelOf(identity.role)) words.push("repeatable");
  return words;
}
