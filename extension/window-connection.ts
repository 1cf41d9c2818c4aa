import { existsSync } from "node:fs";
import { homedir } from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";
import type { Client } from "../shared/bus/client.ts";
import {
  type ConnectionChange,
  type ConnectionState,
  INITIAL_CONNECTION,
} from "../shared/connection.ts";
import type { Identity, Log } from "./app-context.ts";
import type { SettingKey } from "./contributions.ts";
import type { Connection, Place } from "./daemon/connection.ts";
import { dataDirOf, expandHome } from "./daemon/data-dir.ts";
import type { Login } from "./daemon/login.ts";
import type { StartSettings } from "./daemon/open-connection.ts";
import { createSource, type Observable } from "./observable.ts";
import { placeOf, secretKey } from "./profiles.ts";
import { readSetting } from "./typed-api.ts";

/** The window's connection; what it needs (NATS, schemas) is loaded when it is first used. */
export interface WindowConnection {
  readonly state: Observable<ConnectionState>;
  readonly client: Observable<Client | null>;
  readonly identity: Observable<Identity | null>;
  history(): readonly ConnectionChange[];
  load(): Promise<Connection>;
  /** The one that was loaded; null before. */
  loaded(): Connection | null;
  /** The data directory of this machine's daemon, whatever profile is chosen. */
  dataDir(): string;
  isRemote(): boolean;
  close(): Promise<void>;
}

export interface WindowConnectionDeps {
  readonly extensionPath: string;
  readonly secrets: vscode.SecretStorage;
  readonly log: Log;
}

/** Settings that decide where the window connects. */
export const PLACE_SETTINGS = [
  "msgSys.connection.profile",
  "msgSys.connection.profiles",
  "msgSys.daemon.dataDirectory",
] as const satisfies readonly SettingKey[];

export function createWindowConnection(deps: WindowConnectionDeps): WindowConnection {
  const failed = (error: unknown): void =>
    deps.log.error("listener of the connection failed", { why: String(error) });
  const state = createSource<ConnectionState>(INITIAL_CONNECTION, failed);
  const client = createSource<Client | null>(null, failed);
  const identity = createSource<Identity | null>(null, failed);
  let loading: Promise<Connection> | null = null;
  let loaded: Connection | null = null;

  async function load(): Promise<Connection> {
    const { openConnection } = await import("./daemon/open-connection.ts");
    const connection = openConnection({
      place,
      signedIn: (where) => readLogin(deps.secrets, where.url),
      startSettings: () => startSettings(deps.extensionPath),
      log: (event, data) => deps.log.info(event, data),
    });
    // The client first: whoever hears that it is connected asks for it.
    connection.identity.onChange(identity.set);
    connection.client.onChange(client.set);
    connection.state.onChange(state.set);
    loaded = connection;
    return connection;
  }

  return {
    state,
    client,
    identity,
    history: () => loaded?.history() ?? [],
    load() {
      loading ??= load();
      return loading;
    },
    loaded: () => loaded,
    dataDir,
    isRemote: () => readSetting("msgSys.connection.profile") !== "",
    close: async () => loaded?.close(),
  };
}

function place(): Place {
  return placeOf({
    profile: readSetting("msgSys.connection.profile"),
    profiles: readSetting("msgSys.connection.profiles"),
    dataDir: dataDir(),
    localCertificate: process.env["MSGSYS_TLS_CERT"],
  });
}

function dataDir(): string {
  return dataDirOf({
    setting: readSetting("msgSys.daemon.dataDirectory"),
    base: workspaceFolder() ?? homedir(),
    env: process.env,
    platform: process.platform,
    home: homedir(),
  });
}

const CONFIG_NAMES = ["ts", "mts", "js", "mjs"].map((ending) => `msgsys.config.${ending}`);

/** A folder of a disk: the one that holds a configuration, else the first; null without any. */
function workspaceFolder(): string | null {
  const folders = (vscode.workspace.workspaceFolders ?? [])
    .filter(({ uri }) => uri.scheme === "file")
    .map(({ uri }) => uri.fsPath);
  const configured = folders.find((folder) =>
    CONFIG_NAMES.some((name) => existsSync(path.join(folder, name))),
  );
  return configured ?? folders[0] ?? null;
}

/** A workspace that is not trusted has no say: neither its files nor its settings are given to the daemon. */
function startSettings(extensionPath: string): StartSettings {
  const workspace = vscode.workspace.isTrusted ? workspaceFolder() : null;
  const chosen = (key: "msgSys.daemon.nodePath" | "msgSys.daemon.natsServerPath"): string | null =>
    chosenPath(readSetting(key), homedir());
  return {
    program: path.join(extensionPath, "dist", "daemon.mjs"),
    node: chosen("msgSys.daemon.nodePath") ?? process.execPath,
    env: process.env,
    workspace,
    configFile:
      workspace === null ? null : chosenPath(readSetting("msgSys.daemon.configFile"), workspace),
    natsServerPath: chosen("msgSys.daemon.natsServerPath"),
  };
}

function chosenPath(setting: string, base: string): string | null {
  return setting === "" ? null : path.resolve(base, expandHome(setting, homedir(), path));
}

/** The login that was kept for an address. What cannot be read counts as none: signing in mends it. */
async function readLogin(secrets: vscode.SecretStorage, url: string): Promise<Login | null> {
  const text = await secrets.get(secretKey(url));
  if (text === undefined) return null;
  const { user, seed } = JSON.parse(text) as Partial<Login>;
  return typeof user === "string" && typeof seed === "string" ? { user, seed } : null;
}
