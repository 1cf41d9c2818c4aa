import type { EnqueuedNews, FollowEvent } from "../bus/follow.ts";
import type { Changed } from "./messages.ts";
import { runOfTask } from "./rows.ts";

/** Time between two words about what changed: four a second at most. */
export const CHANGED_MS = 250;
const MOST_TASKS = 200;

/** Gathers what changed until it is told. Pure. */
export interface ChangedCollector {
  /** True when the event changes something that screens show. */
  note(event: FollowEvent): boolean;
  /** What changed since the last call; null: nothing. */
  take(): Changed | null;
}

export function createChanged(): ChangedCollector {
  let queues = false;
  let dead = false;
  const runs = new Set<string>();
  const tasks = new Set<string>();
  /** More tasks than are named one by one. */
  let isMore = false;

  function noteTask(id: string, run: string | null): void {
    if (tasks.size < MOST_TASKS) tasks.add(id);
    else if (!tasks.has(id)) isMore = true;
    if (run !== null) runs.add(run);
  }

  function noteSystem(event: string, data: unknown): boolean {
    if (event === "enqueued") {
      const news = data as EnqueuedNews;
      queues = true;
      for (const { id, name } of news.shown) noteTask(id, runOfTask(id, name));
      for (const run of news.runs) runs.add(run);
      isMore ||= news.tasks > news.shown.length;
      return true;
    }
    if (!event.startsWith("task.progress.") || typeof data !== "object" || data === null)
      return false;
    const { taskId, runId } = data as { taskId?: unknown; runId?: unknown };
    if (typeof taskId !== "string") return false;
    noteTask(taskId, typeof runId === "string" ? runId : null);
    return true;
  }

  return {
    note(event) {
      if (event.kind === "domain") return false;
      if (event.kind === "system") return noteSystem(event.event, event.data);
      const { record, taskId } = event;
      queues = true;
      dead ||= record.s === "dead" || record.act === "redrive" || record.act === "retry";
      noteTask(taskId, record.run?.id ?? runOfTask(taskId, record.n));
      return true;
    },
    take() {
      if (!queues && !dead && tasks.size === 0 && runs.size === 0) return null;
      const changed: Changed = {
        queues,
        dead,
        runs: [...runs],
        tasks: isMore ? null : [...tasks],
      };
      queues = false;
      dead = false;
      isMore = false;
      runs.clear();
      tasks.clear();
      return changed;
    },
  };
}
