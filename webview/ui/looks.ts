import type { ConnectionState } from "../../shared/connection.ts";
import type { RunView } from "../../shared/control.ts";
import type { Bucket, EscalationAction } from "../../shared/priority.ts";
import type { TaskStatus } from "../../shared/task.ts";
import type { FeedRow } from "../../shared/view/messages.ts";
import type { Tone } from "./Icon.tsx";
import type { IconName } from "./icon-names.ts";
import { key } from "./text.ts";

/** How a state looks: always a shape, a word and a colour, never a colour alone. `word` goes through `t`. */
export interface Look {
  readonly word: string;
  readonly icon: IconName;
  readonly tone: Tone;
  /** The icon turns while motion is welcome. */
  readonly spins?: true;
}

const DONE: Look = { word: key("Completed"), icon: "pass", tone: "ok" };
const RUNNING: Look = { word: key("Running"), icon: "sync", tone: "run", spins: true };
const CANCELLED: Look = { word: key("Cancelled"), icon: "circle-slash", tone: "idle" };

/** Tasks, phases (`pending`) and runs (`failed`). The whole vocabulary of states of the dashboard. */
export const STATUS_LOOKS: Readonly<
  Record<TaskStatus | RunView["status"] | "pending" | "superseded", Look>
> = {
  scheduled: { word: key("Scheduled"), icon: "clock", tone: "idle" },
  waiting: { word: key("Waiting"), icon: "circle-outline", tone: "idle" },
  running: RUNNING,
  retrying: { word: key("Retrying"), icon: "history", tone: "wait" },
  completed: DONE,
  cancelled: CANCELLED,
  dead: { word: key("Dead letter"), icon: "error", tone: "bad" },
  superseded: { word: key("Superseded"), icon: "debug-step-over", tone: "idle" },
  pending: { word: key("Not started"), icon: "circle-outline", tone: "idle" },
  failed: { word: key("Failed"), icon: "error", tone: "bad" },
};

export const BUCKET_LOOKS: Readonly<Record<Bucket, Look>> = {
  high: { word: key("High"), icon: "arrow-up", tone: "plain" },
  normal: { word: key("Normal"), icon: "dash", tone: "plain" },
  low: { word: key("Low"), icon: "arrow-down", tone: "plain" },
};

export const ESCALATION_LOOKS: Readonly<Record<EscalationAction, Look>> = {
  prioritize: { word: key("Prioritize"), icon: "arrow-up", tone: "plain" },
  urgent: { word: key("Urgent"), icon: "flame", tone: "plain" },
  critical: { word: key("Critical"), icon: "bell-dot", tone: "plain" },
};

export const CONNECTION_LOOKS: Readonly<Record<ConnectionState["kind"], Look>> = {
  idle: { word: key("Not connected"), icon: "circle-outline", tone: "idle" },
  starting: { word: key("Starting the daemon"), icon: "loading", tone: "run", spins: true },
  connecting: { word: key("Connecting"), icon: "loading", tone: "run", spins: true },
  connected: { word: key("Connected"), icon: "pass", tone: "ok" },
  reconnecting: { word: key("Reconnecting"), icon: "sync", tone: "wait", spins: true },
  offline: { word: key("Offline"), icon: "debug-disconnect", tone: "bad" },
  stopped: { word: key("Stopped"), icon: "circle-slash", tone: "idle" },
};

export const SEVERITY_LOOKS: Readonly<Record<FeedRow["severity"], Look>> = {
  info: { word: key("Info"), icon: "info", tone: "plain" },
  warning: { word: key("Warning"), icon: "warning", tone: "wait" },
  error: { word: key("Error"), icon: "error", tone: "bad" },
};
