import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../../shared/bus/client.ts";
import { AppError } from "../../shared/errors.ts";
import type { DaemonLease } from "../../shared/settings.ts";
import type { Located } from "./locate.ts";

const STOP_TIMEOUT_MS = 30_000;
const LOOK_EVERY_MS = 100;

/** The daemon ends by itself in order; one that cannot be asked is told by its signal. */
export async function askToEnd(client: Client | null, lease: DaemonLease): Promise<void> {
  try {
    if (client === null) throw new Error("not connected");
    await client.request("shutdown", {});
  } catch (error) {
    if (error instanceof AppError && error.code === "not-permitted") throw error;
    // Never the whole system: a lease is a file, and a file can say anything.
    if (lease.pid > 1) killSoftly(lease.pid);
  }
}

function killSoftly(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Waits until this daemon has given its lease back: running tasks may finish first. Throws `wait-timed-out`. */
export async function waitGone(locate: () => Located, lease: DaemonLease): Promise<void> {
  const startedMs = performance.now();
  for (;;) {
    const found = locate();
    if (found.kind === "absent" || found.lease.startedAt !== lease.startedAt) return;
    if (performance.now() - startedMs > STOP_TIMEOUT_MS)
      throw new AppError("wait-timed-out", {
        what: `The daemon (pid ${lease.pid})`,
        timeoutMs: STOP_TIMEOUT_MS,
      });
    await sleep(LOOK_EVERY_MS);
  }
}
