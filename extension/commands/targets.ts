import type { TreeTarget } from "../contributions.ts";

/**
 * What a command of a tree acts on: all that is selected when it was called on one of them, else the node alone; called by
 * key, the selection. Only the kinds that the command is for, each once.
 */
export function targetsOf(
  kinds: readonly TreeTarget["kind"][],
  node: TreeTarget | undefined,
  selected: readonly TreeTarget[] | undefined,
  selection: readonly TreeTarget[],
): readonly TreeTarget[] {
  const all = node === undefined ? selection : withSelected(node, selected ?? []);
  const fitting = all.filter(({ kind, id }) => kinds.includes(kind) && id !== "");
  return fitting.filter(({ id }, at) => fitting.findIndex((other) => other.id === id) === at);
}

function withSelected(node: TreeTarget, selected: readonly TreeTarget[]): readonly TreeTarget[] {
  return selected.some(({ kind, id }) => kind === node.kind && id === node.id) ? selected : [node];
}

/** More than so many at once are asked about first. */
export const ASK_ABOVE = 20;
