import * as vscode from "vscode";
import type { Client } from "../../shared/bus/client.ts";
import type { TaskSummary } from "../../shared/control.ts";
import { AppError } from "../../shared/errors.ts";
import { ESCALATIONS, type EscalationAction } from "../../shared/priority.ts";
import { highestLevelOf, leastRoleForLevel, type Role } from "../../shared/roles.ts";
import { isWaiting, TASK_STATUSES } from "../../shared/task.ts";
import type { TreeTarget } from "../contributions.ts";
import { levelWords } from "../views/words.ts";
import type { CommandDeps } from "./deps.ts";
import { escalationChoices, type LevelChoice, loweringChoices } from "./escalation-choices.ts";
import { joinOutcomes } from "./outcome-words.ts";
import { pickTasks } from "./pick-task.ts";
import { report } from "./report.ts";
import { ASK_ABOVE, targetsOf } from "./targets.ts";
import { ask, BACK, confirm, type Item, pick, say, walk } from "./ui.ts";

type TreeArgs = [node?: TreeTarget | undefined, selected?: readonly TreeTarget[] | undefined];
type Moved = Pick<TaskSummary, "id" | "name" | "priority" | "status">;

const WAITING = TASK_STATUSES.filter(isWaiting);
const REASON_KEY = "msgSys.lastReason";

/** Prioritize, Urgent or Critical from a menu: straight to the reason. */
export function moveTo(action: EscalationAction, deps: CommandDeps) {
  return async (client: Client, ...args: TreeArgs): Promise<void> => {
    const to = ESCALATIONS[action];
    const { user, role } = await client.request("whoami", {});
    if (highestLevelOf(role) < to) throw notPermitted(user, role, to);
    const tasks = await chosen(client, deps, args);
    // Those that stand higher already would be lowered.
    const below = tasks.filter(({ priority }) => priority < to);
    if (below.length > 0) await move(client, deps, below, to);
  };
}

function notPermitted(user: string, role: Role, level: number): AppError {
  const act = `escalate at level ${levelWords(level, say)}`;
  return new AppError("not-permitted", { user, role, act, needs: leastRoleForLevel(level), level });
}

/** Escalate Task…: which tasks, to which level, why. Levels beyond the role are listed with the role that they need. */
export async function escalateTask(
  client: Client,
  deps: CommandDeps,
  ...args: TreeArgs
): Promise<void> {
  const title = vscode.l10n.t("Escalate Task");
  await moveByChoice(client, deps, args, title, (tasks, role) =>
    escalationChoices(Math.min(...tasks.map(({ priority }) => priority)), role, say),
  );
}

/** Lower Priority…: the same the other way round. */
export async function lowerTask(
  client: Client,
  deps: CommandDeps,
  ...args: TreeArgs
): Promise<void> {
  const title = vscode.l10n.t("Lower Priority");
  await moveByChoice(client, deps, args, title, (tasks, role) =>
    loweringChoices(Math.max(...tasks.map(({ priority }) => priority)), role, say),
  );
}

async function moveByChoice(
  client: Client,
  deps: CommandDeps,
  args: TreeArgs,
  title: string,
  choices: (tasks: readonly Moved[], role: Role) => readonly LevelChoice[],
): Promise<void> {
  const { role } = await client.request("whoami", {});
  let tasks: readonly Moved[] = await chosen(client, deps, args);
  let to = -1;
  let reason = "";
  const pickTheTasks = async (place: object): Promise<unknown> => {
    const answer = await pickTasks(client, {
      ...place,
      title,
      placeholder: vscode.l10n.t("Waiting tasks: choose one or more"),
      status: WAITING,
      none: vscode.l10n.t("No task waits: there is nothing whose priority could change."),
    });
    if (answer !== undefined && answer !== BACK) tasks = answer;
    return answer;
  };
  const pickLevel = async (place: object): Promise<unknown> => {
    const items = choices(tasks, role).map(toItem);
    const answer = await pick({ ...place, title, placeholder: tasksWords(tasks), items });
    if (typeof answer === "number") to = answer;
    return answer;
  };
  const askWhy = async (place: object): Promise<unknown> => {
    const answer = await askReason(deps, { ...place, title }, levelWords(to, say));
    if (typeof answer === "string") reason = answer;
    return answer;
  };
  const steps = tasks.length > 0 ? [pickLevel, askWhy] : [pickTheTasks, pickLevel, askWhy];
  if (!(await walk(steps))) return;
  const isUp = (level: number): boolean => level < to;
  const isRaise = tasks.some(({ priority }) => isUp(priority));
  const moving = tasks.filter(({ priority }) => priority !== to && isUp(priority) === isRaise);
  await send(client, deps, moving, to, reason);
}

function toItem({ level, icon, label, refusal }: LevelChoice): Item<number> {
  return {
    value: level,
    refusal,
    label: refusal === null ? `$(${icon}) ${label}` : `$(lock) ${label}`,
    ...(refusal === null ? {} : { description: refusal }),
  };
}

function tasksWords(tasks: readonly Moved[]): string {
  const [only] = tasks;
  if (tasks.length === 1 && only !== undefined)
    return vscode.l10n.t("{name} is at {level}", {
      name: only.name,
      level: levelWords(only.priority, say),
    });
  return vscode.l10n.t("{n} tasks", { n: tasks.length });
}

async function chosen(
  client: Client,
  { views }: CommandDeps,
  [node, selected]: TreeArgs,
): Promise<readonly Moved[]> {
  const targets = targetsOf(["task"], node, selected, views.selection());
  const tasks = await Promise.all(targets.map(({ id }) => client.get(id)));
  // One alone is sent whatever its state: the daemon's refusal tells why better than silence.
  return tasks.length === 1 ? tasks : tasks.filter(({ status }) => isWaiting(status));
}

async function move(
  client: Client,
  deps: CommandDeps,
  tasks: readonly Moved[],
  to: number,
): Promise<void> {
  const level = levelWords(to, say);
  if (tasks.length > ASK_ABOVE) {
    const title = vscode.l10n.t("Move {n} tasks to {level}?", { n: tasks.length, level });
    const act = vscode.l10n.t("Move {n} Tasks", { n: tasks.length });
    if (!(await confirm(title, vscode.l10n.t("They start before everything below it."), act)))
      return;
  }
  const reason = await askReason(deps, { title: tasksWords(tasks) }, level);
  if (typeof reason === "string") await send(client, deps, tasks, to, reason);
}

async function send(
  client: Client,
  { documents, app }: CommandDeps,
  tasks: readonly Moved[],
  to: number,
  reason: string,
): Promise<void> {
  if (tasks.length === 0) return;
  await app.vscode.workspaceState.update(REASON_KEY, reason);
  const outcome = await client.escalate({ ids: tasks.map(({ id }) => id) }, to, reason);
  report("escalate", outcome, documents);
}

/** A reason, with the last one offered: a person who moves ten tasks has one reason for all of them. */
async function askReason(
  { app }: CommandDeps,
  step: { readonly title: string },
  level: string,
): Promise<string | typeof BACK | undefined> {
  return ask({
    ...step,
    prompt: vscode.l10n.t("Why {level}? The reason stays in the task's history.", { level }),
    value: app.vscode.workspaceState.get<string>(REASON_KEY) ?? "",
    placeholder: vscode.l10n.t("customer call"),
    problem: reasonProblem,
  });
}

export function reasonProblem(text: string): string | null {
  if (text.trim() === "") return vscode.l10n.t("Say why, in a few words.");
  return text.trim().length > 1000 ? vscode.l10n.t("At most 1000 characters.") : null;
}

/** Undo Priority Change: back to the level before, task by task. */
export async function undoPriority(
  client: Client,
  deps: CommandDeps,
  ...[node, selected]: TreeArgs
): Promise<void> {
  const targets = targetsOf(["task"], node, selected, deps.views.selection());
  if (targets.length === 0) return;
  const reason = await ask({
    title: vscode.l10n.t("Undo Priority Change"),
    prompt: vscode.l10n.t("Why? The reason stays in the task's history."),
    value: vscode.l10n.t("changed by mistake"),
    problem: reasonProblem,
  });
  if (typeof reason !== "string") return;
  report("undo", await eachOf(targets, (id) => client.undo(id, reason)), deps.documents);
}

/** Acts on each by itself. A single one rejects with its refusal; of many, refusals are counted. */
export async function eachOf(
  targets: readonly TreeTarget[],
  act: (id: string) => ReturnType<Client["undo"]>,
): Promise<Awaited<ReturnType<Client["undo"]>>> {
  const [only] = targets;
  if (targets.length === 1 && only !== undefined) return act(only.id);
  const outcomes = await Promise.all(
    targets.map(async ({ id }) => {
      try {
        return await act(id);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        const refused = [{ id, error: error.toWire() }];
        return { matched: 1, applied: 0, refused, refusedCount: 1, dryRun: false };
      }
    }),
  );
  return joinOutcomes(outcomes);
}
