import { describe } from "../../shared/errors.ts";
import type { Names } from "../../shared/subjects.ts";
import type { Log } from "../log.ts";
import type { Wire } from "../nats/wire.ts";

export interface EventFollower {
  stop(): Promise<void>;
}

const ACK_WAIT_NS = 10_000_000_000;
const RETRY_DELAY_NS = 1_000_000_000;
const CHECK_MS = 2000;
const SILENT_MS = 7000;

/**
 * Hands each event of the events stream that matches `filter` to `handle`, in order of arrival, at least once: it is
 * acknowledged when `handle` has succeeded, so what a crash interrupts comes again.
 */
export async function followEvents(deps: {
  wire: Wire;
  names: Names;
  durable: string;
  filter: string;
  inbox: string;
  log: Log;
  handle(subject: string, data: unknown): Promise<void>;
}): Promise<EventFollower> {
  const { wire, names, durable } = deps;
  const { nc } = wire;
  const stream = names.stream.events;
  const deliver = `${deps.inbox}.events.${durable}`;
  let lastHeard = performance.now();
  let busy: Promise<void> = Promise.resolve();
  const sub = nc.subscribe(deliver, {
    callback: (_err, m) => {
      lastHeard = performance.now();
      if (m.subject === deliver) return;
      busy = busy.then(async () => {
        try {
          await deps.handle(m.subject, m.json());
          m.respond("+ACK");
        } catch (error) {
          deps.log.warn("event not handled", { subject: m.subject, error: describe(error) });
          m.respond(`-NAK {"delay":${RETRY_DELAY_NS}}`);
        }
      });
    },
  });
  const open = async (): Promise<void> => {
    await wire.api(`$JS.API.CONSUMER.CREATE.${stream}.${durable}.${deps.filter}`, {
      stream_name: stream,
      config: {
        durable_name: durable,
        filter_subject: deps.filter,
        deliver_subject: deliver,
        ack_policy: "explicit",
        ack_wait: ACK_WAIT_NS,
        max_deliver: -1,
        max_ack_pending: 100,
        idle_heartbeat: 2_000_000_000,
      },
    });
    lastHeard = performance.now();
  };
  await open();
  const watch = setInterval(() => {
    if (performance.now() - lastHeard < SILENT_MS) return;
    lastHeard = performance.now();
    open().catch((error: unknown) =>
      deps.log.warn("events not followed", { durable, error: describe(error) }),
    );
  }, CHECK_MS);
  return {
    async stop() {
      clearInterval(watch);
      sub.unsubscribe();
      await busy;
    },
  };
}
