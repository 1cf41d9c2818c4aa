import type { App } from "../app-context.ts";
import type { QueueLimits } from "./queue-model.ts";

/** The settings of the Queues view, in the units of the models. */
export function limitsOf({ setting }: Pick<App, "setting">): QueueLimits {
  return {
    tasksPerBucket: setting("msgSys.queues.tasksPerBucket"),
    oldestWaitMs: setting("msgSys.queues.oldestWaitSeconds") * 1000,
    backlog: setting("msgSys.queues.backlogTasks"),
  };
}
