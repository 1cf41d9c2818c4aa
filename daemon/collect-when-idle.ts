import { performance } from "node:perf_hooks";

const LOOK_EVERY_MS = 2000;
/** A thread that ran for a larger share of the time is not disturbed. */
const IDLE_SHARE = 0.05;

/**
 * Collects this thread's garbage once it has become idle after its start or after a load: V8 collects only when something
 * allocates, so that an idle process would keep all that it ever needed (20 MB and more). Takes 20 to 60 ms each time.
 * Does nothing when Node was started without `--expose-gc`.
 */
export function collectWhenIdle(): void {
  const { gc } = globalThis;
  if (gc === undefined) return;
  let before = performance.eventLoopUtilization();
  let worked = true;
  setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    if (utilization > IDLE_SHARE) {
      worked = true;
    } else if (worked) {
      worked = false;
      gc({ type: "major", flavor: "last-resort" });
      // What the collection itself took is no work.
      before = performance.eventLoopUtilization();
    }
  }, LOOK_EVERY_MS).unref();
}
