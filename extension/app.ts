import * as vscode from "vscode";
import type { Client } from "../shared/bus/client.ts";
import type { ConnectionState } from "../shared/connection.ts";
import type { App } from "./app-context.ts";
import { OfflineError, registerCommands } from "./command-runner.ts";
import { createWorkCommands } from "./commands/index.ts";
import { REMEDY_COMMANDS, type SettingKey } from "./contributions.ts";
import { coreCommands, inProgress, tellStartFailure } from "./core-commands.ts";
import { isFinal } from "./daemon/causes.ts";
import { causeIn } from "./daemon/connection-record.ts";
import { registerDashboard } from "./dashboard/dashboard.ts";
import { createDisposables, type Disposables } from "./disposables.ts";
import { createNotifications } from "./notifications.ts";
import { createSource } from "./observable.ts";
import { createOutput, type Output } from "./output.ts";
import type { SignInDeps } from "./sign-in.ts";
import { registerStatusBar } from "./status-bar.ts";
import { readSetting, runCommand, setContextKey } from "./typed-api.ts";
import { createViews } from "./views/views.ts";
import {
  createWindowConnection,
  PLACE_SETTINGS,
  type WindowConnection,
} from "./window-connection.ts";

/** The extension while it is active. */
export interface Running {
  readonly app: App;
  /** Ends everything, the daemon only if the settings say so. */
  stop(): Promise<void>;
}

/** A connection that stood is back within this time after most outages; a command waits so long for it. */
const SETTLE_LIMIT_MS = 15_000;

/** Puts the extension together. Nothing heavy is loaded, and nothing is connected, before something is shown or asked. */
export function startApp(context: vscode.ExtensionContext): Running {
  const disposables = createDisposables();
  const output = createOutput();
  disposables.add(output);
  const window = createWindowConnection({
    extensionPath: context.extensionPath,
    secrets: context.secrets,
    log: output.log,
  });
  const starter = createStarter(window);
  const app = createApp({ context, disposables, output, window, starter });
  keepContextKeys(app, window);
  followSettings(app, window);
  const account = accountOf(context, window);
  const { version } = context.extension.packageJSON as { readonly version: string };
  registerStatusBar(app, version, window.isRemote);
  const views = createViews(app);
  registerCommands(app, {
    ...coreCommands({ app, window, output, account, start: () => startTold(app, starter) }),
    ...registerDashboard(app),
    ...createWorkCommands(app, views),
  });
  return {
    app,
    async stop() {
      disposables.dispose();
      const stopIt = starter.startedHere() && readSetting("msgSys.daemon.stopOnExit");
      if (stopIt) await window.loaded()?.stop();
      await window.close();
    },
  };
}

interface Parts {
  readonly context: vscode.ExtensionContext;
  readonly disposables: Disposables;
  readonly output: Output;
  readonly window: WindowConnection;
  readonly starter: Starter;
}

function createApp({ context, disposables, output, window, starter }: Parts): App {
  const { log } = output;
  const base = {
    vscode: context,
    client: window.client.get,
    onClient: window.client.onChange,
    connection: window.state,
    history: window.history,
    identity: window.identity,
    work: createSource<ReturnType<App["work"]["get"]>>(null),
    live: createSource(true),
    setting: readSetting,
    onSetting,
    setContext: setContextKey,
    runCommand,
    log,
    register: disposables.add,
    connect() {
      window.load().then(
        (connection) => connection.connect(),
        (error: unknown) => log.error("connection not loaded", { why: String(error) }),
      );
    },
    async perform(remedy: keyof typeof REMEDY_COMMANDS) {
      await vscode.commands.executeCommand(REMEDY_COMMANDS[remedy]);
    },
  } satisfies Omit<App, "connected" | "notifications">;
  return {
    ...base,
    notifications: createNotifications(base),
    connected: () => connected(window, starter),
  };
}

/** Starts a daemon for this window and remembers that it did. */
interface Starter {
  start(): Promise<void>;
  startedHere(): boolean;
}

function createStarter(window: WindowConnection): Starter {
  let started = false;
  return {
    startedHere: () => started,
    async start() {
      const connection = await window.load();
      await inProgress(vscode.l10n.t("Starting the daemon…"), async () => {
        await connection.start();
        started = true;
        await connection.settled(SETTLE_LIMIT_MS);
      });
    },
  };
}

async function startTold(app: App, starter: Starter): Promise<void> {
  try {
    await starter.start();
  } catch (error) {
    tellStartFailure(app, error);
  }
}

/** The client once the connection stands; a daemon of this machine is started when none runs. */
async function connected(window: WindowConnection, starter: Starter): Promise<Client> {
  const connection = await window.load();
  connection.connect();
  let state = await connection.settled(SETTLE_LIMIT_MS);
  if (mayStart(state) && !window.isRemote() && readSetting("msgSys.daemon.startWhenNeeded")) {
    await starter.start();
    state = connection.state.get();
  }
  const client = connection.client.get();
  if (state.kind === "connected" && client !== null) return client;
  throw new OfflineError();
}

/** A daemon may help: none runs, or the last start failed for a reason that may be gone. */
function mayStart(state: ConnectionState): boolean {
  const cause = causeIn(state);
  return state.kind === "stopped" || (cause !== null && !isFinal(cause));
}

/** Calls back when VS Code says that one of these settings changed. */
function onSetting(keys: readonly SettingKey[], listener: () => void): () => void {
  const listening = vscode.workspace.onDidChangeConfiguration((change) => {
    if (keys.some((key) => change.affectsConfiguration(key))) listener();
  });
  return () => listening.dispose();
}

function keepContextKeys(app: App, window: WindowConnection): void {
  const setConnection = (): void => {
    const state = app.connection.get();
    app.setContext("msgSys.cause", causeIn(state)?.code ?? "");
    app.setContext("msgSys.connection", state.kind);
    app.setContext("msgSys.remote", window.isRemote());
  };
  const setRole = (): void => app.setContext("msgSys.role", app.identity.get()?.role ?? "");
  const setLive = (): void => app.setContext("msgSys.livePaused", !app.live.get());
  setConnection();
  setRole();
  setLive();
  app.register(
    { dispose: app.connection.onChange(setConnection) },
    { dispose: app.identity.onChange(setRole) },
    { dispose: app.live.onChange(setLive) },
    { dispose: app.onSetting(["msgSys.connection.profile"], setConnection) },
  );
}

/** Another place, another login: the connection begins anew. */
function followSettings(app: App, window: WindowConnection): void {
  const reset = (): void => window.loaded()?.reset();
  app.register(
    { dispose: app.onSetting(PLACE_SETTINGS, reset) },
    app.vscode.secrets.onDidChange(({ key }) => {
      if (key.startsWith("msgSys.") && window.isRemote()) reset();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(reset),
  );
}

function accountOf(context: vscode.ExtensionContext, window: WindowConnection): SignInDeps {
  return {
    secrets: context.secrets,
    changed() {
      window.load().then(
        (connection) => {
          connection.reset();
          connection.retry();
        },
        // Ignored: whoever loads it next is told why it cannot be loaded.
        () => {},
      );
    },
    leave: async () => (await window.load()).leave(),
  };
}
