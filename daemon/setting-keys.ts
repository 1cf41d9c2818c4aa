import * as z from "zod";
import { settingsSchema } from "../shared/settings.ts";

/** One setting: its place in the tree, and the variable that sets it. */
export interface SettingKey {
  /** Dotted, e.g. `nats.httpPort`. */
  readonly key: string;
  readonly path: readonly string[];
  /** e.g. `MSGSYS_NATS_HTTP_PORT`. */
  readonly variable: string;
  /** Names without our prefix that other programs set too, e.g. `NATS_URL`. */
  readonly aliases: readonly string[];
  readonly kind: "string" | "number" | "boolean" | "list" | "json";
  readonly choices: readonly string[];
  readonly description: string;
  /** A file or folder: relative ones are meant from the workspace folder. */
  readonly isPath: boolean;
}

const ALIASES: Readonly<Record<string, readonly string[]>> = {
  environment: ["ENVIRONMENT"],
  logLevel: ["LOG_LEVEL"],
  "nats.url": ["NATS_URL"],
};

const PATHS = new Set([
  "nats.serverPath",
  "nats.credsFile",
  "nats.tlsCert",
  "nats.tlsKey",
  "workers.config",
  "cls.checkout",
]);

/** The part of a JSON Schema that is read here. */
interface Node {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: { readonly type?: string };
  readonly enum?: readonly unknown[];
  readonly description?: string;
}

/** Every setting, from the one schema that they have. */
export const SETTING_KEYS: readonly SettingKey[] = leaves(
  z.toJSONSchema(settingsSchema, { io: "input" }) as Node,
  [],
);

const BY_KEY = new Map(SETTING_KEYS.map((setting) => [setting.key, setting]));

/** The setting with this dotted name, if there is one. */
export function settingOf(key: string): SettingKey | undefined {
  return BY_KEY.get(key);
}

function leaves(node: Node, path: readonly string[]): SettingKey[] {
  if (node.properties !== undefined)
    return Object.entries(node.properties).flatMap(([name, child]) =>
      leaves(child, [...path, name]),
    );
  const key = path.join(".");
  return [
    {
      key,
      path,
      variable: variableOf(path),
      aliases: ALIASES[key] ?? [],
      kind: kindOf(node),
      choices: (node.enum ?? []).map(String),
      description: node.description ?? "",
      isPath: PATHS.has(key),
    },
  ];
}

/** `["nats", "httpPort"]` is set by `MSGSYS_NATS_HTTP_PORT`. */
function variableOf(path: readonly string[]): string {
  const words = path.map((part) => part.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase());
  return ["MSGSYS", ...words].join("_");
}

function kindOf(node: Node): SettingKey["kind"] {
  if (node.type === "integer" || node.type === "number") return "number";
  if (node.type === "boolean") return "boolean";
  if (node.type === "array") return node.items?.type === "string" ? "list" : "json";
  return node.type === "string" ? "string" : "json";
}

const WORDS_FOR_TRUE = ["true", "1", "yes", "on"];
const WORDS_FOR_FALSE = ["false", "0", "no", "off"];

/**
 * The value that a variable's text means for a setting: numbers, yes and no, comma-separated lists, JSON. Text that does
 * not fit is given back as it is, so that the schema refuses it with the name of the setting.
 */
export function parseSettingText(setting: SettingKey, text: string): unknown {
  const word = text.trim();
  const lower = word.toLowerCase();
  switch (setting.kind) {
    case "number":
      return Number.isFinite(Number(word)) ? Number(word) : word;
    case "boolean":
      if (WORDS_FOR_TRUE.includes(lower)) return true;
      return WORDS_FOR_FALSE.includes(lower) ? false : word;
    case "list":
      if (!word.startsWith("["))
        return word
          .split(",")
          .map((part) => part.trim())
          .filter((part) => part !== "");
      return parseJson(word);
    case "json":
      return parseJson(word);
    case "string":
      return setting.choices.includes(lower) ? lower : (SYNONYMS[setting.key]?.[lower] ?? word);
  }
}

/** Python's name of the level, which its programs share the variable LOG_LEVEL with. */
const SYNONYMS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  logLevel: { warning: "warn", critical: "error" },
};

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Ignored: the schema says what it expects here, with the name of the setting.
    return text;
  }
}

/** The candidate that `word` is a slip of, at most two letters away. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  const near = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .filter(({ distance }) => distance <= 2)
    .sort((a, b) => a.distance - b.distance);
  return near[0]?.candidate ?? null;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
