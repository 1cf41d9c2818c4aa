import type { NatsConnection } from "@nats-io/transport-node";
import type { KeptEvent } from "../../shared/control.ts";
import type { Names } from "../../shared/subjects.ts";
import type { StreamReader } from "../nats/read-stream.ts";
import type { StoredMessage } from "../nats/wire.ts";
import type { Handlers } from "./call.ts";

/** An answer must fit into one message of the broker, escaped as it is inside JSON. */
const SHARE_OF_PAYLOAD = 8;
const MAX_PAGE_BYTES = 512 * 1024;

const decoder = new TextDecoder();

/** The verb that reads back what the streams of events and journals keep: the same that a login may hear as it happens. */
export function eventHandlers(deps: {
  readonly nc: Pick<NatsConnection, "info">;
  readonly names: Names;
  readonly readPage: StreamReader;
}): Pick<Handlers, "events"> {
  const { stream } = deps.names;
  return {
    async events({ of, subject, from, since, limit }) {
      const maxPayload = deps.nc.info?.max_payload ?? Number.POSITIVE_INFINITY;
      const maxBytes = Math.min(MAX_PAGE_BYTES, Math.floor(maxPayload / SHARE_OF_PAYLOAD));
      const { messages, more } = await deps.readPage({
        stream: of === "tasks" ? stream.state : stream.events,
        filter: subject,
        start: since === undefined ? { from: from ?? 1 } : { since },
        limit,
        maxBytes,
      });
      return { events: messages.map((message) => toKept(message, maxBytes)), more };
    },
  };
}

function toKept({ seq, timeMs, subject, data }: StoredMessage, maxBytes: number): KeptEvent {
  const at = new Date(timeMs).toISOString();
  return { seq, at, subject, data: data.length > maxBytes ? null : decoder.decode(data) };
}
