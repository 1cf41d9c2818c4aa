import * as vscode from "vscode";
import type { Client } from "../../shared/bus/client.ts";
import { plainText } from "../plain-text.ts";
import { line } from "../views/foreign.ts";
import { count, instant } from "../views/words.ts";
import {
  type DecideAnswer,
  decideText,
  type FileAnswer,
  type FilesAnswer,
  kindWord,
  type PendingAnswer,
  type PendingRow,
  type PreviewAnswer,
  pendingText,
  previewText,
  type UndoAnswer,
  undoText,
} from "./cls-words.ts";
import type { CommandDeps } from "./deps.ts";
import { reasonProblem } from "./escalate.ts";
import { pickFolder } from "./folders.ts";
import { runAct } from "./run-act.ts";
import { ask, BACK, confirm, type Item, pick, pickMany, type Step, say, walk } from "./ui.ts";

type Place = Omit<Step, "title">;

const number = (n: number): string => count(n, vscode.env.language);

/** Asks for the input folder of CLS: the same memory as that of its runs. `undefined`: left. */
async function askRoot(deps: CommandDeps, title: string, place: Place = {}) {
  return pickFolder(deps.app, {
    ...place,
    title,
    key: "root",
    placeholder: vscode.l10n.t("Folder with reports/0031, daily_files and ref_files"),
    present: null,
    isOptional: false,
  });
}

/** Preview CLS Sync: what it would do, as a text; nothing is changed. */
export async function previewSync(client: Client, deps: CommandDeps): Promise<void> {
  const title = vscode.l10n.t("Preview CLS Sync");
  const root = await askRoot(deps, title);
  if (typeof root !== "string") return;
  const answer = await runAct<PreviewAnswer>(client, {
    name: "cls.preview",
    input: { root },
    title,
    looksOnly: true,
  });
  if (answer === undefined) return;
  const name = `${vscode.l10n.t("Preview of a sync")}.txt`;
  await deps.documents.show(name, previewText(answer, say, number));
}

/** Undo CLS File: which file, why, and how far; then its keys have their former rows again. */
export async function undoFile(client: Client, deps: CommandDeps): Promise<void> {
  const title = vscode.l10n.t("Undo CLS File");
  const root = await askRoot(deps, title);
  if (typeof root !== "string") return;
  const act = { name: "cls.files", input: { root }, title, looksOnly: true };
  const answer = await runAct<FilesAnswer>(client, act);
  if (answer === undefined) return;
  if (answer.files.length === 0) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t("No file was applied from this folder yet."),
    );
    return;
  }
  const plan = await askUndo(answer.files, title);
  if (plan === undefined) return;
  const { file, ...rest } = plan;
  const undone = await runAct<UndoAnswer>(client, {
    name: "cls.undo",
    input: { root, file: String(file.id), ...rest },
    title,
    looksOnly: false,
  });
  // Nothing else shows it: the store has no view of its own.
  if (undone !== undefined)
    void vscode.window.showInformationMessage(plainText(undoText(undone, say, number), 500));
}

interface UndoPlan {
  readonly file: FileAnswer;
  readonly reason: string;
  readonly keepLater: boolean;
  readonly again: boolean;
}

async function askUndo(files: readonly FileAnswer[], title: string): Promise<UndoPlan | undefined> {
  let file: FileAnswer | undefined;
  let reason = "";
  let again = false;
  const done = await walk([
    async (place) => {
      const placeholder = vscode.l10n.t("Applied files, the newest first");
      const items = [...files].reverse().map(fileItem);
      const answer = await pick({ ...place, title, placeholder, items });
      if (answer !== undefined && answer !== BACK) file = answer;
      return answer;
    },
    async (place) => {
      const items: Item<"stay" | "again">[] = [
        { value: "stay", label: vscode.l10n.t("Leave it out from now on") },
        { value: "again", label: vscode.l10n.t("Let the next sync apply it again") },
      ];
      const placeholder = vscode.l10n.t("What shall become of the file?");
      const answer = await pick({ ...place, title, placeholder, items });
      again = answer === "again";
      return answer;
    },
    async (place) => {
      const prompt = vscode.l10n.t("Why? The reason is kept with the file.");
      const answer = await ask({ ...place, title, prompt, problem: reasonProblem });
      if (typeof answer === "string") reason = answer.trim();
      return answer;
    },
  ]);
  if (!done || file === undefined) return undefined;
  const keepLater = !file.undo.possible && file.undo.withKeepLater;
  const detail = keepLater
    ? vscode.l10n.t("Keys that a later file touched stay as that file left them.")
    : vscode.l10n.t("Its keys get back the rows that they had before it.");
  const question = vscode.l10n.t("Undo {file}?", { file: line(file.name) });
  if (!(await confirm(question, detail, vscode.l10n.t("Undo File")))) return undefined;
  return { file, reason, keepLater, again };
}

function fileItem(file: FileAnswer): Item<FileAnswer> {
  const { name, state, appliedAt, rowsNew, rowsUpdated, undo } = file;
  const mayUndo = undo.possible || undo.withKeepLater;
  const counts = vscode.l10n.t("{new} new, {updated} updated", {
    new: number(rowsNew),
    updated: number(rowsUpdated),
  });
  const why = undo.why === null ? null : line(undo.why, 200);
  const when = instant(appliedAt, vscode.env.language);
  return {
    value: file,
    label: `$(${mayUndo ? "file" : "lock"}) ${line(name, 100)}`,
    description: [stateWord(state), when, counts].join(" · "),
    ...(why === null ? {} : { detail: why }),
    refusal: mayUndo ? null : (why ?? vscode.l10n.t("It cannot be undone.")),
  };
}

function stateWord(state: FileAnswer["state"]): string {
  switch (state) {
    case "applied":
      return vscode.l10n.t("applied");
    case "superseded":
      return vscode.l10n.t("superseded");
    case "undone":
      return vscode.l10n.t("undone");
    default:
      return state satisfies never;
  }
}

const ROWS_ASKED = 500;

/** Review CLS Conflicts: open rows of both lists; those that are chosen are kept or taken. */
export async function reviewConflicts(client: Client, deps: CommandDeps): Promise<void> {
  const title = vscode.l10n.t("Review CLS Conflicts");
  const root = await askRoot(deps, title);
  if (typeof root !== "string") return;
  const rows = await openRows(client, root, title);
  if (rows === undefined) return;
  if (rows.length === 0) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t("Every row of this folder is decided on."),
    );
    return;
  }
  const plan = await askDecision(rows, deps, title);
  if (plan === undefined) return;
  const { ids, ...rest } = plan;
  const answer = await runAct<DecideAnswer>(client, {
    name: "cls.decide",
    input: { root, ids, ...rest },
    title,
    looksOnly: false,
  });
  if (answer === undefined) return;
  const words = plainText(decideText(answer, say), 500);
  if (answer.refused.length > 0) void vscode.window.showWarningMessage(words);
  else void vscode.window.showInformationMessage(words);
}

async function openRows(
  client: Client,
  root: string,
  title: string,
): Promise<readonly PendingRow[] | undefined> {
  const input = { root, open: true, limit: ROWS_ASKED };
  const conflicts = await runAct<PendingAnswer>(client, {
    name: "cls.conflicts",
    input,
    title,
    looksOnly: true,
  });
  if (conflicts === undefined) return undefined;
  const act = { name: "cls.review", input, title, looksOnly: true };
  const review = await runAct<PendingAnswer>(client, act);
  return review === undefined ? undefined : [...conflicts.rows, ...review.rows];
}

interface Decision {
  readonly ids: readonly number[];
  readonly decision: "keep" | "take";
  readonly reason: string;
}

async function askDecision(
  rows: readonly PendingRow[],
  { documents }: CommandDeps,
  title: string,
): Promise<Decision | undefined> {
  let chosen: readonly PendingRow[] = [];
  let decision: Decision["decision"] = "keep";
  let reason = "";
  const pickRows = async (place: Place): Promise<unknown> => {
    const placeholder = vscode.l10n.t("{n} open rows: choose those to decide on together", {
      n: number(rows.length),
    });
    const answer = await pickMany({ ...place, title, placeholder, items: rows.map(rowItem) });
    if (answer !== undefined && answer !== BACK) chosen = answer;
    return answer;
  };
  const pickDecision = async (place: Place): Promise<unknown> => {
    for (;;) {
      const placeholder =
        chosen.length === 1
          ? vscode.l10n.t("1 row")
          : vscode.l10n.t("{n} rows", { n: number(chosen.length) });
      const answer = await pick({ ...place, title, placeholder, items: decisionItems() });
      if (answer !== "look") {
        if (answer === "keep" || answer === "take") decision = answer;
        return answer;
      }
      await documents.show(`${vscode.l10n.t("Rows to decide on")}.txt`, pendingText(chosen, say));
    }
  };
  const askWhy = async (place: Place): Promise<unknown> => {
    const prompt = vscode.l10n.t("Why? The reason is kept with the decision.");
    const answer = await ask({ ...place, title, prompt, problem: reasonProblem });
    if (typeof answer === "string") reason = answer.trim();
    return answer;
  };
  if (!(await walk([pickRows, pickDecision, askWhy]))) return undefined;
  return { ids: chosen.map(({ id }) => id), decision, reason };
}

function decisionItems(): Item<"keep" | "take" | "look">[] {
  return [
    { value: "keep", label: `$(archive) ${vscode.l10n.t("Keep what is stored")}` },
    { value: "take", label: `$(replace) ${vscode.l10n.t("Take the rows of the files")}` },
    { value: "look", label: `$(diff) ${vscode.l10n.t("Show how they differ")}` },
  ];
}

function rowItem(row: PendingRow): Item<PendingRow> {
  const { key, storedPrice, price, file, why } = row;
  const prices = `${storedPrice ?? "–"} → ${price ?? "–"}`;
  return {
    value: row,
    label: line(key, 100),
    description: [kindWord(row, say), line(prices, 80), line(file, 80)].join(" · "),
    detail: line(why, 200),
  };
}
