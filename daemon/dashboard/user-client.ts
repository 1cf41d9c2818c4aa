import type { Client } from "../../shared/bus/client.ts";
import { fromWire } from "../../shared/errors.ts";
import type { Control } from "../control/call.ts";

/** A request of a user; the answer is that of the verb. */
type UserClient = Pick<Client, "request">;

/** So many of one dashboard are answered at once: each answer may have megabytes. */
const AT_ONCE = 4;

/**
 * Asks the daemon from within, as this user: the same way to parse, authorize, call and audit as over the wire, with the
 * level named as it would stand in the subject. `room` resolves when the answers given so far were taken away.
 */
export function createUserClient(deps: {
  readonly user: string;
  readonly control: Control;
  room(): Promise<void>;
}): UserClient {
  const encoder = new TextEncoder();
  const waiting: (() => void)[] = [];
  let running = 0;

  async function turn(): Promise<void> {
    if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
    await deps.room();
  }

  return {
    async request(verb, body, { level } = {}) {
      try {
        await turn();
        const reply = await deps.control({
          user: deps.user,
          verb,
          level: level ?? null,
          body: encoder.encode(JSON.stringify(body)),
        });
        if (reply.ok) return reply.value as never;
        throw fromWire(reply.error);
      } finally {
        running -= 1;
        waiting.shift()?.();
      }
    },
  };
}
