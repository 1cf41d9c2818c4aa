import { render } from "preact";
import { createDashboard, DashboardContext } from "./dashboard.ts";
import { createHost } from "./host.ts";
import { LiveFeed } from "./screens/LiveFeed.tsx";
import { startClock } from "./state/clock.ts";
import { openTransport } from "./transport.ts";
import { Frame } from "./ui/Frame.tsx";
import { followTheme } from "./ui/theme.ts";
import "./styles/tokens.css";
import "./styles/browser-theme.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/parts.css";
import "./styles/screens.css";

const transport = openTransport();
followTheme(transport.kind);
const dashboard = createDashboard(createHost(transport));
startClock(() => dashboard.live.isSeen.peek());

// The side bar shows the feed alone; the host says so on the body.
const isFeedOnly = document.body.dataset["surface"] === "feed";
const root = document.getElementById("root");
if (root !== null) {
  render(
    <DashboardContext.Provider value={dashboard}>
      {isFeedOnly ? <LiveFeed address={{ screen: "feed" }} isAlone /> : <Frame />}
    </DashboardContext.Provider>,
    root,
  );
}
