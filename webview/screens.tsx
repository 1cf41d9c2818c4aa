import type { ComponentType } from "preact";
import type { Address, Screen } from "../shared/view/messages.ts";
import { Connection } from "./screens/Connection.tsx";
import { DeadLetters } from "./screens/DeadLetters.tsx";
import { History } from "./screens/History.tsx";
import { LiveFeed } from "./screens/LiveFeed.tsx";
import { Overview } from "./screens/Overview.tsx";
import { Queues } from "./screens/Queues.tsx";
import { Runs } from "./screens/Runs.tsx";
import { RunView } from "./screens/RunView.tsx";
import { TaskDetail } from "./screens/TaskDetail.tsx";
import type { IconName } from "./ui/icon-names.ts";
import { key } from "./ui/text.ts";

export interface ScreenEntry {
  /** Through `t`. */
  readonly title: string;
  readonly icon: IconName;
  readonly view: ComponentType<{ address: Address }>;
}

/** Every screen that can be gone to. */
export const SCREEN_VIEWS: Readonly<Partial<Record<Screen, ScreenEntry>>> = {
  overview: { title: key("Overview"), icon: "graph", view: Overview },
  feed: { title: key("Live feed"), icon: "pulse", view: LiveFeed },
  queues: { title: key("Queues"), icon: "layers", view: Queues },
  runs: { title: key("Pipelines"), icon: "type-hierarchy", view: Runs },
  run: { title: key("Run"), icon: "type-hierarchy", view: RunView },
  dead: { title: key("Dead letters"), icon: "error", view: DeadLetters },
  history: { title: key("History"), icon: "history", view: History },
  task: { title: key("Task"), icon: "list-unordered", view: TaskDetail },
  connection: { title: key("Connection"), icon: "plug", view: Connection },
};

const ORDER: readonly Screen[] = [
  "overview",
  "feed",
  "queues",
  "runs",
  "dead",
  "history",
  "connection",
];

/** The screens of the rail, in the order of their keys 1–9; details are reached from them. */
export const RAIL: readonly Screen[] = ORDER.filter((screen) => screen in SCREEN_VIEWS);
