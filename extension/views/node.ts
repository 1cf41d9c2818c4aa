import type { CommandArgs, CommandId, TreeTarget } from "../contributions.ts";

/** A node of a tree as plain data; `tree.ts` makes VS Code's items of it. */
export interface NodeView {
  /** Unique in its tree and the same as long as it means the same: selection and expansion follow it. */
  readonly key: string;
  /** What commands are handed. */
  readonly target: TreeTarget;
  readonly label: string;
  readonly description: string;
  readonly icon: IconView;
  /** Words of `CAPABILITIES`. */
  readonly contextValue: string;
  /** The row as a sentence. */
  readonly accessibility: string;
  /** Whether it has children, and whether they are shown at first. */
  readonly collapsible: "none" | "collapsed" | "expanded";
  /** Known at once; `null`: only what `resolve` finds. Plain text. */
  readonly tooltip: string | null;
  readonly command: NodeCommand | null;
  /** Null: they are asked for when the node is opened. */
  readonly children: readonly NodeView[] | null;
}

export interface IconView {
  /** A codicon. */
  readonly id: string;
  /** A theme colour; null: that of text. The shape alone tells the state too. */
  readonly color: string | null;
}

export type NodeCommand = {
  [C in CommandId]: {
    readonly id: C;
    readonly title: string;
    readonly args: CommandArgs[C];
  };
}[CommandId];

/** What differs between two states of a tree: the keys to draw anew, null for all of it. */
export type TreeChange = { readonly all: true } | { readonly keys: readonly string[] };

/**
 * The fewest nodes to draw anew. A node whose children came, went or moved is drawn with all below it, so these are not
 * named again; so is one with many changed children, because that is one message instead of many.
 */
export function diffNodes(before: readonly NodeView[], after: readonly NodeView[]): TreeChange {
  if (!haveSameKeys(before, after) || hasMoved(before, after)) return { all: true };
  const keys: string[] = [];
  for (const [at, node] of after.entries()) keys.push(...diffNode(before[at]!, node));
  return { keys };
}

/**
 * Whether a node went from one parent to another. Drawn parent by parent, VS Code would for a moment know it nowhere, and
 * lose what is selected.
 */
function hasMoved(before: readonly NodeView[], after: readonly NodeView[]): boolean {
  const homes = new Map(
    before.flatMap(({ key, children }) => (children ?? []).map((child) => [child.key, key])),
  );
  return after.some(({ key, children }) =>
    (children ?? []).some((child) => (homes.get(child.key) ?? key) !== key),
  );
}

const MANY = 12;

function diffNode(before: NodeView, after: NodeView): readonly string[] {
  if (before === after) return [];
  const { children } = after;
  const old = before.children;
  const isRedrawn =
    !looksSame(before, after) ||
    (children === null) !== (old === null) ||
    (children !== null && old !== null && !haveSameKeys(old, children));
  if (isRedrawn) return [after.key];
  if (children === null || old === null) return [];
  const below = children.flatMap((child, at) => diffNode(old[at]!, child));
  return below.length > MANY ? [after.key] : below;
}

function haveSameKeys(a: readonly NodeView[], b: readonly NodeView[]): boolean {
  return a.length === b.length && a.every(({ key }, at) => key === b[at]!.key);
}

function looksSame(a: NodeView, b: NodeView): boolean {
  return (
    a.label === b.label &&
    a.description === b.description &&
    a.icon.id === b.icon.id &&
    a.icon.color === b.icon.color &&
    a.contextValue === b.contextValue &&
    a.accessibility === b.accessibility &&
    a.collapsible === b.collapsible &&
    a.tooltip === b.tooltip &&
    JSON.stringify(a.command) === JSON.stringify(b.command)
  );
}
