import type { EnqueuedNews } from "../shared/bus/follow.ts";
import type { EnqueueRow } from "./audit/audit-store.ts";

/** Ten words a second at most, however much is enqueued. */
const EVERY_MS = 100;
const SHOWN = 20;

/** Tells whoever listens what was enqueued: a new task has no journal record that would. */
export interface EnqueuedTeller {
  told(row: EnqueueRow): void;
  stop(): Promise<void>;
}

/** The first task after a quiet time is told at once, with those of the same turn; then at that pace. */
export function createEnqueuedTeller(publish: (news: EnqueuedNews) => void): EnqueuedTeller {
  let tasks = 0;
  let shown: EnqueuedNews["shown"][number][] = [];
  const queues = new Set<string>();
  const runs = new Set<string>();
  /** Until it fires nothing is told. */
  let pause: NodeJS.Timeout | null = null;

  function tell(): void {
    pause = null;
    if (tasks === 0) return;
    publish({ tasks, shown, queues: [...queues], runs: [...runs] });
    tasks = 0;
    shown = [];
    queues.clear();
    runs.clear();
    pause = setTimeout(tell, EVERY_MS);
  }

  return {
    told({ id, name, queue, level, by, run, createdAt: at }) {
      tasks += 1;
      if (shown.length < SHOWN) shown.push({ id, name, queue, level, by, at });
      queues.add(queue);
      if (run !== null) runs.add(run.id);
      pause ??= setTimeout(tell, 0);
    },
    async stop() {
      if (pause !== null) clearTimeout(pause);
      tell();
      if (pause !== null) clearTimeout(pause);
    },
  };
}
