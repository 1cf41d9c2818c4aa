import * as vscode from "vscode";
import type { Address } from "../../shared/view/messages.ts";
import type { App } from "../app-context.ts";
import { DASHBOARD } from "../contributions.ts";
import { createActs } from "./acts.ts";
import type { Bridge } from "./bridge.ts";
import { createHeard } from "./heard.ts";
import { fillWebview } from "./page.ts";

/** The webviews of this window. */
export interface Surfaces {
  /** Shows the dashboard, anew if it is closed, at this place if one is named. */
  open(address?: Address): void;
  /** Makes this panel the dashboard, of which a window has one. */
  adopt(panel: vscode.WebviewPanel): void;
  /** Fills the view of the side bar with the live feed alone. */
  showFeed(view: vscode.WebviewView): void;
}

interface Shown {
  readonly panel: vscode.WebviewPanel;
  readonly bridge: Bridge;
}

/**
 * The document of a hidden webview is dropped and begins anew when it is shown: it restores where it was, and asks for
 * its data again.
 */
export function createSurfaces(app: App): Surfaces {
  const heard = createHeard({
    client: () => app.client(),
    onClient: app.onClient,
    failed: (error) =>
      app.log.warn("subscription of the live feed failed", { error: error.message }),
  });
  const shared = { app, heard, acts: createActs(app) };
  let shown: Shown | null = null;
  app.register({ dispose: () => shown?.panel.dispose() });

  function adopt(panel: vscode.WebviewPanel): Shown {
    shown?.panel.dispose();
    const bridge = fillWebview(shared, panel.webview, "dashboard");
    const mine: Shown = { panel, bridge };
    panel.iconPath = icon(app.vscode.extensionUri);
    panel.onDidChangeViewState(() => panel.visible || bridge.hidden());
    panel.onDidDispose(() => {
      bridge.dispose();
      if (shown === mine) shown = null;
    });
    shown = mine;
    app.connect();
    return mine;
  }

  return {
    open(address) {
      const { panel, bridge } = shown ?? adopt(createPanel());
      panel.reveal();
      if (address !== undefined) bridge.navigate(address);
    },
    adopt,
    showFeed(view) {
      const bridge = fillWebview(shared, view.webview, "feed");
      view.onDidChangeVisibility(() => view.visible || bridge.hidden());
      view.onDidDispose(() => bridge.dispose());
      app.connect();
    },
  };
}

function createPanel(): vscode.WebviewPanel {
  return vscode.window.createWebviewPanel(DASHBOARD, "msg_sys", vscode.ViewColumn.Active, {
    enableFindWidget: true,
    retainContextWhenHidden: false,
  });
}

function icon(root: vscode.Uri): { readonly light: vscode.Uri; readonly dark: vscode.Uri } {
  const file = (name: string): vscode.Uri => vscode.Uri.joinPath(root, "extension", "media", name);
  return { light: file("dashboard-light.svg"), dark: file("dashboard-dark.svg") };
}
