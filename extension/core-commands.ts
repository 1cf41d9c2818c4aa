import * as vscode from "vscode";
import { fromUnknown } from "../shared/errors.ts";
import type { App, CommandTable } from "./app-context.ts";
import { type CoreCommandId, VIEWS } from "./contributions.ts";
import { mute } from "./notifications.ts";
import type { Output } from "./output.ts";
import { chooseConnection, type SignInDeps, signIn, signOut } from "./sign-in.ts";
import type { WindowConnection } from "./window-connection.ts";

/** What the core's own commands work with. */
export interface CoreDeps {
  readonly app: App;
  readonly window: WindowConnection;
  readonly output: Output;
  readonly account: SignInDeps;
  /** Starts a daemon and connects, with progress that can be seen. */
  start(): Promise<void>;
}

/** Connection, daemon, account and logs. */
export function coreCommands(deps: CoreDeps): CommandTable<CoreCommandId> {
  const { app, window, output, account } = deps;
  const run = (act: () => unknown) => ({ whenOffline: "run", run: act }) as const;
  return {
    "msgSys.connection.retry": run(async () => (await window.load()).retry()),
    "msgSys.connection.choose": run(() => chooseConnection(account)),
    "msgSys.daemon.start": run(deps.start),
    "msgSys.daemon.stop": run(() => stop(deps)),
    "msgSys.daemon.restart": run(() => restart(deps)),
    "msgSys.logs.show": run(() => output.show()),
    "msgSys.daemonLog.show": run(() => output.showDaemon(window.dataDir())),
    "msgSys.account.signIn": run(() => signIn(account)),
    "msgSys.account.signOut": run(() => signOut(account)),
    "msgSys.settings.open": run(() =>
      vscode.commands.executeCommand("workbench.action.openSettings", "@ext:msg-sys.msg-sys"),
    ),
    "msgSys.live.pause": run(() => app.live.set(false)),
    "msgSys.live.resume": run(() => app.live.set(true)),
    "msgSys.notifications.muteConnection": run(() => mute("msgSys.notifications.connection")),
    "msgSys.deadLetters.open": run(() =>
      vscode.commands.executeCommand(`${VIEWS.deadLetters}.focus`),
    ),
  };
}

/** It ends for every window, so it is asked first; work that waits is kept and goes on at the next start. */
async function stop({ app, window }: CoreDeps): Promise<void> {
  const confirm = vscode.l10n.t("Stop Daemon");
  const running = app.work.get()?.running ?? 0;
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t("Stop the daemon?"),
    {
      modal: true,
      detail:
        running === 0
          ? vscode.l10n.t(
              "All windows share it. Waiting tasks are kept and go on when it is started again.",
            )
          : vscode.l10n.t(
              "All windows share it. {0} running tasks have a moment to end, then they wait again; all are kept.",
              running,
            ),
    },
    confirm,
  );
  if (answer !== confirm) return;
  const connection = await window.load();
  await inProgress(vscode.l10n.t("Stopping the daemon…"), () => connection.stop());
}

async function restart(deps: CoreDeps): Promise<void> {
  const connection = await deps.window.load();
  await inProgress(vscode.l10n.t("Stopping the daemon…"), () => connection.stop());
  await deps.start();
}

/** Progress where it disturbs least: above the queues; the status bar's own item turns besides. */
export async function inProgress<T>(title: string, work: () => Promise<T>): Promise<T> {
  return vscode.window.withProgress({ location: { viewId: VIEWS.queues }, title }, work);
}

/** A daemon that did not start: its own words, and its log. */
export function tellStartFailure(app: App, error: unknown): void {
  app.notifications.failed(fromUnknown(error), {
    title: vscode.l10n.t("Show Daemon Log"),
    run: () => void app.runCommand("msgSys.daemonLog.show"),
  });
}
