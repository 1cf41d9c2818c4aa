import type { NatsConnection } from "@nats-io/transport-node";
import { HEADER, type Names } from "../../shared/subjects.ts";
import type { Execution } from "./execution.ts";

/** How far a task is, as it travels on `event.task.progress.<id>`. */
export interface ProgressEvent {
  readonly taskId: string;
  readonly name: string;
  readonly runId: string | null;
  readonly done: number;
  readonly total: number | null;
  readonly what: string;
  readonly at: string;
}

export interface ProgressReporter {
  report(execution: Execution, p: { done: number; total: number | null; what: string }): void;
}

/** At most one event per task in this time; the last one of a burst is always sent. */
const EVERY_MS = 250;

export function createProgressReporter(nc: NatsConnection, names: Names): ProgressReporter {
  const waiting = new Map<string, { timer: NodeJS.Timeout; latest: ProgressEvent | null }>();

  const send = (event: ProgressEvent): void => {
    if (!nc.isClosed())
      nc.publish(names.event(`task.progress.${event.taskId}`), JSON.stringify(event));
  };
  const arm = (taskId: string): void => {
    const timer = setTimeout(() => {
      const entry = waiting.get(taskId);
      waiting.delete(taskId);
      if (entry?.latest) {
        send(entry.latest);
        arm(taskId);
      }
    }, EVERY_MS);
    waiting.set(taskId, { timer, latest: null });
  };

  return {
    report(execution, p) {
      const { message } = execution;
      const event: ProgressEvent = {
        taskId: message.id,
        name: message.name,
        runId: runIdOf(execution),
        done: p.done,
        total: p.total,
        what: p.what,
        at: new Date().toISOString(),
      };
      const entry = waiting.get(message.id);
      if (entry) {
        entry.latest = event;
        return;
      }
      send(event);
      arm(message.id);
    },
  };
}

function runIdOf(execution: Execution): string | null {
  const run = execution.message.msg.headers?.get(HEADER.run);
  return run ? (/"id":"([^"]+)"/.exec(run)?.[1] ?? null) : null;
}
