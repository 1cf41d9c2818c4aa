import * as vscode from "vscode";
import type { Client } from "../../shared/bus/client.ts";
import { describe } from "../../shared/errors.ts";
import type { App } from "../app-context.ts";
import { plainText } from "../plain-text.ts";
import { tell } from "./report.ts";

/** JSON in an editor of its own, for inputs that no form can ask for; it goes when its editor's button is pressed. */
export interface InputEditor {
  open(draft: InputDraft): Promise<void>;
  /** Sends what stands in the active editor. */
  sendActive(client: Client): Promise<void>;
}

export interface InputDraft {
  /** What the file is called. */
  readonly name: string;
  readonly text: string;
  /** Rejects with what is wrong; then the editor stays open. `text` is JSON. */
  send(client: Client, text: string): Promise<void>;
}

/** The resource scheme that the button's `when` clause asks for. */
const INPUT_SCHEME = "msg-sys-input";

export function createInputEditor(app: Pick<App, "register">): InputEditor {
  const drafts = new Map<string, InputDraft>();
  const files = createMemoryFiles();
  let number = 0;
  app.register(
    files.changes,
    vscode.workspace.registerFileSystemProvider(INPUT_SCHEME, files.provider),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => {
      if (uri.scheme !== INPUT_SCHEME) return;
      drafts.delete(uri.path);
      files.forget(uri.path);
    }),
  );

  return {
    async open(draft) {
      number += 1;
      const path = `/${number}/${draft.name.replace(/[\\/:?#]/g, "-")}.json`;
      drafts.set(path, draft);
      files.put(path, draft.text);
      const uri = vscode.Uri.from({ scheme: INPUT_SCHEME, path });
      const document = await vscode.workspace.openTextDocument(uri);
      await vscode.window.showTextDocument(document, { preview: false });
      tell(vscode.l10n.t("Edit the JSON, then press the arrow at the top of the editor."));
    },
    async sendActive(client) {
      const document = vscode.window.activeTextEditor?.document;
      const draft = drafts.get(document?.uri.path ?? "");
      if (document === undefined || document.uri.scheme !== INPUT_SCHEME || draft === undefined)
        return;
      const text = document.getText();
      const problem = jsonProblem(text);
      if (problem !== null) {
        void vscode.window.showWarningMessage(problem);
        return;
      }
      await draft.send(client, text);
      // Saved, it closes without a question.
      await document.save();
      await vscode.commands.executeCommand("workbench.action.closeActiveEditor");
    },
  };
}

function jsonProblem(text: string): string | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return plainText(vscode.l10n.t("This is not JSON: {what}", { what: describe(error) }));
  }
}

/** A file system of a few small texts; what is saved in it stays until its editor is closed. */
function createMemoryFiles(): {
  readonly provider: vscode.FileSystemProvider;
  readonly changes: vscode.EventEmitter<vscode.FileChangeEvent[]>;
  put(path: string, text: string): void;
  forget(path: string): void;
} {
  const texts = new Map<string, { readonly bytes: Uint8Array; readonly mtime: number }>();
  const changes = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  const stat = (path: string): vscode.FileStat => {
    const file = texts.get(path);
    if (file === undefined) throw vscode.FileSystemError.FileNotFound(path);
    const { bytes, mtime } = file;
    return { type: vscode.FileType.File, ctime: mtime, mtime, size: bytes.length };
  };
  const refuse = (): never => {
    throw vscode.FileSystemError.NoPermissions();
  };
  const write = (path: string, bytes: Uint8Array): void => {
    texts.set(path, { bytes, mtime: Date.now() });
  };
  return {
    changes,
    put: (path, text) => write(path, new TextEncoder().encode(text)),
    forget: (path) => texts.delete(path),
    provider: {
      onDidChangeFile: changes.event,
      watch: () => new vscode.Disposable(() => {}),
      stat: ({ path }) => stat(path),
      readFile: ({ path }) => texts.get(path)?.bytes ?? refuse(),
      writeFile: ({ path }, bytes) => write(path, bytes),
      readDirectory: () => [],
      createDirectory: refuse,
      delete: refuse,
      rename: refuse,
    },
  };
}
