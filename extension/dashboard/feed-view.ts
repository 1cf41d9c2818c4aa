import * as vscode from "vscode";
import { VIEWS } from "../contributions.ts";
import { fillWebview, type Surfaces } from "./page.ts";

/** The live feed in the side bar: the dashboard's own screen, alone. */
export function registerFeedView(surfaces: Surfaces): void {
  surfaces.app.register(
    vscode.window.registerWebviewViewProvider(VIEWS.feed, {
      resolveWebviewView(view) {
        const bridge = fillWebview(surfaces, view.webview, "feed");
        view.onDidChangeVisibility(() => view.visible || bridge.hidden());
        view.onDidDispose(() => bridge.dispose());
        surfaces.app.connect();
      },
    }),
  );
}
