import * as vscode from "vscode";
import type { Client } from "../../shared/bus/client.ts";
import type { DefinitionView } from "../../shared/control.ts";
import { line } from "../views/foreign.ts";
import { levelWords, shortId } from "../views/words.ts";
import { askForm } from "./ask-form.ts";
import type { CommandDeps } from "./deps.ts";
import { skeleton, toForm } from "./form.ts";
import { tell } from "./report.ts";
import { BACK, pick, say } from "./ui.ts";

/** Enqueue Task…: which one, with what input. What no form can ask for is written in an editor. */
export async function enqueueTask(client: Client, deps: CommandDeps): Promise<void> {
  const title = vscode.l10n.t("Enqueue Task");
  const definition = await pickDefinition(client, title);
  if (definition === undefined) return;
  const { name, priority, inputSchema } = definition;
  const form = toForm(inputSchema);
  const send = async (connected: Client, json: string, level: number): Promise<void> => {
    const { id, priority: at } = await connected.enqueueJson(name, json, { priority: level });
    const values = { name, id: shortId(id), level: levelWords(at, say) };
    tell(vscode.l10n.t("{name} {id} enqueued at {level}", values));
  };
  if (!form.isObject) {
    const open = (connected: Client, text: string) => send(connected, text, priority);
    return deps.editor.open({ name, text: skeleton(form, new Map()), send: open });
  }
  const { role } = await client.request("whoami", {});
  const answer = await askForm(deps.app, {
    title: `${title} – ${name}`,
    send: vscode.l10n.t("Enqueue {name}", { name }),
    form,
    key: `task.${name}`,
    role,
    level: priority,
  });
  if (answer === undefined) return;
  const { level } = answer;
  if (answer.kind === "send") return send(client, answer.json, level);
  await deps.editor.open({
    name,
    text: answer.text,
    send: (connected, text) => send(connected, text, level),
  });
}

async function pickDefinition(client: Client, title: string): Promise<DefinitionView | undefined> {
  const { tasks } = await client.definitions();
  if (tasks.length === 0) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t("No worker has told yet which tasks it can run. Try again in a moment."),
    );
    return undefined;
  }
  const items = [...tasks]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((one) => ({
      value: one,
      label: `$(symbol-method) ${line(one.name, 100)}`,
      description: vscode.l10n.t("queue {queue} · {level}", {
        queue: one.queue,
        level: levelWords(one.priority, say),
      }),
    }));
  const picked = await pick({ title, placeholder: vscode.l10n.t("Which task?"), items });
  return picked === BACK ? undefined : picked;
}
