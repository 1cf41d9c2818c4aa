import type { RunView } from "../../shared/control.ts";
import type { TaskStatus } from "../../shared/task.ts";
import type { Say } from "../../shared/view/rows.ts";
import type { IconView } from "./node.ts";

const OK = "testing.iconPassed";
const BAD = "testing.iconFailed";
const WAIT = "testing.iconQueued";
const IDLE = "testing.iconUnset";
const RUN = "charts.blue";

/** The shape and colour of every state; the word stands beside it. Turning icons obey VS Code's reduced motion. */
const ICONS: Readonly<Record<TaskStatus | RunView["status"] | "pending", IconView>> = {
  scheduled: { id: "clock", color: IDLE },
  waiting: { id: "circle-outline", color: IDLE },
  running: { id: "sync~spin", color: RUN },
  retrying: { id: "history", color: WAIT },
  completed: { id: "pass", color: OK },
  cancelled: { id: "circle-slash", color: IDLE },
  dead: { id: "error", color: BAD },
  pending: { id: "circle-outline", color: IDLE },
  failed: { id: "error", color: BAD },
};

export function statusIcon(status: TaskStatus | RunView["status"] | "pending"): IconView {
  return ICONS[status];
}

export function statusWord(status: TaskStatus | RunView["status"] | "pending", say: Say): string {
  switch (status) {
    case "scheduled":
      return say("Scheduled");
    case "waiting":
      return say("Waiting");
    case "running":
      return say("Running");
    case "retrying":
      return say("Retrying");
    case "completed":
      return say("Completed");
    case "cancelled":
      return say("Cancelled");
    case "dead":
      return say("Dead letter");
    case "pending":
      return say("Not started");
    case "failed":
      return say("Failed");
    default:
      return status satisfies never;
  }
}
