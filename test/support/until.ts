import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 20;
/** What takes a moment here takes long on a busy machine: only a rule that is broken comes this far. */
const DEADLINE_MS = 45_000;

/**
 * Waits until `ok` holds for what `read` answers (by default: until it answers something truthy) and gives that answer.
 * Fails with the last answer when `deadlineMs` is over. The only place in the tests that waits for time.
 */
export async function until<T>(
  read: () => T | Promise<T>,
  ok: (value: T) => boolean = Boolean,
  deadlineMs = DEADLINE_MS,
): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const value = await read();
    if (ok(value)) return value;
    if (performance.now() > endMs) {
      throw new Error(
        `Not so within ${deadlineMs} ms; the last answer was ${JSON.stringify(value)}`,
      );
    }
    await sleep(POLL_MS);
  }
}
