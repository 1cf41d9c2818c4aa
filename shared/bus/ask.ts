import { type RequestOf, type ResponseOf, VERBS, type Verb } from "../control.ts";
import { DEFAULT_LEVEL } from "../priority.ts";
import { highestLevelOf } from "../roles.ts";
import { atLevel, BULK_TIMEOUT_MS, levelBefore } from "./levelled.ts";
import type { Requester } from "./request.ts";

/** Sends any verb as it stands, at the level that it needs. Every rejection is an AppError. */
export type Ask = <V extends Verb>(verb: V, body: RequestOf<V>) => Promise<ResponseOf[V]>;

type Asker = Pick<Requester, "request">;

/**
 * For those who pass on what somebody else composed, a dashboard's host: they know a verb and its body, not the level that
 * must stand in the subject. It is found as for a call of the client's own methods.
 */
export function createAsk(requester: Asker): Ask {
  return async (verb, body) => {
    const timeoutMs = isOnMany(body) ? BULK_TIMEOUT_MS : undefined;
    if (!VERBS[verb].levelled) return requester.request(verb, body, { timeoutMs });
    const first = await levelOf(requester, verb, body as Levelled);
    return atLevel(first, (level) => requester.request(verb, body, { level, timeoutMs }));
  };
}

/** What of the levelled verbs' bodies tells the level. */
interface Levelled {
  readonly to?: number;
  readonly priority?: number | undefined;
  readonly id?: string;
  readonly ids?: readonly string[];
  readonly items?: readonly { readonly priority?: number | undefined }[];
}

function isOnMany(body: object): boolean {
  return "where" in body || ("ids" in body && Array.isArray(body.ids) && body.ids.length > 1);
}

async function levelOf(requester: Asker, verb: Verb, body: Levelled): Promise<number> {
  if (verb === "run") return body.priority ?? DEFAULT_LEVEL;
  if (verb === "enqueue")
    return Math.max(...(body.items ?? []).map(({ priority }) => priority ?? DEFAULT_LEVEL), 0);
  const wanted = body.to ?? body.priority ?? 0;
  const id = body.id ?? (body.ids?.length === 1 ? body.ids[0] : undefined);
  // The levels of many tasks are not known here: the caller's own limit is named, the daemon checks each task.
  if (id === undefined) {
    const { role } = await requester.request("whoami", {});
    return Math.max(wanted, highestLevelOf(role), 0);
  }
  const task = await requester.request("get", { id });
  if (verb === "undo") return Math.max(task.priority, levelBefore(task));
  return verb === "redrive" && body.priority !== undefined
    ? body.priority
    : Math.max(wanted, task.priority);
}
