import { setImmediate as turn } from "node:timers/promises";
import type { ClsContext } from "./params.ts";

/** Half of the longest silence that a watcher accepts. */
const PROGRESS_MS = 500;
/** Looking at the clock costs more than a row does. */
const ROWS_PER_LOOK = 256;

/** Keeps a long loop honest: it reports progress, obeys the signal and lets other work of the process run. */
export interface Pace {
  /** Call once per row. Throws the signal's reason. */
  tick(done: number, total: number | null, what: string): void | Promise<void>;
  /** The same for code that cannot wait, such as a generator that a stream pulls from. */
  beat(done: number, total: number | null, what: string): void;
  /** Reports at once, at the border of two steps. Throws the signal's reason. */
  step(done: number, total: number | null, what: string): Promise<void>;
}

/** A pace for one phase. `tick` answers a promise only when it is time to let go, so that most rows cost no await. */
export function createPace(ctx: ClsContext): Pace {
  let ticks = 0;
  let lastMs = performance.now();
  const step = async (done: number, total: number | null, what: string): Promise<void> => {
    ctx.signal.throwIfAborted();
    lastMs = performance.now();
    ctx.progress({ done, total, what });
    await turn();
    ctx.signal.throwIfAborted();
  };
  return {
    step,
    beat(done, total, what) {
      ctx.signal.throwIfAborted();
      if (performance.now() - lastMs < PROGRESS_MS) return;
      lastMs = performance.now();
      ctx.progress({ done, total, what });
    },
    tick(done, total, what) {
      ticks += 1;
      if (ticks % ROWS_PER_LOOK !== 0 || performance.now() - lastMs < PROGRESS_MS) return;
      return step(done, total, what);
    },
  };
}
