import type { NatsLink } from "../nats/connect.ts";
import { liveLease } from "./find-daemon.ts";

const LOOK_EVERY_MS = 250;

/**
 * Keeps a connection with the daemon of a data directory, also when that daemon starts anew and its server gets another
 * port: while the connection is down the lease is read, and a new address in it becomes the one to reconnect to.
 */
export function followDaemon(link: NatsLink, dataDir: string, url: string): void {
  let known = url;
  let looking: NodeJS.Timeout | undefined;
  const look = (): void => {
    const lease = liveLease(dataDir, Date.now());
    if (lease === null || lease.state === "stopping" || lease.natsUrl === known) return;
    known = lease.natsUrl;
    link.nc.setServers(known.split(","));
  };
  link.onState(({ kind }) => {
    clearInterval(looking);
    if (kind === "reconnecting") looking = setInterval(look, LOOK_EVERY_MS);
  });
}
