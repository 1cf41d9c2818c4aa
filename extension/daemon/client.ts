import type { NatsConnection, Status } from "@nats-io/transport-node";
import { type Client, createClient } from "../../shared/bus/client.ts";
import { AppError, describe } from "../../shared/errors.ts";
import { inboxPrefixOf } from "../../shared/login.ts";
import { createNames } from "../../shared/subjects.ts";
import type { Login } from "./login.ts";

/** Where a daemon is, and who logs in. */
export interface Target extends Login {
  /** One address or several with commas between. */
  readonly url: string;
  readonly prefix: string;
  /** What messages name as its place: a data directory or an address. */
  readonly where: string;
  /** PEM file of the certificate that alone is accepted; absent: those that the machine trusts. */
  readonly tlsCertificate?: string | undefined;
}

/** One connection to the broker with a client on it; it reconnects by itself until it is closed. */
export interface Link {
  readonly client: Client;
  readonly url: string;
  /** Resolves when it is closed for good, with the error that ended it. */
  readonly ended: Promise<Error | null>;
  /** Calls back for each status of the library, in order, until the end. */
  onStatus(listener: (status: Status) => void): void;
  /** The next attempt goes to these addresses. */
  redirect(url: string): void;
  /** Round trip to the broker in milliseconds. */
  rtt(): Promise<number>;
  hasJetStream(): boolean;
  close(): Promise<void>;
}

/** Opens a link; `delayMs` says how long to wait before each attempt to reconnect. */
export type OpenLink = (target: Target, delayMs: () => number) => Promise<Link>;

const CONNECT_TIMEOUT_MS = 5000;
const PING_INTERVAL_MS = 5000;
const DRAIN_LIMIT_MS = 3000;

/**
 * Logs in at the broker with an nkey. The library is loaded here, at the first call.
 * Throws `connection-refused` or `credentials-refused`, with the library's error as cause.
 */
export const openLink: OpenLink = async (target, delayMs) => {
  const { connect, nkeyAuthenticator } = await import("@nats-io/transport-node");
  try {
    const nc = await connect({
      servers: target.url.split(","),
      authenticator: nkeyAuthenticator(new TextEncoder().encode(target.seed)),
      name: "vscode",
      inboxPrefix: inboxPrefixOf(target.user),
      timeout: CONNECT_TIMEOUT_MS,
      maxReconnectAttempts: -1,
      reconnectDelayHandler: delayMs,
      pingInterval: PING_INTERVAL_MS,
      maxPingOut: 2,
      ...(await tlsOf(target)),
    });
    return toLink(nc, target);
  } catch (error) {
    throw toConnectError(error, target);
  }
};

async function tlsOf({ tlsCertificate }: Target): Promise<{ tls?: object }> {
  if (!tlsCertificate) return {};
  const { pinnedTls } = await import("./tls-pin.ts");
  return { tls: pinnedTls(tlsCertificate) };
}

function toLink(nc: NatsConnection, target: Target): Link {
  const { user, where } = target;
  return {
    client: createClient({ nc, user, names: createNames(target.prefix), where }),
    url: nc.getServer(),
    ended: nc
      .closed()
      .then((error) => (error instanceof Error ? toConnectError(error, target) : null)),
    onStatus(listener) {
      const follow = async (): Promise<void> => {
        for await (const status of nc.status()) listener(status);
      };
      // Ignored: the statuses end with the connection, which `ended` tells.
      follow().catch(() => {});
    },
    redirect: (url) => nc.setServers(url.split(",")),
    rtt: () => nc.rtt(),
    hasJetStream: () => nc.info?.jetstream === true,
    close: () => close(nc),
  };
}

/** Sends what waits, within 3 s; a connection that is down is closed at once. */
async function close(nc: NatsConnection): Promise<void> {
  if (nc.isClosed()) return;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, DRAIN_LIMIT_MS);
  });
  // Ignored: a connection that is down has nothing to drain; it is closed below.
  const drained = nc.drain().catch(() => {});
  await Promise.race([drained, limit]);
  clearTimeout(timer);
  if (!nc.isClosed()) await nc.close();
}

function toConnectError(error: unknown, { user, url: plain }: Target): AppError {
  if (error instanceof AppError) return error;
  const url = plain.replace(/:\/\/[^/@\s]+@/g, "://");
  const refused = [error, error instanceof Error ? error.cause : undefined].some(
    (e) =>
      e instanceof Error &&
      (e.name === "AuthorizationError" || e.name === "UserAuthenticationExpiredError"),
  );
  return refused
    ? new AppError("credentials-refused", { user, url }, error)
    : new AppError("connection-refused", { url, what: describe(error) }, error);
}
