import type { App, CommandTable } from "../app-context.ts";
import type { DashboardCommandId } from "../contributions.ts";
import { createActs } from "./acts.ts";
import { registerFeedView } from "./feed-view.ts";
import { createHeard } from "./heard.ts";
import { createPanel } from "./panel.ts";

/** The dashboard's panel and the feed of the side bar; answers the commands that open them. */
export function registerDashboard(app: App): CommandTable<DashboardCommandId> {
  const heard = createHeard({
    client: () => app.client(),
    onClient: app.onClient,
    failed: (error) =>
      app.log.warn("subscription of the live feed failed", { error: error.message }),
  });
  const surfaces = { app, heard, acts: createActs(app) };
  const panel = createPanel(surfaces);
  registerFeedView(surfaces);
  return {
    "msgSys.dashboard.open": { whenOffline: "run", run: (address) => panel.open(address) },
    "msgSys.connection.show": {
      whenOffline: "run",
      run: () => panel.open({ screen: "connection" }),
    },
  };
}
