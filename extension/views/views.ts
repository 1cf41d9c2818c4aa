import * as vscode from "vscode";
import type { App } from "../app-context.ts";
import { DASHBOARD, type TreeTarget } from "../contributions.ts";
import { createAttention } from "../state/attention.ts";
import { createWorkSource } from "../state/work-source.ts";
import { createDeadLetterTree } from "./dead-letter-tree.ts";
import { createPipelineTree } from "./pipeline-tree.ts";
import { createQueueTree } from "./queue-tree.ts";

/** The trees, as commands see them. */
export interface Views {
  /** Shows a run that was just started, if its view is open. */
  revealRun(id: string): Promise<void>;
  /** All views ask anew. */
  refresh(): Promise<void>;
  /** What is selected in the views that are visible, for commands that come by key. */
  selection(): readonly TreeTarget[];
}

const SEEN_KEY = "msgSys.deadLettersSeenAt";

/** Registers the three trees, and what watches over them. */
export function createViews(app: App): Views {
  const source = createWorkSource(app);
  const memory = app.vscode.workspaceState;
  const attention = createAttention({
    app,
    source,
    seenAt: () => memory.get<number>(SEEN_KEY),
    saveSeenAt: (at) => void memory.update(SEEN_KEY, at),
    isShown: () => pipelines.isVisible() || isDashboardShown(),
  });
  const queues = createQueueTree(app, source);
  const pipelines = createPipelineTree(app, source);
  const dead = createDeadLetterTree(app, source, attention);
  const all = [queues, pipelines, dead];
  app.register({ dispose: () => source.dispose() }, { dispose: () => attention.dispose() });

  return {
    async revealRun(id) {
      if (!pipelines.isVisible()) return;
      await pipelines.model.refresh();
      await pipelines.tree.reveal(`run:${id}`);
    },
    async refresh() {
      await Promise.all(all.map(({ model }) => model.refresh()));
    },
    selection: () => all.filter((one) => one.isVisible()).flatMap((one) => one.selection()),
  };
}

function isDashboardShown(): boolean {
  return vscode.window.tabGroups.all.some(
    ({ activeTab }) =>
      activeTab?.input instanceof vscode.TabInputWebview &&
      activeTab.input.viewType.endsWith(DASHBOARD),
  );
}
