import * as vscode from "vscode";
import type { App } from "../app-context.ts";

/** Shows texts in editors that cannot be written to and ask nothing when they are closed. */
export interface Documents {
  show(title: string, text: string): Promise<void>;
}

const SCHEME = "msg-sys-text";
/** Texts that an editor may still show; older ones are dropped. */
const KEPT = 20;

export function createDocuments(app: Pick<App, "register">): Documents {
  const texts = new Map<string, string>();
  const changes = new vscode.EventEmitter<vscode.Uri>();
  app.register(
    changes,
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
      onDidChange: changes.event,
      provideTextDocumentContent: ({ path }) => texts.get(path) ?? "",
    }),
  );
  return {
    async show(title, text) {
      const path = `/${title.replace(/[\\/:?#]/g, "-")}`;
      texts.delete(path);
      texts.set(path, text);
      if (texts.size > KEPT) texts.delete([...texts.keys()][0]!);
      const uri = vscode.Uri.from({ scheme: SCHEME, path });
      // One that is open already under this name shows the new text.
      changes.fire(uri);
      const document = await vscode.workspace.openTextDocument(uri);
      await vscode.window.showTextDocument(document, { preview: true });
    },
  };
}
