import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { HostActs } from "../../shared/view/session.ts";
import type { App } from "../app-context.ts";
import { type Bridge, openBridge } from "./bridge.ts";
import type { Heard } from "./heard.ts";
import { type PageOptions, renderPage } from "./html.ts";

/** What the webviews of a window share. */
export interface Shared {
  readonly app: App;
  readonly heard: Heard;
  readonly acts: HostActs;
}

/** The folder that webviews may read; nothing else of the machine. */
function assets(app: App): vscode.Uri {
  return vscode.Uri.joinPath(app.vscode.extensionUri, "dist", "webview");
}

/** Fills a webview and joins it to the app. */
export function fillWebview(
  { app, heard, acts }: Shared,
  webview: vscode.Webview,
  surface: PageOptions["surface"],
): Bridge {
  const folder = assets(app);
  webview.options = { enableScripts: true, localResourceRoots: [folder] };
  const bridge = openBridge(webview, {
    app,
    heard,
    acts,
    locale: vscode.env.language,
    texts: englishTo(vscode.l10n.bundle),
  });
  webview.html = renderPage({
    surface,
    cspSource: webview.cspSource,
    nonce: randomBytes(16).toString("base64"),
    scriptUri: webview.asWebviewUri(vscode.Uri.joinPath(folder, "main.js")).toString(),
    styleUri: webview.asWebviewUri(vscode.Uri.joinPath(folder, "main.css")).toString(),
    title: "msg_sys",
    locale: vscode.env.language,
  });
  return bridge;
}

/** The bundle of this language; entries with comments for translators are objects, which views have none of. */
function englishTo(bundle: typeof vscode.l10n.bundle): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(bundle ?? {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );
}
