import * as vscode from "vscode";
import type { App } from "./app-context.ts";
import { COMMANDS, STATUS_BAR_ITEM } from "./contributions.ts";
import {
  reduceShown,
  type Shown,
  type StatusInput,
  shownChangesAt,
  statusChangesAt,
  statusOf,
} from "./status.ts";
import { lookOf } from "./status-look.ts";

type StatusApp = Pick<App, "connection" | "history" | "identity" | "work" | "live" | "register">;

/** The one item of the status bar. `isRemote`: the connection is to another machine. */
export function registerStatusBar(app: StatusApp, version: string, isRemote: () => boolean): void {
  const item = vscode.window.createStatusBarItem(STATUS_BAR_ITEM, vscode.StatusBarAlignment.Left);
  item.name = "msg_sys";
  let shown: Shown = { status: { kind: "idle" }, at: 0, next: null };
  let timer: NodeJS.Timeout | undefined;

  const input = (now: number): StatusInput => ({
    connection: app.connection.get(),
    history: app.history(),
    identity: app.identity.get(),
    work: app.work.get(),
    live: app.live.get(),
    remote: isRemote(),
    version,
    now,
  });

  const update = (): void => {
    const now = Date.now();
    const facts = input(now);
    shown = reduceShown(shown, statusOf(facts), now);
    show(item, shown, now);
    clearTimeout(timer);
    const nextAt = [shownChangesAt(shown), statusChangesAt(facts)].filter((at) => at !== null);
    if (nextAt.length > 0) timer = setTimeout(update, Math.max(20, Math.min(...nextAt) - now));
  };

  update();
  item.show();
  for (const source of [app.connection, app.identity, app.work, app.live])
    app.register({ dispose: source.onChange(update) });
  app.register(item, { dispose: () => clearTimeout(timer) });
}

const BACKGROUNDS = {
  warning: new vscode.ThemeColor("statusBarItem.warningBackground"),
  error: new vscode.ThemeColor("statusBarItem.errorBackground"),
} as const;

/** Foreign text in the tooltip is escaped; should some slip through, it can do no more than a click of ours. */
const LINKED = [...Object.keys(COMMANDS), "workbench.trust.manage"];

function show(item: vscode.StatusBarItem, { status }: Shown, now: number): void {
  const look = lookOf(status, now, vscode.l10n.t);
  const tooltip = new vscode.MarkdownString(look.tooltip);
  tooltip.isTrusted = { enabledCommands: LINKED };
  item.text = look.text;
  item.tooltip = tooltip;
  item.command = look.command;
  item.backgroundColor = look.background === null ? undefined : BACKGROUNDS[look.background];
  item.accessibilityInformation = { label: look.label, role: "button" };
}
