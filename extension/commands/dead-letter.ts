import * as vscode from "vscode";
import type { Client } from "../../shared/bus/client.ts";
import type { BulkOutcome, TaskSummary } from "../../shared/control.ts";
import type { TreeTarget } from "../contributions.ts";
import { count } from "../views/words.ts";
import type { CommandDeps } from "./deps.ts";
import { pickTasks } from "./pick-task.ts";
import { report } from "./report.ts";
import { ASK_ABOVE, targetsOf } from "./targets.ts";
import { BACK, confirm, type Item, pick } from "./ui.ts";

type TreeArgs = [node?: TreeTarget | undefined, selected?: readonly TreeTarget[] | undefined];

/** Redrive from a menu: the node or all that are selected. */
export async function redriveNodes(
  client: Client,
  deps: CommandDeps,
  ...[node, selected]: TreeArgs
): Promise<void> {
  const targets = targetsOf(["dead"], node, selected, deps.views.selection());
  await redriveIds(
    client,
    deps,
    targets.map(({ id }) => id),
  );
}

async function redriveIds(
  client: Client,
  deps: CommandDeps,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  if (ids.length > ASK_ABOVE && !(await isWanted(ids.length))) return;
  await act(deps, () => client.redrive(ids.length === 1 ? ids[0]! : { ids }));
}

function isWanted(n: number): Promise<boolean> {
  const shown = count(n, vscode.env.language);
  return confirm(
    vscode.l10n.t("Redrive {n} tasks?", { n: shown }),
    vscode.l10n.t("They run again from the start with a fresh budget of attempts."),
    vscode.l10n.t("Redrive {n} Tasks", { n: shown }),
  );
}

/** Redrive Dead Letters…: all, or those that are chosen; one alone also with corrected params. */
export async function redriveDeadLetters(client: Client, deps: CommandDeps): Promise<void> {
  const title = vscode.l10n.t("Redrive Dead Letters");
  const { counts } = await client.status();
  if (counts.dead === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t("There are no dead letters."));
    return;
  }
  const n = count(counts.dead, vscode.env.language);
  const all = vscode.l10n.t("All {n}", { n });
  const some = vscode.l10n.t("Choose which…");
  const edited = vscode.l10n.t("One, with corrected params…");
  const items: Item<"all" | "some" | "edit">[] = [
    { value: "some", label: `$(checklist) ${some}` },
    { value: "all", label: `$(debug-restart) ${all}` },
    { value: "edit", label: `$(edit) ${edited}` },
  ];
  const placeholder = vscode.l10n.t(
    "They run again from the start with a fresh budget of attempts",
  );
  const way = await pick({ title, placeholder, items });
  if (way === "all") await redriveAll(client, deps);
  if (way === "some" || way === "edit") await redriveChosen(client, deps, title, way);
}

/** The number is asked of the daemon at this moment: it is what the button says, and what is done. */
async function redriveAll(client: Client, deps: CommandDeps): Promise<void> {
  const where = { status: ["dead" as const] };
  const { matched } = await client.redrive({ where }, { dryRun: true });
  if (matched > 0 && (await isWanted(matched))) await act(deps, () => client.redrive({ where }));
}

async function redriveChosen(
  client: Client,
  deps: CommandDeps,
  title: string,
  way: "some" | "edit",
): Promise<void> {
  const chosen = await pickTasks(client, {
    title,
    placeholder: vscode.l10n.t("Dead letters, the newest first"),
    status: ["dead"],
    none: vscode.l10n.t("There are no dead letters."),
  });
  if (chosen === undefined || chosen === BACK) return;
  if (way === "some")
    return redriveIds(
      client,
      deps,
      chosen.map(({ id }) => id),
    );
  const [first] = chosen;
  if (first !== undefined) await redriveEdited(client, deps, first);
}

async function redriveEdited(
  client: Client,
  { editor, documents }: CommandDeps,
  { id, name }: TaskSummary,
): Promise<void> {
  const { inputJson } = await client.get(id);
  await editor.open({
    name: `${name}-${id.slice(-6)}`,
    text: inputJson ?? "{}",
    send: async (connected, text) => {
      report("redrive", await connected.redrive(id, { inputJson: text }), documents);
    },
  });
}

/** Progress stands in the view that it is about. */
async function act({ documents }: CommandDeps, send: () => Promise<BulkOutcome>): Promise<void> {
  const outcome = await vscode.window.withProgress(
    { location: { viewId: "msgSys.deadLetters" } },
    send,
  );
  report("redrive", outcome, documents);
}
