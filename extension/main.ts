import type { ExtensionContext } from "vscode";

/** Called by VS Code at the first use of a view or command. */
export function activate(_context: ExtensionContext): void {}
