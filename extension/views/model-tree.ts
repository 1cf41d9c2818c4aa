import * as vscode from "vscode";
import { describe } from "../../shared/errors.ts";
import type { App } from "../app-context.ts";
import type { TreeTarget, ViewId } from "../contributions.ts";
import type { LiveModel, Seen } from "../state/live-model.ts";
import type { NodeView } from "./node.ts";
import type { NodeContext } from "./queue-nodes.ts";
import { createNodeTree, type NodeTree } from "./tree.ts";

/** A tree that shows a live model, and lets it rest while nobody sees it. */
export interface ModelTree {
  readonly tree: NodeTree;
  isVisible(): boolean;
  selection(): readonly TreeTarget[];
}

export interface ModelTreeOptions<T> {
  readonly id: ViewId;
  readonly model: LiveModel<T>;
  toNodes(value: T, context: NodeContext): readonly NodeView[];
  children(node: NodeView, context: NodeContext): Promise<readonly NodeView[]>;
  tooltip(node: NodeView, context: NodeContext): Promise<string | null>;
  readonly commands: readonly string[];
  shown?(visible: boolean): void;
}

/** Durations of what runs are drawn anew so often: each second would be noise for screen readers and batteries. */
const TICK_MS = 5000;

export function createModelTree<T>(app: App, options: ModelTreeOptions<T>): ModelTree {
  const { model } = options;
  let ticking: ReturnType<typeof setInterval> | null = null;

  const failed = (error: unknown): void =>
    app.log.warn("tree.node.failed", { view: options.id, what: describe(error) });
  const tree = createNodeTree({
    id: options.id,
    commands: options.commands,
    children: (node) => options.children(node, contextNow()),
    tooltip: (node) => options.tooltip(node, contextNow()),
    failed,
  });
  const { view } = tree;

  function contextNow(): NodeContext {
    return {
      say: (english, values) => vscode.l10n.t(english, values ?? {}),
      locale: vscode.env.language,
      now: Date.now(),
      identity: app.identity.get(),
    };
  }

  function render(): void {
    if (!view.visible) return;
    const seen = model.get();
    const { kind } = app.connection.get();
    // Without a connection the view's welcome says what helps; it shows only while the tree is empty.
    const isShown = kind === "connected" || kind === "reconnecting" || kind === "connecting";
    tree.show(isShown && seen.value !== null ? options.toNodes(seen.value, contextNow()) : []);
    setMessage(isShown ? messageOf(seen, app.live.get()) : undefined);
  }

  function setMessage(message: string | undefined): void {
    if (view.message !== message) Object.assign(view, { message });
  }

  function update(): void {
    model.setVisible(view.visible && app.live.get());
    if (view.visible) {
      app.connect();
      ticking ??= setInterval(render, TICK_MS);
      render();
    } else if (ticking !== null) {
      clearInterval(ticking);
      ticking = null;
    }
    options.shown?.(view.visible);
  }

  const stops = [
    model.onChange(render),
    app.identity.onChange(render),
    app.connection.onChange(render),
    app.live.onChange(update),
  ];
  const visibility = view.onDidChangeVisibility(update);
  update();
  app.register({
    dispose() {
      for (const stop of stops) stop();
      visibility.dispose();
      if (ticking !== null) clearInterval(ticking);
      model.dispose();
      tree.dispose();
    },
  });

  return { tree, isVisible: () => view.visible, selection: () => view.selection };
}

function messageOf(seen: Seen<unknown>, isLive: boolean): string | undefined {
  const { l10n } = vscode;
  if (!isLive) return l10n.t("Live data is paused.");
  if (seen.value !== null && seen.isStale && seen.asOf !== null) {
    const time = new Date(seen.asOf).toLocaleTimeString(vscode.env.language);
    return l10n.t("As of {time}: the connection is lost, this may have changed.", { time });
  }
  return seen.error === null ? undefined : `${seen.error.message} ${seen.error.hint}`.trim();
}
