import type { AppError, ConnectedClient, EnqueueRequest } from "../../daemon/sdk.ts";
import { fromUnknown } from "../../shared/errors.ts";
import { accept, count, type Intent, type Ledger } from "./ledger.ts";
import type { Chance } from "./random.ts";
import { pause } from "./system.ts";

export interface FeedDeps {
  readonly clients: readonly ConnectedClient[];
  readonly ledger: Ledger;
  readonly chance: Chance;
  /** Where handlers write what they did. */
  readonly effectsDir: string;
  /** Told of each task that was accepted, so that other clients can race for it. */
  onAccepted(id: string): void;
}

const KINDS = {
  "crash.instant": 40,
  "crash.short": 25,
  "crash.once": 15,
  "etl.long": 12,
  "crash.doomed": 8,
} as const;
type Kind = keyof typeof KINDS;
/** How clients name their tasks. `again` sends one twice or more, at the same time and later. */
const NAMINGS = { library: 40, id: 20, idAgain: 15, key: 10, keyAgain: 15 } as const;
/** Bulks come as bursts, so that tasks wait for a moment and people can race for them. */
const LONGEST_BULK = 250;
const TICK_MS = 50;
/** A client goes on asking until it knows; only then may it count on the task. */
const RESEND_MS = 400;
const GIVE_UP_MS = 60_000;

interface Order {
  readonly intent: Intent;
  readonly request: EnqueueRequest;
  readonly again: boolean;
}

/** Enqueues `tasks` tasks spread over `seconds`, alone and in bulk, and resolves when each client knows what became of its own. */
export async function feed(deps: FeedDeps, tasks: number, seconds: number): Promise<void> {
  const { chance } = deps;
  const began = performance.now();
  const pending = new Set<Promise<void>>();
  let made = 0;
  while (made < tasks) {
    const share = (performance.now() - began) / (seconds * 1000);
    const due = Math.min(tasks, Math.ceil(share * tasks));
    while (made < due) {
      const size = chance.next() < 0.1 ? Math.min(tasks - made, chance.whole(2, LONGEST_BULK)) : 1;
      const orders = Array.from({ length: size }, () => orderOf(deps, made++));
      const sending = sendUntilKnown(deps, chance.pick(deps.clients), orders);
      pending.add(sending);
      void sending.finally(() => pending.delete(sending));
    }
    await pause(TICK_MS);
  }
  await Promise.all(pending);
}

function orderOf(deps: FeedDeps, n: number): Order {
  const { chance } = deps;
  const name: Kind = chance.weighted(KINDS);
  const naming = chance.weighted(NAMINGS);
  const level = chance.whole(0, 10);
  const delayMs = chance.next() < 0.12 ? chance.whole(50, 4000) : 0;
  const label = `t${n}`;
  const id = naming === "id" || naming === "idAgain" ? `own-${label}` : null;
  const key = naming === "key" || naming === "keyAgain" ? `key-${label}` : null;
  const ms =
    name === "crash.short" ? chance.whole(1, 20) : name === "etl.long" ? chance.whole(50, 300) : 0;
  const intent: Intent = {
    label,
    name,
    level,
    id,
    key,
    delayMs,
    sentNs: 0n,
    acceptedNs: null,
    ids: new Set(),
    unknown: 0,
    sendings: 0,
  };
  deps.ledger.intents.set(label, intent);
  const request: EnqueueRequest = {
    task: name,
    input: { dir: deps.effectsDir, label, ms },
    priority: level,
    ...(id === null ? {} : { id }),
    ...(key === null ? {} : { key }),
    ...(delayMs === 0 ? {} : { delayMs }),
  };
  return { intent, request, again: naming === "idAgain" || naming === "keyAgain" };
}

/**
 * Sends orders as one call. What the library could not decide is sent again with the same id or key until it is known;
 * a task without either has an id that only the library knows, so such an order stays unknown.
 */
async function sendUntilKnown(
  deps: FeedDeps,
  client: ConnectedClient,
  orders: readonly Order[],
): Promise<void> {
  const endMs = performance.now() + GIVE_UP_MS;
  let open = orders;
  while (open.length > 0 && performance.now() < endMs) {
    const unknown = await sendOnce(deps, client, open);
    if (unknown.length > 0) await pause(RESEND_MS);
    open = unknown;
  }
  const repeated = orders.filter((order) => order.again && order.intent.acceptedNs !== null);
  if (repeated.length === 0) return;
  // Twice at the same time by two clients, and the outcome must be the task that is there.
  await Promise.all(
    deps.clients.map((other) =>
      sendOnce(deps, other, repeated).then(() =>
        count(deps.ledger.acts, "repeated", repeated.length),
      ),
    ),
  );
}

/** Answers the orders whose outcome is not known and may be asked for again. */
async function sendOnce(
  deps: FeedDeps,
  client: ConnectedClient,
  orders: readonly Order[],
): Promise<Order[]> {
  for (const { intent } of orders) {
    if (intent.sendings++ === 0) intent.sentNs = process.hrtime.bigint();
  }
  const outcomes = await client.enqueueMany(orders.map(({ request }) => request));
  return orders.filter((order, at) => {
    const outcome = outcomes[at]!;
    if (!("error" in outcome)) {
      accept(order.intent, outcome.id);
      deps.onAccepted(outcome.id);
      return false;
    }
    return isUnknown(deps, order, fromUnknown(outcome.error));
  });
}

function isUnknown(deps: FeedDeps, { intent }: Order, error: AppError): boolean {
  count(deps.ledger.refusals, `enqueue ${error.code}`);
  intent.unknown++;
  return intent.id !== null || intent.key !== null;
}
