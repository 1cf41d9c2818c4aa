import { type ReadonlySignal, signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

/** What is asked before something is done. Texts are translated already. */
export interface Question {
  readonly title: string;
  /** What will happen, in a sentence or two; a form may stand here. */
  readonly body?: ComponentChildren;
  /** The button's word: the verb, with the count when there are several. */
  readonly confirm: string;
  readonly reason: "none" | "optional" | "required";
  /** It cannot be undone. */
  readonly isGrave?: boolean;
}

export interface Asked {
  readonly question: Question;
  readonly answer: (reason: { readonly reason: string } | null) => void;
}

/** One line that tells what came of an act. */
export interface Toast {
  readonly id: number;
  readonly tone: "ok" | "bad" | "info";
  readonly text: string;
  readonly hint: string;
}

export interface Dialogs {
  readonly asked: ReadonlySignal<Asked | null>;
  readonly toasts: ReadonlySignal<readonly Toast[]>;
  readonly helpOpen: ReadonlySignal<boolean>;
  /** Null: the user thought better of it. A question that is open already is answered so. */
  ask(question: Question): Promise<{ readonly reason: string } | null>;
  tell(tone: Toast["tone"], text: string, hint?: string): void;
  dismiss(id: number): void;
  showHelp(open: boolean): void;
}

/** Successes go by themselves; what went wrong stays until it is closed. */
const TOLD_FOR_MS = 8000;
const MOST_TOASTS = 4;

export function createDialogs(): Dialogs {
  const asked = signal<Asked | null>(null);
  const toasts = signal<readonly Toast[]>([]);
  const helpOpen = signal(false);
  let last = 0;

  function dismiss(id: number): void {
    toasts.value = toasts.value.filter((toast) => toast.id !== id);
  }

  return {
    asked,
    toasts,
    helpOpen,
    ask(question) {
      asked.value?.answer(null);
      return new Promise((resolve) => {
        asked.value = {
          question,
          answer: (reason) => {
            asked.value = null;
            resolve(reason);
          },
        };
      });
    },
    tell(tone, text, hint = "") {
      last += 1;
      const id = last;
      toasts.value = [...toasts.value, { id, tone, text, hint }].slice(-MOST_TOASTS);
      if (tone !== "bad") setTimeout(() => dismiss(id), TOLD_FOR_MS);
    },
    dismiss,
    showHelp(open) {
      helpOpen.value = open;
    },
  };
}
