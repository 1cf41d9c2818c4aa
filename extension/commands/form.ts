import type { Say } from "../../shared/view/rows.ts";

/** A form made of a JSON Schema. Values are JSON texts, so that numbers of any size stay exact. Pure. */
export interface Form {
  readonly fields: readonly Field[];
  /** The schema takes an object of named fields; else only JSON as a whole can be given. */
  readonly isObject: boolean;
}

export interface Field {
  readonly key: string;
  readonly description: string;
  readonly isRequired: boolean;
  /** JSON text of what is taken when nothing is given; null: nothing. */
  readonly fallback: string | null;
  readonly kind: FieldKind;
}

export type FieldKind =
  | { readonly kind: "text"; readonly schema: TextRules }
  | { readonly kind: "integer" | "number"; readonly schema: NumberRules }
  | { readonly kind: "boolean" }
  /** JSON texts of the values to choose from. */
  | { readonly kind: "choice"; readonly choices: readonly string[] }
  /** A path of a folder on the daemon's machine. */
  | { readonly kind: "folder" }
  /** Any other shape: given as JSON. */
  | { readonly kind: "json"; readonly what: "array" | "object" | "any" };

interface TextRules {
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}
interface NumberRules {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
}

type Schema = Readonly<Record<string, unknown>>;

/** The fields of a schema, those that must be given first; in its own order otherwise. */
export function toForm(schema: unknown): Form {
  const root = resolve(asSchema(schema), asSchema(schema));
  const properties = root["properties"];
  if (root["type"] !== "object" || typeof properties !== "object" || properties === null)
    return { fields: [], isObject: false };
  const required = new Set(Array.isArray(root["required"]) ? root["required"] : []);
  const fields = Object.entries(properties).map(([key, value]) =>
    toField(key, resolve(asSchema(value), asSchema(schema)), required.has(key)),
  );
  return {
    fields: [
      ...fields.filter(({ isRequired }) => isRequired),
      ...fields.filter(({ isRequired }) => !isRequired),
    ],
    isObject: true,
  };
}

function asSchema(value: unknown): Schema {
  return typeof value === "object" && value !== null ? (value as Schema) : {};
}

/** Follows a reference inside the document, and takes the one real choice of "this or null". */
function resolve(schema: Schema, root: Schema, depth = 0): Schema {
  if (depth > 8) return {};
  const ref = schema["$ref"];
  if (typeof ref === "string" && ref.startsWith("#/")) {
    const found = ref
      .slice(2)
      .split("/")
      .reduce<unknown>((at, name) => asSchema(at)[name.replaceAll("~1", "/")], root);
    return { ...resolve(asSchema(found), root, depth + 1), ...without(schema, "$ref") };
  }
  const some = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(some)) {
    const real = some.map(asSchema).filter((one) => one["type"] !== "null");
    if (real.length === 1 && real.length < some.length)
      return { ...resolve(real[0]!, root, depth + 1), ...without(schema, "anyOf", "oneOf") };
  }
  return schema;
}

function without(schema: Schema, ...keys: readonly string[]): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => !keys.includes(key)));
}

function toField(key: string, schema: Schema, isRequired: boolean): Field {
  const description = typeof schema["description"] === "string" ? schema["description"] : "";
  const fallback = "default" in schema ? JSON.stringify(schema["default"]) : null;
  return {
    key,
    description,
    isRequired: isRequired && fallback === null,
    fallback,
    kind: kindOf(schema, description),
  };
}

function kindOf(schema: Schema, description: string): FieldKind {
  const type = typeOf(schema);
  const choices = schema["enum"];
  if (Array.isArray(choices))
    return { kind: "choice", choices: choices.map((one) => JSON.stringify(one)) };
  if ("const" in schema) return { kind: "choice", choices: [JSON.stringify(schema["const"])] };
  switch (type) {
    case "string":
      return /^Folder\b/.test(description)
        ? { kind: "folder" }
        : { kind: "text", schema: schema as TextRules };
    case "integer":
    case "number":
      return { kind: type, schema: schema as NumberRules };
    case "boolean":
      return { kind: "boolean" };
    case "array":
    case "object":
      return { kind: "json", what: type };
    default:
      return { kind: "json", what: "any" };
  }
}

/** The one type besides null; undefined: none or several. */
function typeOf({ type }: Schema): unknown {
  if (!Array.isArray(type)) return type;
  const real = type.filter((one) => one !== "null");
  return real.length === 1 ? real[0] : undefined;
}

/** What is wrong with what a person typed; null: it can be taken. Empty is fine where nothing needs to be given. */
export function problemWith(field: Field, typed: string, say: Say): string | null {
  if (typed === "" && field.kind.kind !== "text")
    return field.isRequired ? say("{field} must be given.", { field: field.key }) : null;
  switch (field.kind.kind) {
    case "text":
      return textProblem(field, typed, field.kind.schema, say);
    case "integer":
    case "number":
      return numberProblem(typed, field.kind.kind, field.kind.schema, say);
    case "folder":
      return /^(\/|[A-Za-z]:[\\/]|\\\\)/.test(typed)
        ? null
        : say("The path must be absolute: it is a path on the daemon's machine.");
    case "json":
      return jsonProblem(typed, field.kind.what, say);
    case "boolean":
    case "choice":
      return null;
    default:
      return field.kind satisfies never;
  }
}

function textProblem(field: Field, typed: string, rules: TextRules, say: Say): string | null {
  const { minLength = 0, maxLength, pattern } = rules;
  if (typed === "" && !field.isRequired) return null;
  if (typed.length < minLength)
    return typed === ""
      ? say("{field} must be given.", { field: field.key })
      : say("At least {n} characters.", { n: minLength });
  if (maxLength !== undefined && typed.length > maxLength)
    return say("At most {n} characters.", { n: maxLength });
  if (pattern !== undefined && !matches(pattern, typed))
    return say("It must match {pattern}.", { pattern });
  return null;
}

function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    // Ignored: a pattern of another dialect; the daemon checks the input in any case.
    return true;
  }
}

const INTEGER = /^-?(?:0|[1-9]\d*)$/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function numberProblem(
  typed: string,
  kind: "integer" | "number",
  rules: NumberRules,
  say: Say,
): string | null {
  const text = typed.trim();
  if (kind === "integer" && !INTEGER.test(text)) return say("A whole number.");
  if (!NUMBER.test(text)) return say("A number, with a point before the decimals.");
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = rules;
  if (minimum !== undefined && compare(text, minimum) < 0)
    return say("At least {n}.", { n: minimum });
  if (maximum !== undefined && compare(text, maximum) > 0)
    return say("At most {n}.", { n: maximum });
  if (exclusiveMinimum !== undefined && compare(text, exclusiveMinimum) <= 0)
    return say("More than {n}.", { n: exclusiveMinimum });
  if (exclusiveMaximum !== undefined && compare(text, exclusiveMaximum) >= 0)
    return say("Less than {n}.", { n: exclusiveMaximum });
  return null;
}

/** Whole numbers are compared exactly, however long they are. */
function compare(text: string, limit: number): number {
  if (INTEGER.test(text) && Number.isInteger(limit)) {
    const [a, b] = [BigInt(text), BigInt(limit)];
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return Number(text) - limit;
}

function jsonProblem(typed: string, what: "array" | "object" | "any", say: Say): string | null {
  let value: unknown;
  try {
    value = JSON.parse(typed);
  } catch (error) {
    return say("Not JSON: {what}", { what: error instanceof Error ? error.message : "" });
  }
  if (what === "array" && !Array.isArray(value)) return say("A list in square brackets.");
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return what === "object" && !isObject ? say("An object in curly brackets.") : null;
}

/** The JSON text of what a person typed, whose `problemWith` is null; null: the field is left out. */
export function toJsonText(field: Field, typed: string): string | null {
  const { kind } = field.kind;
  if (typed === "" && !(kind === "text" && field.isRequired)) return null;
  if (kind === "text" || kind === "folder") return JSON.stringify(typed);
  return typed.trim();
}

/** What an input box shows for a JSON text: text without its quotes, everything else as it stands. */
export function toTyped(field: Field, json: string | null): string {
  if (json === null) return "";
  const { kind } = field.kind;
  if (kind !== "text" && kind !== "folder") return json;
  const value: unknown = JSON.parse(json);
  return typeof value === "string" ? value : json;
}

/** One JSON object of the fields that have a value; the texts go in as they stand. */
export function assemble(values: ReadonlyMap<string, string>): string {
  const parts = [...values].map(([key, json]) => `${JSON.stringify(key)}:${json}`);
  return `{${parts.join(",")}}`;
}

/** What to begin with in an editor: all fields that must be given, and the values that are there already. */
export function skeleton(form: Form, values: ReadonlyMap<string, string>): string {
  const lines = form.fields.flatMap((field) => {
    const json = values.get(field.key) ?? (field.isRequired ? example(field.kind) : null);
    return json === null ? [] : [`  ${JSON.stringify(field.key)}: ${json}`];
  });
  return lines.length === 0 ? "{}\n" : `{\n${lines.join(",\n")}\n}\n`;
}

function example(kind: FieldKind): string {
  switch (kind.kind) {
    case "text":
    case "folder":
      return '""';
    case "integer":
    case "number":
      return "0";
    case "boolean":
      return "false";
    case "choice":
      return kind.choices[0] ?? "null";
    case "json":
      return kind.what === "array" ? "[]" : kind.what === "object" ? "{}" : "null";
    default:
      return kind satisfies never;
  }
}
