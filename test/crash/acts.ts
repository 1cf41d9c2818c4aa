import type { ConnectedClient } from "../../daemon/sdk.ts";
import { fromUnknown } from "../../shared/errors.ts";
import { count, type Ledger } from "./ledger.ts";
import type { Chance } from "./random.ts";
import { pause } from "./system.ts";

export interface ActsDeps {
  readonly clients: readonly ConnectedClient[];
  readonly ledger: Ledger;
  readonly chance: Chance;
  /** Ids of tasks that were accepted, the newest last. */
  readonly accepted: readonly string[];
}

const ACTS = { escalate: 45, lower: 20, cancel: 12, retry: 13, redrive: 10 } as const;
const LANES = 4;
/** Acts look at what was accepted lately: most of it still moves. */
const WINDOW = 150;
const PAUSE_MS = 15;

/** People who change priorities, cancel and retry while workers run the same tasks, until `signal` is aborted. */
export async function act(deps: ActsDeps, signal: AbortSignal): Promise<void> {
  const lane = async (): Promise<void> => {
    while (!signal.aborted) {
      await one(deps);
      await pause(deps.chance.whole(0, 2 * PAUSE_MS));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

async function one(deps: ActsDeps): Promise<void> {
  const { chance, accepted, ledger } = deps;
  if (accepted.length === 0) return;
  const back = chance.whole(1, Math.min(WINDOW, accepted.length));
  const id = accepted[accepted.length - back]!;
  const what = chance.weighted(ACTS);
  const client = chance.pick(deps.clients);
  try {
    await perform(client, what, id, chance);
    count(ledger.acts, what);
  } catch (error) {
    count(ledger.refusals, `${what} ${fromUnknown(error).code}`);
  }
}

async function perform(
  client: ConnectedClient,
  what: keyof typeof ACTS,
  id: string,
  chance: Chance,
): Promise<unknown> {
  switch (what) {
    case "escalate":
      return client.escalate(id, chance.whole(5, 10), "crash harness");
    case "lower":
      return client.lower(id, chance.whole(0, 3), "crash harness");
    case "cancel":
      return client.cancel(id, { reason: "crash harness" });
    case "retry":
      return client.retry(id, "crash harness");
    case "redrive":
      return client.redrive(id, { reason: "crash harness" });
    default:
      return what satisfies never;
  }
}
