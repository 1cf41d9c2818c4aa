import * as vscode from "vscode";
import type {
  CommandArgs,
  CommandId,
  ContextKey,
  ContextValues,
  SettingKey,
  SettingValues,
} from "./contributions.ts";
import { SETTINGS } from "./contributions.ts";

/** VS Code's own calls with our ids as keys: a wrong argument or value does not compile. */
export function registerCommand<C extends CommandId>(
  id: C,
  run: (...args: CommandArgs[C]) => unknown,
): vscode.Disposable {
  return vscode.commands.registerCommand(id, run as (...args: unknown[]) => unknown);
}

export async function runCommand<C extends CommandId>(
  id: C,
  ...args: CommandArgs[C]
): Promise<void> {
  await vscode.commands.executeCommand(id, ...args);
}

/** The value in force for the window; its default when VS Code knows none. */
export function readSetting<K extends SettingKey>(key: K): SettingValues[K] {
  return vscode.workspace.getConfiguration().get<SettingValues[K]>(key) ?? SETTINGS[key];
}

export function setContextKey<K extends ContextKey>(
  key: K,
  value: ContextValues[K] | undefined,
): void {
  void vscode.commands.executeCommand("setContext", key, value);
}
