import * as vscode from "vscode";
import type { BulkOutcome } from "../../shared/control.ts";
import { plainText } from "../plain-text.ts";
import type { Documents } from "./documents.ts";
import { type Act, outcomeWords, refusalReport } from "./outcome-words.ts";
import { say } from "./ui.ts";

const SHOWN_MS = 6000;

/** Tells how an act on tasks went: in passing when all is well, as a message when some were refused. */
export function report(act: Act, outcome: BulkOutcome, documents: Documents): void {
  const words = plainText(outcomeWords(act, outcome, say), 500);
  if (outcome.refusedCount === 0) {
    tell(words);
    return;
  }
  const details = vscode.l10n.t("Show Details");
  void vscode.window.showWarningMessage(words, details).then((chosen) => {
    if (chosen !== details) return undefined;
    return documents.show(`${vscode.l10n.t("Refused")}.txt`, refusalReport(act, outcome, say));
  });
}

/** A sentence in passing, for what the views show anyway. */
export function tell(words: string): void {
  vscode.window.setStatusBarMessage(`$(check) ${words.replaceAll("$(", "$ (")}`, SHOWN_MS);
}
