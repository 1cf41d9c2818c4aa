import * as vscode from "vscode";
import type { Client } from "../../shared/bus/client.ts";
import type { TaskSummary } from "../../shared/control.ts";
import type { TaskStatus } from "../../shared/task.ts";
import { line } from "../views/foreign.ts";
import { stateWords } from "../views/queue-nodes.ts";
import { statusIcon } from "../views/status-looks.ts";
import { ago, shortId } from "../views/words.ts";
import { type Back, type Item, pick, pickMany, type Row, type Step, say } from "./ui.ts";

const LISTED = 200;

/** Tasks in these states, the newest first, to choose from. */
async function taskItems(
  client: Client,
  status: readonly TaskStatus[],
): Promise<readonly Row<TaskSummary>[]> {
  const { tasks, next } = await client.list({ where: { status: [...status] }, limit: LISTED });
  const words = { say, locale: vscode.env.language, now: Date.now() };
  const items = tasks.map((task): Item<TaskSummary> => {
    const state = stateWords({ ...task, progress: null }, words);
    const when = task.status === "dead" ? ago(task.endedAt ?? task.createdAt, words) : "";
    const error = task.status === "dead" && task.error !== null ? line(task.error, 160) : "";
    return {
      value: task,
      label: `$(${statusIcon(task.status).id.replace("~spin", "")}) ${line(task.name, 100)}`,
      description: [shortId(task.id), state, when].filter((part) => part !== "").join(" · "),
      ...(error === "" ? {} : { detail: error }),
    };
  });
  if (next === null) return items;
  const label = vscode.l10n.t("The newest {n}; the dashboard has all of them", { n: LISTED });
  return [...items, { label, kind: vscode.QuickPickItemKind.Separator }];
}

export interface TaskQuestion extends Step {
  readonly placeholder: string;
  readonly status: readonly TaskStatus[];
  /** Said when there is none to choose. */
  readonly none: string;
}

export async function pickTask(
  client: Client,
  question: TaskQuestion,
): Promise<TaskSummary | Back | undefined> {
  const items = await taskItems(client, question.status);
  if (items.length > 0) return pick({ ...question, items });
  void vscode.window.showInformationMessage(question.none);
  return undefined;
}

export async function pickTasks(
  client: Client,
  question: TaskQuestion,
): Promise<readonly TaskSummary[] | Back | undefined> {
  const items = await taskItems(client, question.status);
  if (items.length > 0) return pickMany({ ...question, items });
  void vscode.window.showInformationMessage(question.none);
  return undefined;
}
