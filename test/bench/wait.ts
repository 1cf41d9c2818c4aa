import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 2;

/** Waits until `ok` holds, looking each 2 ms; without a limit, because the whole case has one. */
export async function until(ok: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await ok())) await sleep(POLL_MS);
}
