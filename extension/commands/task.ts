import * as vscode from "vscode";
import type { Client } from "../../shared/bus/client.ts";
import { isTerminal, TASK_STATUSES, type TaskStatus } from "../../shared/task.ts";
import type { TreeTarget } from "../contributions.ts";
import { auditText } from "./audit-words.ts";
import type { CommandDeps } from "./deps.ts";
import { eachOf } from "./escalate.ts";
import { pickTask, pickTasks } from "./pick-task.ts";
import { report, tell } from "./report.ts";
import { ASK_ABOVE, targetsOf } from "./targets.ts";
import { ask, BACK, confirm, say } from "./ui.ts";

type TreeArgs = [node?: TreeTarget | undefined, selected?: readonly TreeTarget[] | undefined];

const LIVING = TASK_STATUSES.filter((status) => !isTerminal(status));

/** Cancel: with the reason as the question whether to. */
export async function cancelTasks(
  client: Client,
  deps: CommandDeps,
  ...args: TreeArgs
): Promise<void> {
  const targets = await chosenOrPicked(client, deps, args, {
    title: vscode.l10n.t("Cancel"),
    status: LIVING,
    none: vscode.l10n.t("No task waits or runs."),
  });
  if (targets.length === 0) return;
  const n = targets.length;
  if (n > ASK_ABOVE) {
    const title = vscode.l10n.t("Cancel {n} tasks?", { n });
    const detail = vscode.l10n.t("Those that wait are dropped, those that run are stopped.");
    if (!(await confirm(title, detail, vscode.l10n.t("Cancel {n} Tasks", { n })))) return;
  }
  const reason = await askOptionalReason(
    n === 1 ? vscode.l10n.t("Cancel 1 task") : vscode.l10n.t("Cancel {n} tasks", { n }),
  );
  if (reason === undefined) return;
  const ids = targets.map(({ id }) => id);
  // A single one is refused as such, with its own words.
  const outcome = await client.cancel(n === 1 ? ids[0]! : { ids }, reason);
  report("cancel", outcome, deps.documents);
}

/** Enter alone goes on without a reason; leaving the box leaves all as it is. */
async function askOptionalReason(title: string): Promise<{ reason?: string } | undefined> {
  const answer = await ask({
    title,
    prompt: vscode.l10n.t("Why? (may be left empty) Enter cancels, Escape leaves all as it is."),
    problem: (text) => (text.length > 1000 ? vscode.l10n.t("At most 1000 characters.") : null),
  });
  if (typeof answer !== "string") return undefined;
  return answer.trim() === "" ? {} : { reason: answer.trim() };
}

/** Retry: cancelled and dead tasks get a new life, delayed ones start at once. */
export async function retryTasks(
  client: Client,
  deps: CommandDeps,
  ...args: TreeArgs
): Promise<void> {
  const targets = await chosenOrPicked(client, deps, args, {
    title: vscode.l10n.t("Retry"),
    status: ["retrying", "scheduled", "dead", "cancelled"],
    none: vscode.l10n.t("No task failed, was cancelled or waits for its time."),
  });
  if (targets.length === 0) return;
  report("retry", await eachOf(targets, (id) => client.retry(id)), deps.documents);
}

/** Opens a task in the dashboard. */
export async function showDetail(
  client: Client,
  deps: CommandDeps,
  ...args: TreeArgs
): Promise<void> {
  const id = await oneTask(client, deps, args, vscode.l10n.t("Show Detail"));
  if (id !== null) await deps.app.runCommand("msgSys.dashboard.open", { screen: "task", id });
}

/** The audit timeline of a task, to read. */
export async function showAudit(
  client: Client,
  deps: CommandDeps,
  ...args: TreeArgs
): Promise<void> {
  const id = await oneTask(client, deps, args, vscode.l10n.t("Show Audit"));
  if (id === null) return;
  const [task, { events }] = await Promise.all([
    client.get(id),
    client.request("audit_task", { id }),
  ]);
  const title = `${vscode.l10n.t("Audit of {name} {id}", { name: task.name, id })}.txt`;
  await deps.documents.show(title, auditText(task, events, say));
}

/** Opens what a node is about in the dashboard. */
export async function reveal(deps: CommandDeps, ...[node]: TreeArgs): Promise<void> {
  const target = node ?? deps.views.selection()[0];
  if (target === undefined) return deps.app.runCommand("msgSys.dashboard.open");
  const { kind, id } = target;
  const address =
    kind === "run"
      ? ({ screen: "run", id } as const)
      : kind === "pipeline"
        ? ({ screen: "runs", filter: `pipeline:${id}` } as const)
        : ({ screen: "task", id } as const);
  await deps.app.runCommand("msgSys.dashboard.open", address);
}

export async function copyIds(deps: CommandDeps, ...[node, selected]: TreeArgs): Promise<void> {
  const targets = targetsOf(["task", "dead", "run"], node, selected, deps.views.selection());
  await copy(targets.map(({ id }) => id));
}

export async function copyParams(
  client: Client,
  deps: CommandDeps,
  ...[node, selected]: TreeArgs
): Promise<void> {
  const targets = targetsOf(["task", "dead", "run"], node, selected, deps.views.selection());
  const texts = await Promise.all(
    targets.map(async ({ kind, id }) =>
      kind === "run"
        ? JSON.stringify((await client.getRun(id)).params)
        : ((await client.get(id)).inputJson ?? ""),
    ),
  );
  await copy(texts);
}

export async function copyTraceIds(
  client: Client,
  deps: CommandDeps,
  ...[node, selected]: TreeArgs
): Promise<void> {
  const targets = targetsOf(["task", "dead"], node, selected, deps.views.selection());
  const ids = await Promise.all(targets.map(async ({ id }) => (await client.get(id)).traceId));
  const known = ids.filter((id) => id !== null);
  if (known.length === 0 && targets.length > 0) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t("This task was enqueued without a trace id."),
    );
    return;
  }
  await copy(known);
}

async function copy(texts: readonly string[]): Promise<void> {
  if (texts.length === 0) return;
  await vscode.env.clipboard.writeText(texts.join("\n"));
  tell(vscode.l10n.t("Copied"));
}

async function chosenOrPicked(
  client: Client,
  { views }: CommandDeps,
  [node, selected]: TreeArgs,
  question: { title: string; status: readonly TaskStatus[]; none: string },
): Promise<readonly TreeTarget[]> {
  const targets = targetsOf(["task", "dead"], node, selected, views.selection());
  if (node !== undefined || targets.length > 0) return targets;
  const placeholder = vscode.l10n.t("Choose one or more tasks");
  const picked = await pickTasks(client, { ...question, placeholder });
  if (picked === undefined || picked === BACK) return [];
  return picked.map(({ id, status }) => ({ kind: status === "dead" ? "dead" : "task", id }));
}

async function oneTask(
  client: Client,
  { views }: CommandDeps,
  [node, selected]: TreeArgs,
  title: string,
): Promise<string | null> {
  const kinds = ["task", "dead", "phase", "attempt"] as const;
  const [target] = targetsOf(
    kinds,
    node,
    node === undefined ? selected : [node],
    views.selection(),
  );
  if (target !== undefined) return target.id;
  const picked = await pickTask(client, {
    title,
    placeholder: vscode.l10n.t("Choose a task"),
    status: TASK_STATUSES,
    none: vscode.l10n.t("There is no task yet."),
  });
  return picked === undefined || picked === BACK ? null : picked.id;
}
