import * as vscode from "vscode";
import { type Running, startApp } from "./app.ts";

let running: Running | null = null;

/** Called by VS Code at the first use of a view or command. A failure is shown: VS Code itself would stay silent. */
export function activate(context: vscode.ExtensionContext): void {
  const startedMs = performance.now();
  try {
    running = startApp(context);
    const tookMs = Math.round((performance.now() - startedMs) * 10) / 10;
    running.app.log.info("activated", { tookMs });
  } catch (error) {
    void vscode.window.showErrorMessage(
      vscode.l10n.t("msg_sys could not start: {0}", String(error)),
    );
    throw error;
  }
}

/** Called when the window closes; VS Code waits a few seconds. */
export async function deactivate(): Promise<void> {
  const ending = running;
  running = null;
  await ending?.stop();
}
