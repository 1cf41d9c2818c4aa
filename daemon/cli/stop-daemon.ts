import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../../shared/errors.ts";
import type { DaemonLease } from "../../shared/settings.ts";
import { isProcessAlive } from "../lifecycle/process-alive.ts";

const LOOK_EVERY_MS = 40;

/** Waits until the process of this lease has ended. Throws `daemon-stop-timed-out`. */
export async function waitGone(lease: DaemonLease, timeoutMs: number): Promise<void> {
  const startedMs = performance.now();
  while (isProcessAlive(lease.pid)) {
    if (performance.now() - startedMs > timeoutMs)
      throw new AppError("daemon-stop-timed-out", { pid: lease.pid, timeoutMs });
    await sleep(LOOK_EVERY_MS);
  }
}

/** Asks the daemon's process to end and waits for it: running tasks may finish. */
export async function endDaemon(lease: DaemonLease, timeoutMs: number): Promise<void> {
  try {
    process.kill(lease.pid, "SIGTERM");
  } catch (error) {
    // It ended by itself in this moment.
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return;
    throw error;
  }
  await waitGone(lease, timeoutMs);
}
