import * as vscode from "vscode";

/** A step of a flow: which one, of how many; absent, the title stands alone. */
export interface Step {
  readonly title: string;
  readonly step?: number;
  readonly totalSteps?: number;
  /** Offers to go back to the step before, which the answer `BACK` asks for. */
  readonly canGoBack?: boolean;
}

export const BACK = Symbol("back");
export type Back = typeof BACK;

/** `refusal`: why this one cannot be chosen; it stays in the list and says so. */
export interface Item<T> extends vscode.QuickPickItem {
  readonly value: T;
  readonly refusal?: string | null;
}
export type Row<T> = Item<T> | (vscode.QuickPickItem & { readonly kind: vscode.QuickPickItemKind });

export interface PickOptions<T> extends Step {
  readonly placeholder: string;
  readonly items: readonly Row<T>[];
  readonly active?: T;
  /** An item for what is typed, for lists that are only suggestions. */
  typed?(text: string): Row<T> | null;
}

/** Lets the user choose one. `undefined`: the picker was left. */
export async function pick<T>(options: PickOptions<T>): Promise<T | Back | undefined> {
  const picker = vscode.window.createQuickPick<Row<T>>();
  dress(picker, options);
  picker.placeholder = options.placeholder;
  picker.matchOnDescription = true;
  picker.matchOnDetail = true;
  picker.items = options.items;
  const active = options.items.find((item) => "value" in item && item.value === options.active);
  if (active !== undefined) picker.activeItems = [active];
  if (options.typed !== undefined)
    picker.onDidChangeValue((text) => {
      const typed = options.typed?.(text) ?? null;
      picker.items = typed === null ? options.items : [typed, ...options.items];
    });
  return shown(picker, () => {
    const [item] = picker.activeItems;
    if (item === undefined || !("value" in item)) return undefined;
    if (item.refusal === undefined || item.refusal === null) return item.value;
    picker.placeholder = item.refusal;
    picker.value = "";
    return undefined;
  });
}

/** Lets the user choose some; at least one. */
export async function pickMany<T>(
  options: PickOptions<T>,
): Promise<readonly T[] | Back | undefined> {
  const picker = vscode.window.createQuickPick<Row<T>>();
  dress(picker, options);
  picker.canSelectMany = true;
  picker.placeholder = options.placeholder;
  picker.matchOnDescription = true;
  picker.items = options.items;
  return shown(picker, () => {
    const chosen = picker.selectedItems.flatMap((item) => ("value" in item ? [item.value] : []));
    return chosen.length > 0 ? chosen : undefined;
  });
}

export interface AskOptions extends Step {
  readonly prompt: string;
  readonly value?: string;
  readonly placeholder?: string;
  /** What is wrong with the text; null: it can be taken. */
  problem?(text: string): string | null;
}

/** Asks for a line of text; it is taken only when nothing is wrong with it. */
export async function ask(options: AskOptions): Promise<string | Back | undefined> {
  const box = vscode.window.createInputBox();
  dress(box, options);
  box.prompt = options.prompt;
  box.value = options.value ?? "";
  box.placeholder = options.placeholder ?? "";
  const check = (): boolean => {
    const problem = options.problem?.(box.value) ?? null;
    box.validationMessage = problem ?? undefined;
    return problem === null;
  };
  // Not before something was typed: an empty form is not full of mistakes.
  box.onDidChangeValue(check);
  return shown(box, () => (check() ? box.value : undefined));
}

/** Yes or no to something that is not easily taken back. `act` stands on the button, with the count in it. */
export async function confirm(message: string, detail: string, act: string): Promise<boolean> {
  const chosen = await vscode.window.showWarningMessage(message, { modal: true, detail }, act);
  return chosen === act;
}

function dress(
  input: vscode.QuickInput & { buttons: readonly vscode.QuickInputButton[] },
  step: Step,
): void {
  input.title = step.title;
  if (step.totalSteps !== undefined && step.totalSteps > 1) {
    input.step = step.step;
    input.totalSteps = step.totalSteps;
  }
  // A look into another editor or a terminal must not lose what was typed.
  input.ignoreFocusOut = true;
  if (step.canGoBack === true) input.buttons = [vscode.QuickInputButtons.Back];
}

type Shown = vscode.QuickInput & {
  readonly onDidAccept: vscode.Event<unknown>;
  readonly onDidTriggerButton: vscode.Event<vscode.QuickInputButton>;
};

/** Shows it until it is accepted with an answer, left, or gone back from. */
function shown<T>(input: Shown, accept: () => T | undefined): Promise<T | Back | undefined> {
  return new Promise((resolve) => {
    const end = (answer: T | Back | undefined): void => {
      resolve(answer);
      input.dispose();
    };
    input.onDidAccept(() => {
      const answer = accept();
      if (answer !== undefined) end(answer);
    });
    input.onDidTriggerButton((button) => {
      if (button === vscode.QuickInputButtons.Back) end(BACK);
    });
    input.onDidHide(() => end(undefined));
    input.show();
  });
}

/**
 * Asks step by step. A step that is gone back from asks the one before again; left, the whole is left. Steps keep their
 * answers themselves. True: all were answered.
 */
export async function walk(
  steps: readonly ((
    at: Required<Pick<Step, "step" | "totalSteps" | "canGoBack">>,
  ) => Promise<unknown>)[],
): Promise<boolean> {
  let at = 0;
  while (at < steps.length) {
    const place = { step: at + 1, totalSteps: steps.length, canGoBack: at > 0 };
    const answer = await steps[at]!(place);
    if (answer === undefined) return false;
    at += answer === BACK ? -1 : 1;
  }
  return true;
}

/** English text → the user's language, with `{name}` filled in. */
export const say = (
  english: string,
  values: Readonly<Record<string, string | number>> = {},
): string => vscode.l10n.t(english, values);
