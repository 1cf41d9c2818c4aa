import * as vscode from "vscode";
import { AppError, describe } from "../../shared/errors.ts";
import type { HostActs } from "../../shared/view/session.ts";
import type { App } from "../app-context.ts";
import { jsonFileName, lineOfTask } from "./source-text.ts";

type ActApp = Pick<App, "perform" | "register" | "runCommand" | "setting">;

/** What a dashboard may ask of this window beyond the daemon. Each rejects with what the user should read. */
export function createActs(app: ActApp): HostActs {
  const showJson = createJsonViewer(app);
  return {
    remedy: ({ remedy }) => app.perform(remedy),
    copy: async ({ text }) => vscode.env.clipboard.writeText(text),
    save: ({ name, text }) => save(name, text),
    "open-source": ({ task }) => openSource(app, task),
    "open-json": ({ title, text }) => showJson(title, text),
    "run-pipeline": ({ pipeline, phase }) =>
      app.runCommand("msgSys.pipeline.run", {
        pipeline,
        ...(phase === undefined ? {} : { phase }),
      }),
  };
}

/** Where it goes is the user's choice alone; leaving the dialog is no failure. */
async function save(name: string, text: string): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const target = await vscode.window.showSaveDialog(
    folder === undefined ? {} : { defaultUri: vscode.Uri.joinPath(folder, name) },
  );
  if (target === undefined) return;
  try {
    await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(text));
  } catch (error) {
    throw new AppError("file-not-written", { file: target.fsPath, what: describe(error) }, error);
  }
}

const CONFIG_FILES = "**/msgsys.config.{ts,mts,js,mjs}";
const MOST_FILES = 20;

/** The line of the workspace's configuration that names the task. */
async function openSource(app: ActApp, task: string): Promise<void> {
  const named = app.setting("msgSys.daemon.configFile");
  const found = await vscode.workspace.findFiles(CONFIG_FILES, "**/node_modules/**", MOST_FILES);
  for (const uri of named === "" ? found : [vscode.Uri.file(named), ...found]) {
    const document = await open(uri);
    const line = document === null ? null : lineOfTask(document.getText(), task);
    if (document === null || line === null) continue;
    const at = new vscode.Range(line, 0, line, 0);
    await vscode.window.showTextDocument(document, { selection: at });
    return;
  }
  throw new AppError("source-not-found", { task });
}

async function open(uri: vscode.Uri): Promise<vscode.TextDocument | null> {
  try {
    return await vscode.workspace.openTextDocument(uri);
  } catch {
    // Ignored: a file that cannot be read defines nothing that could be shown.
    return null;
  }
}

const SCHEME = "msg-sys";
/** Texts that an editor may still show; older ones are dropped. */
const KEPT_TEXTS = 20;

/** Shows a text read-only: there is nothing to save, and nothing asks whether to. */
function createJsonViewer(app: ActApp): (title: string, text: string) => Promise<void> {
  const texts = new Map<string, string>();
  let count = 0;
  app.register(
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
      provideTextDocumentContent: (uri) => texts.get(uri.query) ?? "",
    }),
  );
  return async (title, text) => {
    count += 1;
    const query = String(count);
    texts.set(query, text);
    const [oldest] = texts.keys();
    if (texts.size > KEPT_TEXTS && oldest !== undefined) texts.delete(oldest);
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${jsonFileName(title)}`, query });
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, { preview: true });
  };
}
