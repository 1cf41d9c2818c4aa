import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join, posix, resolve, win32 } from "node:path";
import { AppError } from "../shared/errors.ts";
import { type Settings, settingsSchema } from "../shared/settings.ts";
import { readConfigSettings } from "./config-settings.ts";
import { hideSecrets } from "./log.ts";
import { SETTING_KEYS, settingOf } from "./setting-keys.ts";
import {
  flagLayer,
  type Given,
  type Layer,
  readDotEnv,
  slips,
  treeLayer,
  variableLayer,
} from "./setting-layers.ts";

/** Where settings come from. */
export interface SettingsInputs {
  /** The workspace folder: its `.env` files and `msgsys.config.ts` are read. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** By dotted key, e.g. `{ "nats.port": "4222" }`; text is read as a variable's would be. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** How the `settings` of a configuration file are read; default: in a process of its own. */
  readonly readConfig?: (file: string) => Promise<unknown>;
}

/** The settings in force. */
export interface LoadedSettings {
  readonly settings: Settings;
  /** Of each dotted key, e.g. `MSGSYS_NATS_PORT in .env`; absent: the default. */
  readonly sources: Readonly<Record<string, string>>;
  /** Sentences about variables that look like slips of a setting's name. */
  readonly warnings: readonly string[];
  /** Why the configuration file could not be loaded: its settings are missing here, all others are in force. */
  readonly configError: AppError | null;
}

const CONFIG_NAMES = [
  "msgsys.config.ts",
  "msgsys.config.mts",
  "msgsys.config.js",
  "msgsys.config.mjs",
];

/**
 * Defaults, then `.env`, `.env.<environment>`, the `settings` of `msgsys.config.ts`, variables and flags, each over the
 * ones before. The environment is chosen by flag, variable or `.env`.
 * A configuration file that cannot be loaded is told in `configError`: the daemon runs its built-in tasks all the same.
 * Throws `bad-settings` naming the variable or key and where it stands.
 */
export async function loadSettings(inputs: SettingsInputs): Promise<LoadedSettings> {
  const flags = flagLayer(inputs.flags);
  const variables = variableLayer(inputs.env, "the environment");
  const dotEnv = readDotEnv(inputs.cwd, ".env");
  const base = variableLayer(dotEnv, ".env");
  const environment = environmentOf([flags, variables, base]);
  const environmentName = `.env.${environment}`;
  const special = readDotEnv(inputs.cwd, environmentName);
  const beforeConfig = [base, variableLayer(special, environmentName)];
  const config = await configLayer(inputs, [flags, variables, ...beforeConfig.toReversed()]);
  const merged = new Map([...beforeConfig, config.layer, variables, flags].flatMap((l) => [...l]));
  refuseLateEnvironment(merged, environment);
  return {
    settings: parseSettings(merged, inputs.cwd),
    sources: Object.fromEntries([...merged].map(([{ key }, { source }]) => [key, source])),
    warnings: [
      ...slips(inputs.env, "the environment"),
      ...slips(dotEnv, ".env"),
      ...slips(special, environmentName),
    ],
    configError: config.error,
  };
}

/** The rows of `msgsys config`: every setting with its source, secrets hidden. */
export function describeSettings(
  loaded: LoadedSettings,
): { readonly key: string; readonly value: unknown; readonly source: string }[] {
  return SETTING_KEYS.map(({ key, path }) => {
    const value = valueAt(loaded.settings, path);
    return {
      key,
      value: typeof value === "string" ? hideSecrets(value) : (value ?? null),
      source: loaded.sources[key] ?? "default",
    };
  });
}

/** The data directory, the same for daemon, command line and extension: flag, `MSGSYS_DATA`, else one per user. */
export function resolveDataDir(from: {
  readonly flag?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly cwd: string;
}): string {
  const { env, platform, home } = from;
  const path = platform === "win32" ? win32 : posix;
  const named = from.flag || env["MSGSYS_DATA"];
  if (named) return path.resolve(from.cwd, expandHome(named, home));
  if (platform === "win32")
    return path.join(env["LOCALAPPDATA"] || path.join(home, "AppData", "Local"), "msgsys");
  if (platform === "darwin") return path.join(home, "Library", "Application Support", "msgsys");
  // The rule of that variable: a relative value is invalid and must be ignored.
  const xdg = env["XDG_DATA_HOME"] ?? "";
  return path.join(path.isAbsolute(xdg) ? xdg : path.join(home, ".local", "share"), "msgsys");
}

function environmentOf(layers: readonly Layer[]): string {
  const { value, source } = first(layers, "environment") ?? { value: "development", source: "" };
  if (typeof value === "string" && /^[A-Za-z0-9_-]+$/.test(value)) return value;
  throw new AppError("bad-settings", {
    what: `${source}: ${JSON.stringify(value)} cannot name an environment (letters, digits, - and _).`,
    where: `environment (${source})`,
  });
}

/** What `.env.<environment>` or the configuration file says of it comes too late to choose that file. */
function refuseLateEnvironment(merged: Layer, chosen: string): void {
  const said = first([merged], "environment");
  if (said === undefined || said.value === chosen) return;
  throw new AppError("bad-settings", {
    what: `${said.source} names another environment than ${chosen}, which is in force by then.`,
    where: `environment (${said.source}); choose it in .env, by variable or by flag`,
  });
}

function first(layers: readonly Layer[], key: string): Given | undefined {
  const setting = settingOf(key)!;
  return layers.map((layer) => layer.get(setting)).find((given) => given !== undefined);
}

async function configLayer(
  inputs: SettingsInputs,
  others: readonly Layer[],
): Promise<{ readonly layer: Layer; readonly error: AppError | null }> {
  const named = first(others, "workers.config")?.value;
  const found = CONFIG_NAMES.map((name) => join(inputs.cwd, name)).find(existsSync);
  const file = typeof named === "string" ? absolute(named, inputs.cwd) : found;
  if (file === undefined) return { layer: new Map(), error: null };
  if (!existsSync(file))
    throw new AppError("bad-settings", {
      what: `The configuration file ${file} does not exist.`,
      where: `workers.config (${first(others, "workers.config")?.source})`,
    });
  const { settings, error } = await readOrTell(inputs.readConfig ?? readConfigSettings, file);
  const layer = new Map(settings === null ? [] : treeLayer(settings, file));
  // A named one is there already, with its own source.
  if (named === undefined)
    layer.set(settingOf("workers.config")!, { value: file, source: "found in the workspace" });
  return { layer, error };
}

async function readOrTell(
  read: (file: string) => Promise<unknown>,
  file: string,
): Promise<{ readonly settings: unknown; readonly error: AppError | null }> {
  try {
    return { settings: await read(file), error: null };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "bad-config-file") throw error;
    return { settings: null, error };
  }
}

function parseSettings(merged: Layer, cwd: string): Settings {
  const tree: Record<string, unknown> = {};
  for (const [setting, { value }] of merged) {
    const absoluteValue =
      setting.isPath && typeof value === "string" ? absolute(value, cwd) : value;
    place(tree, setting.path, absoluteValue);
  }
  const result = settingsSchema.safeParse(tree);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const setting = SETTING_KEYS.find(({ path }) => path.every((p, n) => issue?.path[n] === p));
  const given = setting === undefined ? undefined : merged.get(setting);
  const inside = issue?.path.slice(setting?.path.length ?? 0).join(".");
  const found = given === undefined ? "" : `, found ${hideSecrets(JSON.stringify(given.value))}`;
  throw new AppError("bad-settings", {
    what: `${given?.source ?? "The settings"}${inside ? ` (at ${inside})` : ""}: ${issue?.message ?? "not valid"}${found}.`,
    where: `${setting?.key ?? "?"} (${given?.source ?? "unknown"})`,
  });
}

function place(tree: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let node = tree;
  for (const part of path.slice(0, -1)) {
    node[part] ??= {};
    node = node[part] as Record<string, unknown>;
  }
  node[path.at(-1)!] = value;
}

function valueAt(tree: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (node, part) => (node as Record<string, unknown> | undefined)?.[part],
    tree,
  );
}

function absolute(path: string, cwd: string): string {
  return resolve(cwd, expandHome(path, homedir()));
}

function expandHome(path: string, home: string): string {
  return path === "~" || path.startsWith("~/") ? join(home, path.slice(1)) : path;
}
