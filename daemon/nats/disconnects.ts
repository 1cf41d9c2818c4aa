import * as z from "zod";
import { describe } from "../../shared/errors.ts";
import { type Log, noLog } from "../log.ts";
import { type ConnectOptions, connectNats } from "./connect.ts";
import { inboxPrefixOf } from "./permissions.ts";

/** The end of a connection as the server reports it to its system account. */
const disconnectEvent = z.object({
  client: z.object({ name: z.string().default("") }),
  reason: z.string().default(""),
});

/** What the watch needs. `onDisconnect` gets the name that the connection gave itself, e.g. `worker:w1`. */
export interface DisconnectWatch
  extends Pick<ConnectOptions, "servers" | "tls" | "waitOnFirstConnect"> {
  readonly sysSeed: Uint8Array;
  readonly onDisconnect: (clientName: string, reason: string) => void;
  readonly log?: Log;
}

/**
 * Tells at once when any connection to the broker ends, as only the system account sees it. Events that happen while
 * this watch is itself disconnected are missed, so missed heartbeats must be watched as well.
 */
export async function watchDisconnects(
  watch: DisconnectWatch,
): Promise<{ readonly name: string; stop(): Promise<void> }> {
  const { log = noLog } = watch;
  const link = await connectNats({
    servers: watch.servers,
    seed: watch.sysSeed,
    name: "disconnect-watch",
    inboxPrefix: inboxPrefixOf("sys"),
    log,
    ...(watch.tls === undefined ? {} : { tls: watch.tls }),
    ...(watch.waitOnFirstConnect === undefined
      ? {}
      : { waitOnFirstConnect: watch.waitOnFirstConnect }),
  });
  link.nc.subscribe("$SYS.ACCOUNT.*.DISCONNECT", {
    callback: (error, message) => {
      try {
        if (error !== null) throw error;
        const { client, reason } = disconnectEvent.parse(message.json());
        if (client.name !== "") watch.onDisconnect(client.name, reason);
      } catch (failure) {
        log.error("disconnect event not handled", { why: describe(failure) });
      }
    },
  });
  // Without this an end that comes right after the start would be missed.
  await link.nc.flush();
  return { name: "disconnect-watch", stop: () => link.drain() };
}
