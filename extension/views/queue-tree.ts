import { AppError } from "../../shared/errors.ts";
import { isWaiting } from "../../shared/task.ts";
import type { App } from "../app-context.ts";
import { VIEWS } from "../contributions.ts";
import { limitsOf } from "../state/limits.ts";
import { createLiveModel, type LiveModel } from "../state/live-model.ts";
import { createQueueLoader } from "../state/queue-load.ts";
import {
  carryTaskProgress,
  concernsQueues,
  type QueueModel,
  reduceQueues,
} from "../state/queue-model.ts";
import type { WorkSource } from "../state/work-source.ts";
import { createModelTree, type ModelTree } from "./model-tree.ts";
import type { NodeView } from "./node.ts";
import { attemptNodes, type NodeContext, queueNodes } from "./queue-nodes.ts";
import { TOOLTIP_COMMANDS, taskTooltip } from "./tooltips.ts";

/** The Queues view: buckets, tasks, attempts; lanes that need a person. */
export function createQueueTree(
  app: App,
  source: WorkSource,
): ModelTree & { readonly model: LiveModel<QueueModel> } {
  const load = createQueueLoader();
  const model = createLiveModel<QueueModel>({
    source,
    load: (client) => load(client, limitsOf(app)),
    reduce: reduceQueues,
    carry: carryTaskProgress,
    concerns: concernsQueues,
  });
  const tree = createModelTree(app, {
    id: VIEWS.queues,
    model,
    toNodes: queueNodes,
    children: (node, context) => taskAttempts(app, node, context),
    tooltip: (node, context) => nodeTooltip(app, node, context),
    commands: TOOLTIP_COMMANDS,
  });
  return { ...tree, model };
}

/** The attempts of a task or dead letter, asked for when its node is opened. */
export async function taskAttempts(
  app: App,
  { target }: NodeView,
  context: NodeContext,
): Promise<readonly NodeView[]> {
  const client = app.client();
  if (client === null || (target.kind !== "task" && target.kind !== "dead")) return [];
  return attemptNodes(await client.get(target.id), context);
}

/** The tooltip of a task, asked for when the pointer rests on it. A task that is gone by then has none. */
export async function nodeTooltip(
  app: App,
  { target, contextValue }: NodeView,
  context: NodeContext,
): Promise<string | null> {
  const client = app.client();
  const isTask = target.kind === "task" || target.kind === "dead" || target.kind === "phase";
  if (client === null || !isTask || target.id === "") return null;
  try {
    const task = await client.get(target.id);
    const why = isWaiting(task.status) ? await client.why(target.id) : null;
    return taskTooltip(task, why, context, contextValue.split(" "));
  } catch (error) {
    if (error instanceof AppError && error.code === "task-not-found") return null;
    throw error;
  }
}
