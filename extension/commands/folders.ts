import { homedir } from "node:os";
import * as vscode from "vscode";
import type { App } from "../app-context.ts";
import { type Back, type Item, pick, type Row, type Step } from "./ui.ts";

const KEPT = 5;

/** A folder that was used, with when; instants are epoch ms. */
interface Used {
  readonly path: string;
  readonly at: number;
}

export interface FolderQuestion extends Step {
  /** What it is for; folders are remembered by it. */
  readonly key: string;
  readonly placeholder: string;
  readonly present: string | null;
  /** It may be left out. */
  readonly isOptional: boolean;
}

/** Asks for a folder: one of the last used, of the workspace, typed, or chosen in a dialog. `null`: left out. */
export async function pickFolder(
  app: Pick<App, "vscode">,
  question: FolderQuestion,
): Promise<string | null | Back | undefined> {
  const { key, present } = question;
  const used = usedFolders(app, key);
  const last = present ?? used[0]?.path;
  for (;;) {
    const answer = await pick<string>({
      ...question,
      items: toItems(used, question),
      ...(last === undefined ? {} : { active: last }),
      typed: typedItem,
    });
    if (answer === BROWSE) {
      const chosen = await browse(question.title, last);
      // The dialog was left: the question stands.
      if (chosen === undefined) continue;
      return remember(app, key, chosen);
    }
    if (answer === NONE) return null;
    return typeof answer === "string" ? remember(app, key, answer) : answer;
  }
}

/** No path: both hold what no file system takes. */
const BROWSE = "\0browse";
const NONE = "\0none";

function toItems(used: readonly Used[], { isOptional }: FolderQuestion): readonly Row<string>[] {
  const known = new Set(used.map(({ path }) => path));
  const workspace = (vscode.workspace.workspaceFolders ?? [])
    .filter(({ uri }) => uri.scheme === "file")
    .map(({ uri }) => uri.fsPath)
    .filter((path) => !known.has(path));
  const items: Row<string>[] = [
    ...used.map(({ path, at }) => ({
      value: path,
      label: `$(history) ${short(path)}`,
      description: vscode.l10n.t("last used {time}", { time: when(at) }),
    })),
    ...workspace.map((path) => ({
      value: path,
      label: `$(root-folder) ${short(path)}`,
      description: vscode.l10n.t("folder of this workspace"),
    })),
    { value: BROWSE, label: `$(folder-opened) ${vscode.l10n.t("Browse…")}` },
  ];
  return isOptional
    ? [...items, { value: NONE, label: `$(circle-slash) ${vscode.l10n.t("None")}` }]
    : items;
}

/** A path that is typed: absolute, or from the home folder on. */
function typedItem(text: string): Item<string> | null {
  const path = text.trim().replace(/^~(?=$|[\\/])/, () => homedir());
  if (!/^(?:\/|[A-Za-z]:[\\/]|\\\\)./.test(path)) return null;
  return { value: path, label: `$(check) ${path}`, alwaysShow: true };
}

function short(path: string): string {
  const home = homedir();
  return path === home || path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

function when(at: number): string {
  const isToday = new Date(at).toDateString() === new Date().toDateString();
  const style = isToday ? { timeStyle: "short" as const } : { dateStyle: "medium" as const };
  return new Intl.DateTimeFormat(vscode.env.language, style).format(at);
}

async function browse(title: string, last: string | undefined): Promise<string | undefined> {
  const [chosen] =
    (await vscode.window.showOpenDialog({
      title,
      canSelectFiles: false,
      canSelectFolders: true,
      openLabel: vscode.l10n.t("Choose Folder"),
      ...(last === undefined ? {} : { defaultUri: vscode.Uri.file(last) }),
    })) ?? [];
  return chosen?.fsPath;
}

function usedFolders({ vscode: context }: Pick<App, "vscode">, key: string): readonly Used[] {
  return context.workspaceState.get<readonly Used[]>(`msgSys.folders.${key}`) ?? [];
}

async function remember(app: Pick<App, "vscode">, key: string, path: string): Promise<string> {
  const others = usedFolders(app, key).filter((one) => one.path !== path);
  const used = [{ path, at: Date.now() }, ...others].slice(0, KEPT);
  await app.vscode.workspaceState.update(`msgSys.folders.${key}`, used);
  return path;
}
