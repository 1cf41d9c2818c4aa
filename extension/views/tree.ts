import * as vscode from "vscode";
import type { TreeTarget } from "../contributions.ts";
import { diffNodes, type NodeView } from "./node.ts";

/** What VS Code holds for a node: the same object as long as the node is there, so that it knows it again. */
export interface TreeElement extends TreeTarget {
  readonly key: string;
}

export interface NodeTree {
  readonly view: vscode.TreeView<TreeElement>;
  /** Draws what differs from what is shown. */
  show(nodes: readonly NodeView[]): void;
  /** The node of an element; undefined when it is gone. */
  nodeOf(key: string): NodeView | undefined;
  /** Selects a node and opens it; nothing happens when it is not there. */
  reveal(key: string): Promise<void>;
  dispose(): void;
}

export interface NodeTreeOptions {
  readonly id: string;
  /** Children that are not part of the node. Rejects when they cannot be had. */
  children(node: NodeView): Promise<readonly NodeView[]>;
  /** The tooltip of a node in Markdown whose links may run `commands`; null: none. */
  tooltip(node: NodeView): Promise<string | null>;
  readonly commands: readonly string[];
  failed(error: unknown): void;
}

/**
 * Time between two drawings. VS Code gathers changes for a fifth of a second and then asks for children: a change that comes
 * while it asks may find nodes gone that it just drew.
 */
const GAP_MS = 300;

/** A tree over nodes that are plain data: the only thing that knows VS Code's tree API. */
export function createNodeTree(options: NodeTreeOptions): NodeTree {
  const changes = new vscode.EventEmitter<TreeElement | TreeElement[] | undefined>();
  const elements = new Map<string, TreeElement>();
  const nodes = new Map<string, NodeView>();
  const parents = new Map<string, string>();
  let roots: readonly NodeView[] = [];
  let wanted: readonly NodeView[] = [];
  let timer: ReturnType<typeof setTimeout> | null = null;
  let quietUntil = 0;

  function elementOf({ key, target }: NodeView): TreeElement {
    const known = elements.get(key);
    if (known === undefined) {
      const element = { ...target, key };
      elements.set(key, element);
      return element;
    }
    // The same object: a phase that had no task yet has one now, and VS Code knows the node by this object alone.
    return Object.assign(known, target);
  }

  function index(list: readonly NodeView[], parent: string | null): void {
    for (const node of list) {
      nodes.set(node.key, node);
      if (parent !== null) parents.set(node.key, parent);
      if (node.children !== null) index(node.children, node.key);
    }
  }

  /** What is shown no more is forgotten; children that were asked for stay with their parent. */
  function forget(): void {
    for (const key of [...elements.keys()]) if (!nodes.has(key)) elements.delete(key);
  }

  async function childrenOf(element: TreeElement | undefined): Promise<TreeElement[]> {
    if (element === undefined) return roots.map(elementOf);
    const node = nodes.get(element.key);
    if (node === undefined) return [];
    if (node.children !== null) return node.children.map(elementOf);
    try {
      const asked = await options.children(node);
      index(asked, node.key);
      return asked.map(elementOf);
    } catch (error) {
      options.failed(error);
      return [];
    }
  }

  const view = vscode.window.createTreeView<TreeElement>(options.id, {
    treeDataProvider: {
      onDidChangeTreeData: changes.event,
      getChildren: childrenOf,
      getTreeItem: (element) => toItem(nodes.get(element.key), element),
      getParent: ({ key }) => elements.get(parents.get(key) ?? ""),
      async resolveTreeItem(item, element) {
        const node = nodes.get(element.key);
        if (node === undefined) return item;
        try {
          const text = await options.tooltip(node);
          if (text !== null) item.tooltip = toMarkdown(text, options.commands);
        } catch (error) {
          options.failed(error);
        }
        return item;
      },
    },
    canSelectMany: true,
    showCollapseAll: true,
  });

  return {
    view,
    show(next) {
      wanted = next;
      if (timer !== null) return;
      const inMs = quietUntil - Date.now();
      if (inMs <= 0) draw();
      else timer = setTimeout(draw, inMs);
    },
    nodeOf: (key) => nodes.get(key),
    async reveal(key) {
      const node = nodes.get(key);
      if (node === undefined) return;
      quietUntil = Date.now() + GAP_MS;
      await view.reveal(elementOf(node), { select: true, focus: false, expand: true });
    },
    dispose() {
      if (timer !== null) clearTimeout(timer);
      changes.dispose();
      view.dispose();
    },
  };

  function draw(): void {
    timer = null;
    const change = diffNodes(roots, wanted);
    const lazy = keptChildren();
    roots = wanted;
    nodes.clear();
    parents.clear();
    index(wanted, null);
    for (const [parent, list] of lazy) if (nodes.has(parent)) index(list, parent);
    forget();
    if ("keys" in change && change.keys.length === 0) return;
    quietUntil = Date.now() + GAP_MS;
    if ("all" in change) changes.fire(undefined);
    else changes.fire(change.keys.map((key) => elementOf(nodes.get(key)!)));
  }

  function keptChildren(): Map<string, NodeView[]> {
    const kept = new Map<string, NodeView[]>();
    for (const [key, parent] of parents) {
      if (nodes.get(parent)?.children !== null) continue;
      const node = nodes.get(key);
      if (node !== undefined) kept.set(parent, [...(kept.get(parent) ?? []), node]);
    }
    return kept;
  }
}

const STATES = {
  none: vscode.TreeItemCollapsibleState.None,
  collapsed: vscode.TreeItemCollapsibleState.Collapsed,
  expanded: vscode.TreeItemCollapsibleState.Expanded,
} as const;

function toItem(node: NodeView | undefined, element: TreeElement): vscode.TreeItem {
  // Gone between the change and the question: VS Code asks again at once.
  if (node === undefined) return { id: element.key, label: "" };
  const { icon, command, tooltip, contextValue } = node;
  const color = icon.color === null ? undefined : new vscode.ThemeColor(icon.color);
  return {
    id: node.key,
    label: node.label,
    description: node.description,
    iconPath: new vscode.ThemeIcon(icon.id, color),
    collapsibleState: STATES[node.collapsible],
    accessibilityInformation: { label: node.accessibility },
    ...(contextValue === "" ? {} : { contextValue }),
    // Absent, VS Code asks `resolveTreeItem` for it.
    ...(tooltip === null ? {} : { tooltip }),
    ...(command === null
      ? {}
      : { command: { command: command.id, title: command.title, arguments: [...command.args] } }),
  };
}

function toMarkdown(text: string, commands: readonly string[]): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString(text, false);
  markdown.isTrusted = { enabledCommands: [...commands] };
  markdown.supportHtml = false;
  return markdown;
}
