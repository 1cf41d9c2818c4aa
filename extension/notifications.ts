import * as vscode from "vscode";
import { GUIDANCE } from "../shared/connection.ts";
import type { AppError } from "../shared/errors.ts";
import { formatDuration } from "../shared/time.ts";
import type { App, NotificationAct, Notifications, RunNews } from "./app-context.ts";
import { windowHint } from "./hints.ts";
import {
  NO_NOTICES,
  type Notice,
  type NoticeEvent,
  noticesDueAt,
  reduceNotices,
} from "./notification-policy.ts";
import { plainText } from "./plain-text.ts";

type NotifyingApp = Pick<App, "connection" | "setting" | "runCommand" | "log" | "register">;

/** Shows what the policy decides; everything is a line of the output channel too, also what the settings keep quiet. */
export function createNotifications(app: NotifyingApp): Notifications {
  let state = NO_NOTICES;
  let timer: NodeJS.Timeout | undefined;
  let closeOutage: () => void = () => {};

  const take = (event: NoticeEvent): void => {
    const now = Date.now();
    const step = reduceNotices(state, event, now);
    state = step.state;
    for (const notice of step.notices) show(notice);
    clearTimeout(timer);
    const dueAt = noticesDueAt(state);
    if (dueAt !== null) timer = setTimeout(() => take({ kind: "tick" }), Math.max(20, dueAt - now));
  };

  const show = (notice: Notice): void => {
    app.log.info("notice", notice);
    if (notice.kind === "recovered") closeOutage();
    else if (notice.kind === "outage") closeOutage = showOutage(app, notice);
    else showDead(app, notice);
  };

  app.register(
    {
      dispose: app.connection.onChange((connection) =>
        take({ kind: "connection", state: connection }),
      ),
    },
    {
      dispose() {
        clearTimeout(timer);
        closeOutage();
      },
    },
  );
  return {
    failed: (error, act) => showFailure(app, error, act),
    deadLetter: (letter) => take({ kind: "dead", letter }),
    runEnded: (run) => showRun(app, run),
  };
}

/** A notification with buttons cannot be taken back; one of progress can, and its text may hold links. */
function showOutage(app: NotifyingApp, { cause }: Notice & { kind: "outage" }): () => void {
  if (!app.setting("msgSys.notifications.connection")) return () => {};
  const { what } = GUIDANCE[cause];
  const links = [
    `[${vscode.l10n.t("Retry")}](command:msgSys.connection.retry)`,
    `[${vscode.l10n.t("Start Daemon")}](command:msgSys.daemon.start)`,
    `[${vscode.l10n.t("Don't Show Again")}](command:msgSys.notifications.muteConnection)`,
  ];
  const { promise, resolve } = Promise.withResolvers<void>();
  const title = `${vscode.l10n.t("msg_sys is offline: {0}", vscode.l10n.t(what))} ${links.join(" · ")}`;
  void vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    (_, token) => Promise.race([promise, cancelled(token)]),
  );
  return resolve;
}

function cancelled(token: vscode.CancellationToken): Promise<void> {
  return new Promise((resolve) => {
    token.onCancellationRequested(() => resolve());
  });
}

function showDead(app: NotifyingApp, { total, causes }: Notice & { kind: "dead" }): void {
  if (!app.setting("msgSys.notifications.deadLetters")) return;
  const listed = causes.slice(0, 4).map(({ cause, count }) => `${count} ${plainText(cause, 40)}`);
  const words =
    total === 1
      ? vscode.l10n.t("A task became a dead letter ({0}).", plainText(causes[0]?.cause ?? "", 60))
      : vscode.l10n.t("{0} tasks became dead letters ({1}).", total, listed.join(", "));
  const open = vscode.l10n.t("Show");
  const never = vscode.l10n.t("Don't Show Again");
  void vscode.window.showWarningMessage(words, open, never).then((chosen) => {
    if (chosen === open) return app.runCommand("msgSys.deadLetters.open");
    if (chosen === never) return mute("msgSys.notifications.deadLetters");
    return undefined;
  });
}

function showRun(app: NotifyingApp, run: RunNews): void {
  app.log.info("run ended", { ...run });
  if (!app.setting("msgSys.notifications.runs")) return;
  const pipeline = plainText(run.pipeline, 60);
  const took = formatDuration(run.tookMs);
  const words = {
    completed: vscode.l10n.t("{0} is complete after {1}.", pipeline, took),
    failed: vscode.l10n.t("{0} failed after {1}.", pipeline, took),
    cancelled: vscode.l10n.t("{0} was cancelled after {1}.", pipeline, took),
  }[run.outcome];
  const show =
    run.outcome === "failed"
      ? vscode.window.showErrorMessage
      : vscode.window.showInformationMessage;
  const open = vscode.l10n.t("Show");
  const never = vscode.l10n.t("Don't Show Again");
  void show(words, open, never).then((chosen) => {
    if (chosen === open)
      return app.runCommand("msgSys.dashboard.open", { screen: "run", id: run.runId });
    if (chosen === never) return mute("msgSys.notifications.runs");
    return undefined;
  });
}

function showFailure(app: NotifyingApp, error: AppError, act?: NotificationAct): void {
  app.log.error("order failed", { code: error.code, message: error.message, hint: error.hint });
  const words = plainText(`${error.message} ${windowHint(error)}`.trim(), 600);
  const logs: NotificationAct = {
    title: vscode.l10n.t("Show Logs"),
    run: () => void app.runCommand("msgSys.logs.show"),
  };
  void vscode.window
    .showErrorMessage<NotificationAct>(words, act ?? logs)
    .then((chosen) => chosen?.run());
}

/** The user's choice counts in every window. */
export async function mute(key: `msgSys.notifications.${string}`): Promise<void> {
  await vscode.workspace.getConfiguration().update(key, false, vscode.ConfigurationTarget.Global);
}
