import type { EnqueuedNews } from "../shared/bus/follow.ts";
import type { EnqueueRow } from "./audit/audit-store.ts";

/** Four words a second at most, however much is enqueued. */
const EVERY_MS = 250;
const SHOWN = 20;

/** Tells whoever listens what was enqueued: a new task has no journal record that would. */
export interface EnqueuedTeller {
  told(row: EnqueueRow): void;
  stop(): Promise<void>;
}

export function createEnqueuedTeller(publish: (news: EnqueuedNews) => void): EnqueuedTeller {
  let tasks = 0;
  let shown: EnqueuedNews["shown"][number][] = [];
  const queues = new Set<string>();
  const runs = new Set<string>();
  let timer: NodeJS.Timeout | null = null;

  function tell(): void {
    timer = null;
    publish({ tasks, shown, queues: [...queues], runs: [...runs] });
    tasks = 0;
    shown = [];
    queues.clear();
    runs.clear();
  }

  return {
    told({ id, name, queue, level, by, run }) {
      tasks += 1;
      if (shown.length < SHOWN) shown.push({ id, name, queue, level, by });
      queues.add(queue);
      if (run !== null) runs.add(run.id);
      timer ??= setTimeout(tell, EVERY_MS);
    },
    async stop() {
      if (timer === null) return;
      clearTimeout(timer);
      tell();
    },
  };
}
