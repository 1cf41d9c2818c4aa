import type Database from "better-sqlite3";
import type { TaskStatus } from "../../shared/task.ts";

/** How many tasks each queue has in each status, gathered during a transaction and written at its end. */
export interface Counts {
  add(queue: string, status: TaskStatus, delta: 1 | -1): void;
  flush(): void;
  clear(): void;
}

export function createCounts(db: Database.Database): Counts {
  const change = db.prepare<[string, string, number]>(
    "INSERT INTO task_count (queue, status, n) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
  );
  const queues = new Map<string, Map<TaskStatus, number>>();
  return {
    add(queue, status, delta) {
      let statuses = queues.get(queue);
      if (statuses === undefined) {
        statuses = new Map();
        queues.set(queue, statuses);
      }
      statuses.set(status, (statuses.get(status) ?? 0) + delta);
    },
    flush() {
      for (const [queue, statuses] of queues)
        for (const [status, delta] of statuses) if (delta !== 0) change.run(queue, status, delta);
      queues.clear();
    },
    clear: () => queues.clear(),
  };
}
