import type { Screen } from "../../shared/view/messages.ts";

/** What a key does for the whole page. */
export type KeyDeed =
  | { readonly kind: "screen"; readonly screen: Screen }
  | { readonly kind: "filter" }
  | { readonly kind: "help" }
  | { readonly kind: "back" }
  | { readonly kind: "live" };

export interface KeyPress {
  readonly key: string;
  /** With Ctrl, Alt or Meta, which are VS Code's. */
  readonly isModified: boolean;
  /** A text field has the focus: single keys are letters there. */
  readonly isTyping: boolean;
}

/** What a key press means; null: nothing of ours. `letters` false: single keys are switched off (WCAG 2.1.4). Pure. */
export function deedOf(press: KeyPress, rail: readonly Screen[], letters: boolean): KeyDeed | null {
  if (press.isModified) return null;
  if (press.key === "Escape") return { kind: "back" };
  if (press.isTyping || !letters) return null;
  if (press.key === "/") return { kind: "filter" };
  if (press.key === "?") return { kind: "help" };
  if (press.key === "l") return { kind: "live" };
  const screen = /^[1-9]$/.test(press.key) ? rail[Number(press.key) - 1] : undefined;
  return screen === undefined ? null : { kind: "screen", screen };
}

const TEXT_FIELDS =
  "input:not([type=checkbox]), textarea, select, [contenteditable], vscode-textfield, vscode-textarea";

export function pressOf(event: KeyboardEvent): KeyPress {
  const target = event.composedPath()[0];
  const isTyping = target instanceof Element && target.closest(TEXT_FIELDS) !== null;
  const isInHost = event.target instanceof Element && event.target.closest(TEXT_FIELDS) !== null;
  return {
    key: event.key,
    isModified: event.ctrlKey || event.metaKey || event.altKey,
    isTyping: isTyping || isInHost,
  };
}
