import * as vscode from "vscode";
import { DEFAULT_LEVEL } from "../../shared/priority.ts";
import type { Role } from "../../shared/roles.ts";
import type { App } from "../app-context.ts";
import { line } from "../views/foreign.ts";
import { levelWords } from "../views/words.ts";
import { levelChoices } from "./escalation-choices.ts";
import { pickFolder } from "./folders.ts";
import {
  assemble,
  type Field,
  type Form,
  problemWith,
  skeleton,
  toJsonText,
  toTyped,
} from "./form.ts";
import { ask, BACK, type Back, type Item, pick, type Row, type Step, say, walk } from "./ui.ts";

export interface FormQuestion {
  readonly title: string;
  /** What the last step's first item does: `Run CLS Integrate`. */
  readonly send: string;
  readonly form: Form;
  /** Under what the answers are remembered in this workspace. */
  readonly key: string;
  readonly role: Role;
  /** The usual level. */
  readonly level?: number;
  /** Where it is not possible to give the whole as JSON. */
  readonly noEditor?: boolean;
}

export type FormAnswer =
  | { readonly kind: "send"; readonly json: string; readonly level: number }
  /** The user goes on in an editor that begins with this text. */
  | { readonly kind: "editor"; readonly text: string; readonly level: number };

type Place = Omit<Step, "title">;
type Values = Map<string, string>;

/** Asks for what must be given field by field, then shows all of it to change, and sends. `undefined`: left. */
export async function askForm(
  app: Pick<App, "vscode">,
  question: FormQuestion,
): Promise<FormAnswer | undefined> {
  const { form, title } = question;
  const memory = recall(app, question);
  const values: Values = new Map(memory.values);
  const state = { level: memory.level ?? question.level ?? DEFAULT_LEVEL };
  let answer: FormAnswer | undefined;
  const first = form.fields.filter(({ isRequired }) => isRequired);
  const done = await walk([
    ...first.map((field) => (place: Place) => askField(app, field, values, { title, ...place })),
    async (place) => {
      const ended = await hub(app, question, values, state, place);
      if (ended !== undefined && ended !== BACK) answer = ended;
      return ended;
    },
  ]);
  if (!done || answer === undefined) return undefined;
  await remember(app, question, values, state.level);
  return answer;
}

type Choice =
  | { readonly kind: "send" }
  | { readonly kind: "editor" }
  | { readonly kind: "level" }
  | { readonly kind: "field"; readonly field: Field };

/** The last step: everything at a glance, each line to change, the first to go. */
async function hub(
  app: Pick<App, "vscode">,
  question: FormQuestion,
  values: Values,
  state: { level: number },
  place: Place,
): Promise<FormAnswer | Back | undefined> {
  const { title, form, role } = question;
  for (;;) {
    const placeholder = vscode.l10n.t("Enter to start, or choose a line to change it");
    const items = hubItems(question, values, state.level);
    const choice = await pick<Choice>({ title, ...place, placeholder, items });
    if (choice === undefined || choice === BACK) return choice;
    const { level } = state;
    if (choice.kind === "send") return { kind: "send", json: assemble(values), level };
    if (choice.kind === "editor") return { kind: "editor", text: skeleton(form, values), level };
    const back = { title, canGoBack: true };
    if (choice.kind === "level") {
      const picked = await pickLevel(role, state.level, back);
      if (typeof picked === "number") state.level = picked;
    } else if (choice.field.kind.kind === "boolean") toggle(choice.field, values);
    else await askField(app, choice.field, values, back);
  }
}

function hubItems(
  { send, form, noEditor }: FormQuestion,
  values: Values,
  level: number,
): readonly Row<Choice>[] {
  const separator = (label: string) => ({
    label,
    kind: vscode.QuickPickItemKind.Separator,
  });
  return [
    { value: { kind: "send" }, label: `$(play) ${send}`, alwaysShow: true },
    {
      value: { kind: "level" as const },
      label: vscode.l10n.t("Priority"),
      description: levelWords(level, say),
    },
    ...(form.fields.length === 0 ? [] : [separator(vscode.l10n.t("Parameters"))]),
    ...form.fields.map((field) => fieldItem(field, values)),
    ...(noEditor === true
      ? []
      : [
          separator(""),
          { value: { kind: "editor" as const }, label: vscode.l10n.t("Edit as JSON…") },
        ]),
  ];
}

function fieldItem(field: Field, values: Values): Item<Choice> {
  const json = values.get(field.key) ?? null;
  const shown = json ?? field.fallback;
  const value = shown === null ? "–" : line(toTyped(field, shown), 120);
  const box =
    field.kind.kind === "boolean"
      ? shown === "true"
        ? "$(pass-filled) "
        : "$(circle-large-outline) "
      : "";
  return {
    value: { kind: "field", field },
    label: `${box}${line(field.key, 60)}`,
    description:
      json === null && field.fallback !== null ? `${value} ${vscode.l10n.t("(usual)")}` : value,
    ...(field.description === "" ? {} : { detail: line(field.description, 200) }),
  };
}

function toggle(field: Field, values: Values): void {
  const isOn = (values.get(field.key) ?? field.fallback) === "true";
  values.set(field.key, isOn ? "false" : "true");
}

/** Asks for one field; its answer goes into `values`. */
async function askField(
  app: Pick<App, "vscode">,
  field: Field,
  values: Values,
  step: Step,
): Promise<unknown> {
  const present = values.get(field.key) ?? null;
  const prompt = field.description === "" ? field.key : line(field.description, 200);
  const take = (json: string | null): void => {
    if (json === null) values.delete(field.key);
    else values.set(field.key, json);
  };
  if (field.kind.kind === "folder") {
    const answer = await pickFolder(app, {
      ...step,
      title: `${step.title} – ${field.key}`,
      key: field.key,
      placeholder: prompt,
      present: present === null ? null : toTyped(field, present),
      isOptional: !field.isRequired,
    });
    if (answer === undefined || answer === BACK) return answer;
    take(answer === null ? null : JSON.stringify(answer));
    return answer ?? "";
  }
  if (field.kind.kind === "choice" || field.kind.kind === "boolean") {
    const choices = field.kind.kind === "choice" ? field.kind.choices : ["true", "false"];
    const answer = await pickChoice(field, choices, present, { ...step, placeholder: prompt });
    if (answer === undefined || answer === BACK) return answer;
    take(answer === "" ? null : answer);
    return answer;
  }
  const typed = await ask({
    ...step,
    title: `${step.title} – ${field.key}`,
    prompt,
    value: toTyped(field, present ?? field.fallback),
    placeholder: placeholderOf(field),
    problem: (text) => problemWith(field, text, say),
  });
  if (typeof typed === "string") take(toJsonText(field, typed));
  return typed;
}

function placeholderOf({ kind }: Field): string {
  if (kind.kind !== "json") return "";
  return kind.what === "array" ? '["…"]' : kind.what === "object" ? "{ … }" : "JSON";
}

function pickChoice(
  field: Field,
  choices: readonly string[],
  present: string | null,
  step: Step & { readonly placeholder: string },
): Promise<string | Back | undefined> {
  const items: Item<string>[] = choices.map((json) => ({
    value: json,
    label: line(json.replace(/^"(.*)"$/, "$1"), 100),
    ...(json === field.fallback ? { description: vscode.l10n.t("usual") } : {}),
  }));
  if (!field.isRequired)
    items.push({ value: "", label: `$(circle-slash) ${vscode.l10n.t("None")}` });
  const active = present ?? field.fallback;
  const title = `${step.title} – ${field.key}`;
  return pick({ ...step, title, items, ...(active === null ? {} : { active }) });
}

/** Every level; what the role may not is listed with the role that it needs. */
function pickLevel(role: Role, present: number, step: Step): Promise<number | Back | undefined> {
  const items = levelChoices(role, say).map(({ level, icon, label, refusal }) => ({
    value: level,
    refusal,
    label: `$(${refusal === null ? icon : "lock"}) ${label}`,
    ...(refusal === null ? {} : { description: refusal }),
  }));
  return pick({ ...step, placeholder: vscode.l10n.t("Priority"), items, active: present });
}

interface Remembered {
  readonly values: readonly (readonly [string, string])[];
  readonly level?: number;
}

function recall(app: Pick<App, "vscode">, { key, form }: FormQuestion): Remembered {
  const found = app.vscode.workspaceState.get<Remembered>(`msgSys.form.${key}`);
  const known = (name: string): Field | undefined => form.fields.find((one) => one.key === name);
  const values = (found?.values ?? []).filter(([name, json]) => {
    const field = known(name);
    return field !== undefined && problemWith(field, toTyped(field, json), say) === null;
  });
  return { ...found, values };
}

/** Switches are not remembered: `fresh` once must not mean `fresh` ever after. */
async function remember(
  app: Pick<App, "vscode">,
  { key, form }: FormQuestion,
  values: Values,
  level: number,
): Promise<void> {
  const switches = new Set(
    form.fields.filter(({ kind }) => kind.kind === "boolean").map((field) => field.key),
  );
  const kept = [...values].filter(([name]) => !switches.has(name));
  await app.vscode.workspaceState.update(`msgSys.form.${key}`, { values: kept, level });
}
