import type { Msg, NatsConnection } from "@nats-io/transport-node";
import { OutcomeUnknown, type StoredMessage } from "./wire.ts";

/** Where to begin: at a sequence, or at what was stored at an instant (epoch ms) or later. */
export type StreamStart = { readonly from: number } | { readonly since: number };

/** Some messages of a stream in order. `more`: there are others after them. */
export interface StreamPage {
  readonly messages: readonly StoredMessage[];
  readonly more: boolean;
}

export interface PageRequest {
  readonly stream: string;
  /** Subject with wildcards. */
  readonly filter: string;
  readonly start: StreamStart;
  /** At most so many; fewer when they are large, but one if there is any. */
  readonly limit: number;
  readonly maxBytes: number;
}

/** Reads pages of streams by what the server calls a batched direct get: one request, no consumer is made. */
export type StreamReader = (request: PageRequest) => Promise<StreamPage>;

const TIMEOUT_MS = 5000;
const NOT_FOUND = 404;
const END_OF_BATCH = 204;

/** `inbox`: a prefix of the caller's own replies. A page that does not end in time rejects with OutcomeUnknown. */
export function createStreamReader(nc: NatsConnection, inbox: string): StreamReader {
  let asked = 0;
  return (request) => {
    asked += 1;
    const reply = `${inbox}.page.${asked}`;
    const what = `a page of ${request.stream}`;
    return new Promise((resolve, reject) => {
      const messages: StoredMessage[] = [];
      const end = (settle: () => void): void => {
        clearTimeout(late);
        sub.unsubscribe();
        settle();
      };
      const late = setTimeout(
        () => end(() => reject(new OutcomeUnknown(`${what}: no end within ${TIMEOUT_MS} ms`))),
        TIMEOUT_MS,
      );
      const sub = nc.subscribe(reply, {
        callback: (error, m) => {
          const code = m.headers?.code ?? 0;
          if (error !== null) end(() => reject(error));
          else if (code === 0) messages.push(toStored(m));
          else if (code === NOT_FOUND) end(() => resolve({ messages, more: false }));
          else if (code === END_OF_BATCH) end(() => resolve({ messages, more: pendingOf(m) > 0 }));
          else end(() => reject(new OutcomeUnknown(`${what}: refused (${code})`)));
        },
      });
      nc.publish(`$JS.API.DIRECT.GET.${request.stream}`, askOf(request), { reply });
    });
  };
}

function askOf({ filter, start, limit, maxBytes }: PageRequest): string {
  const begin =
    "from" in start ? { seq: start.from } : { start_time: new Date(start.since).toISOString() };
  return JSON.stringify({ ...begin, next_by_subj: filter, batch: limit, max_bytes: maxBytes });
}

function pendingOf(m: Msg): number {
  return Number(m.headers?.get("Nats-Num-Pending") ?? 0);
}

function toStored(m: Msg): StoredMessage {
  const headers = new Map<string, string>();
  for (const key of m.headers?.keys() ?? []) headers.set(key, m.headers?.get(key) ?? "");
  return {
    subject: headers.get("Nats-Subject") ?? "",
    seq: Number(headers.get("Nats-Sequence")),
    timeMs: Date.parse(headers.get("Nats-Time-Stamp") ?? ""),
    headers,
    data: m.data,
  };
}
