import * as vscode from "vscode";
import type { Address } from "../../shared/view/messages.ts";
import { DASHBOARD } from "../contributions.ts";
import type { Bridge } from "./bridge.ts";
import { fillWebview, type Surfaces } from "./page.ts";

/** The dashboard in an editor; one for each window. */
export interface Panel {
  /** Shows it, anew if it is closed, at this place if one is named. */
  open(address?: Address): void;
}

interface Shown {
  readonly panel: vscode.WebviewPanel;
  readonly bridge: Bridge;
}

/**
 * The document of a hidden panel is dropped and begins anew when it is shown: it restores where it was, and asks for data.
 * A window that is loaded again gets its panel back in the same way.
 */
export function createPanel(surfaces: Surfaces): Panel {
  const { app } = surfaces;
  let shown: Shown | null = null;

  function adopt(panel: vscode.WebviewPanel): Shown {
    shown?.panel.dispose();
    const bridge = fillWebview(surfaces, panel.webview, "dashboard");
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

  app.register(
    vscode.window.registerWebviewPanelSerializer(DASHBOARD, {
      // Where it was the document itself remembers.
      deserializeWebviewPanel: async (panel) => void adopt(panel),
    }),
    { dispose: () => shown?.panel.dispose() },
  );

  return {
    open(address) {
      if (shown === null) {
        const options = { enableFindWidget: true, retainContextWhenHidden: false };
        adopt(
          vscode.window.createWebviewPanel(DASHBOARD, "msg_sys", vscode.ViewColumn.Active, options),
        );
      } else shown.panel.reveal();
      if (address !== undefined) shown?.bridge.navigate(address);
    },
  };
}

function icon(root: vscode.Uri): { readonly light: vscode.Uri; readonly dark: vscode.Uri } {
  const file = (name: string): vscode.Uri => vscode.Uri.joinPath(root, "extension", "media", name);
  return { light: file("dashboard-light.svg"), dark: file("dashboard-dark.svg") };
}
