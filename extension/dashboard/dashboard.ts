import * as vscode from "vscode";
import type { App, CommandTable } from "../app-context.ts";
import { DASHBOARD, type DashboardCommandId, VIEWS } from "../contributions.ts";
import type { Surfaces } from "./surfaces.ts";

/**
 * The dashboard's panel and the feed of the side bar; answers the commands that open them. What is behind them is loaded
 * when the first of them shows.
 */
export function registerDashboard(app: App): CommandTable<DashboardCommandId> {
  let loading: Promise<Surfaces> | null = null;
  const load = (): Promise<Surfaces> => {
    loading ??= import("./surfaces.ts").then(({ createSurfaces }) => createSurfaces(app));
    return loading;
  };
  app.register(
    // A window that was loaded again gets its panel back; where it was the document itself remembers.
    vscode.window.registerWebviewPanelSerializer(DASHBOARD, {
      deserializeWebviewPanel: async (panel) => (await load()).adopt(panel),
    }),
    vscode.window.registerWebviewViewProvider(VIEWS.feed, {
      resolveWebviewView: async (view) => (await load()).showFeed(view),
    }),
  );
  return {
    "msgSys.dashboard.open": {
      whenOffline: "run",
      run: async (address) => (await load()).open(address),
    },
    "msgSys.connection.show": {
      whenOffline: "run",
      run: async () => (await load()).open({ screen: "connection" }),
    },
  };
}
