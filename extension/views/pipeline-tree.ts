import type { App } from "../app-context.ts";
import { VIEWS } from "../contributions.ts";
import { createLiveModel, type LiveModel } from "../state/live-model.ts";
import {
  carryProgress,
  concernsRuns,
  loadRuns,
  type RunModel,
  reduceRuns,
} from "../state/run-model.ts";
import type { WorkSource } from "../state/work-source.ts";
import { createModelTree, type ModelTree } from "./model-tree.ts";
import type { NodeView } from "./node.ts";
import { pipelineNodes } from "./pipeline-nodes.ts";
import type { NodeContext } from "./queue-nodes.ts";
import { nodeTooltip } from "./queue-tree.ts";
import { runTooltip, TOOLTIP_COMMANDS } from "./tooltips.ts";

/** The Pipelines view: pipelines, their runs, and the phases of each. */
export function createPipelineTree(
  app: App,
  source: WorkSource,
): ModelTree & { readonly model: LiveModel<RunModel> } {
  const model = createLiveModel<RunModel>({
    source,
    load: loadRuns,
    reduce: reduceRuns,
    carry: carryProgress,
    concerns: concernsRuns,
  });

  async function tooltip(node: NodeView, context: NodeContext): Promise<string | null> {
    if (node.target.kind !== "run") return nodeTooltip(app, node, context);
    const run = model
      .get()
      .value?.pipelines.flatMap(({ runs }) => runs)
      .find(({ id }) => id === node.target.id);
    return run === undefined ? null : runTooltip(run, context, node.contextValue.split(" "));
  }

  const tree = createModelTree(app, {
    id: VIEWS.pipelines,
    model,
    toNodes: pipelineNodes,
    children: async () => [],
    tooltip,
    commands: TOOLTIP_COMMANDS,
  });
  return { ...tree, model };
}
