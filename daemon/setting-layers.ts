import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { AppError, describe } from "../shared/errors.ts";
import {
  nearest,
  parseSettingText,
  SETTING_KEYS,
  type SettingKey,
  settingOf,
} from "./setting-keys.ts";

/** A value for a setting, and the words that say where it stands. */
export interface Given {
  readonly value: unknown;
  readonly source: string;
}
/** What one source says, by setting. */
export type Layer = ReadonlyMap<SettingKey, Given>;

/** Settings from the command line, by dotted key. */
export function flagLayer(flags: Readonly<Record<string, unknown>>): Layer {
  const layer = new Map<SettingKey, Given>();
  for (const [key, value] of Object.entries(flags)) {
    if (value === undefined) continue;
    const setting = settingOf(key);
    if (setting === undefined) throw unknownKey(key, "a flag");
    const parsed = typeof value === "string" ? parseSettingText(setting, value) : value;
    layer.set(setting, { value: parsed, source: `a flag for ${key}` });
  }
  return layer;
}

/** Settings from variables. Our own name of a variable goes before the names that other programs share; empty ones are as good as absent. */
export function variableLayer(
  variables: Readonly<Record<string, string | undefined>>,
  where: string,
): Layer {
  const layer = new Map<SettingKey, Given>();
  for (const setting of SETTING_KEYS) {
    const name = [setting.variable, ...setting.aliases].find((n) => variables[n]?.trim());
    if (name === undefined) continue;
    const value = parseSettingText(setting, variables[name]!);
    layer.set(setting, { value, source: `${name} in ${where}` });
  }
  return layer;
}

/** The variables in a file of the workspace folder; none when it is not there. */
export function readDotEnv(
  cwd: string,
  name: string,
): Readonly<Record<string, string | undefined>> {
  const file = join(cwd, name);
  if (!existsSync(file)) return {};
  try {
    return parseEnv(readFileSync(file, "utf8"));
  } catch (error) {
    throw new AppError(
      "bad-settings",
      { what: `${file} cannot be read: ${describe(error)}`, where: `file ${name}` },
      error,
    );
  }
}

/** Settings from the tree that a configuration file exports. */
export function treeLayer(tree: unknown, file: string): Layer {
  const layer = new Map<SettingKey, Given>();
  flatten(tree, [], file, layer);
  return layer;
}

function flatten(
  tree: unknown,
  path: readonly string[],
  file: string,
  layer: Map<SettingKey, Given>,
): void {
  const key = path.join(".");
  const setting = settingOf(key);
  if (setting !== undefined) {
    if (tree !== undefined) layer.set(setting, { value: tree, source: `${key} in ${file}` });
    return;
  }
  const isSection = key === "" || SETTING_KEYS.some((known) => known.key.startsWith(`${key}.`));
  if (!isSection) throw unknownKey(key, file);
  if (typeof tree !== "object" || tree === null || Array.isArray(tree))
    throw new AppError("bad-settings", {
      what: `${key || "settings"} in ${file} must be an object.`,
      where: `${key || "settings"} (${file})`,
    });
  for (const [name, child] of Object.entries(tree)) flatten(child, [...path, name], file, layer);
}

function unknownKey(key: string, where: string): AppError {
  const near = nearest(
    key,
    SETTING_KEYS.map((setting) => setting.key),
  );
  const hint = near === null ? "" : ` Did you mean ${near}?`;
  return new AppError("bad-settings", {
    what: `There is no setting ${key}.${hint}`,
    where: `${key} (${where})`,
  });
}

/** Variables of ours that no setting has and that are a slip away from one that exists. */
export function slips(
  variables: Readonly<Record<string, string | undefined>>,
  where: string,
): string[] {
  const known = SETTING_KEYS.map(({ variable }) => variable);
  return Object.keys(variables)
    .filter((name) => name.startsWith("MSGSYS_") && !known.includes(name))
    .flatMap((name) => {
      const near = nearest(name, known);
      return near === null ? [] : [`${name} in ${where} is no setting; ${near} is one.`];
    });
}
