import type { NatsConnection } from "@nats-io/transport-node";
import type { Names } from "../shared/subjects.ts";
import type { AuditStore } from "./audit/audit-store.ts";
import type { ProgressEvent } from "./worker/progress.ts";

export interface TaskFacts {
  /** The last progress that a task told; null when none is known here. */
  progressOf(taskId: string): ProgressEvent | null;
  stop(): Promise<void>;
}

const KEPT_PROGRESS = 2000;

/** Listens to what workers tell beside the journal: how far tasks are, and completions that came too late. */
export function createTaskFacts(deps: {
  nc: NatsConnection;
  names: Names;
  audit: AuditStore;
  now: () => number;
}): TaskFacts {
  const progress = new Map<string, ProgressEvent>();
  const progressSub = deps.nc.subscribe(deps.names.event("task.progress.*"), {
    callback: (_err, m) => {
      const event = m.json<ProgressEvent>();
      progress.delete(event.taskId);
      progress.set(event.taskId, event);
      if (progress.size > KEPT_PROGRESS) {
        const oldest = progress.keys().next().value;
        if (oldest !== undefined) progress.delete(oldest);
      }
    },
  });
  const staleSub = deps.nc.subscribe(deps.names.event("task.stale.*"), {
    callback: (_err, m) => {
      const event = m.json<{
        taskId: string;
        generation: number;
        attempt: number;
        worker: string;
        outcome: string;
      }>();
      const { taskId, ...detail } = event;
      deps.audit.note({
        at: deps.now(),
        kind: "stale-completion",
        by: event.worker,
        taskId,
        detail,
      });
    },
  });
  return {
    progressOf: (taskId) => progress.get(taskId) ?? null,
    async stop() {
      progressSub.unsubscribe();
      staleSub.unsubscribe();
    },
  };
}
