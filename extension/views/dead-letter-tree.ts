import * as vscode from "vscode";
import type { App } from "../app-context.ts";
import { VIEWS } from "../contributions.ts";
import type { Attention } from "../state/attention.ts";
import {
  concernsDeadLetters,
  type DeadLetterModel,
  loadDeadLetters,
  reduceDeadLetters,
} from "../state/dead-letter-model.ts";
import { limitsOf } from "../state/limits.ts";
import { createLiveModel, type LiveModel } from "../state/live-model.ts";
import type { WorkSource } from "../state/work-source.ts";
import { deadLetterNodes } from "./dead-letter-nodes.ts";
import { createModelTree, type ModelTree } from "./model-tree.ts";
import { nodeTooltip, taskAttempts } from "./queue-tree.ts";
import { TOOLTIP_COMMANDS } from "./tooltips.ts";

/** The Dead Letters view. Its badge counts those that came since the user last looked. */
export function createDeadLetterTree(
  app: App,
  source: WorkSource,
  attention: Attention,
): ModelTree & { readonly model: LiveModel<DeadLetterModel> } {
  const model = createLiveModel<DeadLetterModel>({
    source,
    load: (client) => loadDeadLetters(client, limitsOf(app).tasksPerBucket),
    reduce: reduceDeadLetters,
    concerns: concernsDeadLetters,
  });
  const tree = createModelTree(app, {
    id: VIEWS.deadLetters,
    model,
    toNodes: deadLetterNodes,
    children: (node, context) => taskAttempts(app, node, context),
    tooltip: (node, context) => nodeTooltip(app, node, context),
    commands: TOOLTIP_COMMANDS,
    shown: (visible) => attention.lookedAtDead(visible),
  });
  const { view } = tree.tree;

  function showBadge(): void {
    const unseen = app.work.get()?.deadUnseen ?? 0;
    const tooltip =
      unseen === 1
        ? vscode.l10n.t("1 new dead letter")
        : vscode.l10n.t("{n} new dead letters", { n: unseen });
    if ((view.badge?.value ?? 0) !== unseen)
      view.badge = unseen === 0 ? undefined : { value: unseen, tooltip };
  }

  const stop = app.work.onChange(showBadge);
  app.register({ dispose: stop });
  showBadge();
  return { ...tree, model };
}
