import { readFileSync } from "node:fs";
import {
  checkServerIdentity,
  type PeerCertificate,
  type ConnectionOptions as TlsConnection,
} from "node:tls";
import {
  connect,
  errors,
  type NatsConnection,
  nkeyAuthenticator,
  type Status,
  type TlsOptions,
} from "@nats-io/transport-node";
import { AppError, describe } from "../../shared/errors.ts";
import { type Log, noLog } from "../log.ts";

const CONNECT_TIMEOUT_MS = 5000;
const RECONNECT_WAIT_MS = 100;
const RECONNECT_JITTER_MS = 150;
const PING_INTERVAL_MS = 5000;
const DRAIN_LIMIT_MS = 3000;

/** Where a connection stands. It reconnects by itself until it is closed. */
export type ConnectionState =
  | { readonly kind: "connected"; readonly server: string }
  | { readonly kind: "reconnecting"; readonly why: string }
  | { readonly kind: "closed"; readonly error: AppError | null };

/** A connection to the broker that keeps itself up. */
export interface NatsLink {
  readonly nc: NatsConnection;
  state(): ConnectionState;
  /** Calls `listener` at each change until the returned function is called. */
  onState(listener: (state: ConnectionState) => void): () => void;
  /** Sends what waits, lets subscriptions finish and closes; after `limitMs` (3 s) it closes anyway. */
  drain(limitMs?: number): Promise<void>;
}

/** How to reach the broker, and as whom. */
export interface ConnectOptions {
  /** One address or several, e.g. `nats://127.0.0.1:4222`. */
  readonly servers: string | readonly string[];
  readonly seed: Uint8Array;
  /** What the broker shows of this connection, e.g. `worker:w1`. */
  readonly name: string;
  /** The user's own: see `inboxPrefixOf`. */
  readonly inboxPrefix: string;
  /** Keep trying when nothing answers the first time; default: fail. */
  readonly waitOnFirstConnect?: boolean;
  readonly tls?: TlsOptions;
  readonly timeoutMs?: number;
  readonly noEcho?: boolean;
  readonly log?: Log;
}

/**
 * Connects with an nkey. Lost connections come back without end, 100–250 ms apart; a peer that falls silent is noticed
 * after 10–15 s. Throws `connection-refused`, `tls-failed` or `credentials-refused`; the last also ends a running
 * connection, because repeating refused credentials helps nobody.
 */
export async function connectNats(options: ConnectOptions): Promise<NatsLink> {
  const servers = typeof options.servers === "string" ? [options.servers] : [...options.servers];
  try {
    const nc = await connect({
      servers,
      authenticator: nkeyAuthenticator(options.seed),
      name: options.name,
      inboxPrefix: options.inboxPrefix,
      timeout: options.timeoutMs ?? CONNECT_TIMEOUT_MS,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_WAIT_MS,
      reconnectJitter: RECONNECT_JITTER_MS,
      reconnectJitterTLS: RECONNECT_JITTER_MS,
      pingInterval: PING_INTERVAL_MS,
      maxPingOut: 2,
      waitOnFirstConnect: options.waitOnFirstConnect ?? false,
      noEcho: options.noEcho ?? false,
      ...tlsOf(options.tls, servers),
    });
    return watchLink(nc, options, servers);
  } catch (error) {
    throw toConnectError(error, servers, options.name);
  }
}

/** The library connects in plain text to a server without TLS, even for an address with `tls://`, unless it is told. */
function tlsOf(tls: TlsOptions | undefined, servers: readonly string[]): { tls?: TlsOptions } {
  if (tls !== undefined) return { tls };
  return servers.some((server) => server.startsWith("tls://")) ? { tls: {} } : {};
}

function watchLink(nc: NatsConnection, options: ConnectOptions, servers: string[]): NatsLink {
  const { log = noLog, name } = options;
  const listeners = new Set<(state: ConnectionState) => void>();
  let state: ConnectionState = { kind: "connected", server: nc.getServer() };
  const become = (next: ConnectionState): void => {
    state = next;
    log.info(`connection ${next.kind}`, { connection: name, ...withoutKind(next) });
    for (const listener of listeners) listener(next);
  };
  const follow = async (): Promise<void> => {
    for await (const status of nc.status()) {
      if (status.type === "error") log.warn("broker error", { why: describe(status.error) });
      const next = stateAfter(status, nc);
      if (next !== null && !(next.kind === "reconnecting" && state.kind === "reconnecting"))
        become(next);
    }
  };
  follow().catch((error: unknown) => log.error("status not followed", { why: describe(error) }));
  void nc.closed().then((error) => {
    const why = error instanceof Error ? toConnectError(error, servers, name) : null;
    become({ kind: "closed", error: why });
  });
  return {
    nc,
    state: () => state,
    onState(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    drain: (limitMs = DRAIN_LIMIT_MS) => drain(nc, limitMs),
  };
}

/** The state that a status tells, or null when it changes nothing. */
function stateAfter(status: Status, nc: NatsConnection): ConnectionState | null {
  if (status.type === "reconnect") return { kind: "connected", server: nc.getServer() };
  if (status.type === "disconnect") return { kind: "reconnecting", why: "disconnected" };
  if (status.type === "staleConnection") return { kind: "reconnecting", why: "no answer to pings" };
  return null;
}

function withoutKind({ kind: _, ...rest }: ConnectionState): object {
  return rest;
}

async function drain(nc: NatsConnection, limitMs: number): Promise<void> {
  if (nc.isClosed()) return;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  // Ignored: a connection that is down has nothing to drain; it is closed below.
  const drained = nc.drain().catch(() => {});
  await Promise.race([drained, limit]);
  clearTimeout(timer);
  if (!nc.isClosed()) await nc.close();
}

/** A failure to connect in our words. */
function toConnectError(error: unknown, servers: readonly string[], user: string): AppError {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const refused = [error, cause].some(
    (e) =>
      e instanceof errors.AuthorizationError || e instanceof errors.UserAuthenticationExpiredError,
  );
  const url = servers.join(",").replace(/:\/\/[^/@\s]+@/g, "://");
  if (refused) return new AppError("credentials-refused", { user, url }, error);
  const what = describe(error);
  return new AppError(
    isAboutTls(error) ? "tls-failed" : "connection-refused",
    { url, what },
    error,
  );
}

/** OpenSSL, Node and the library name no common class for a certificate or a peer that does not fit. */
function isAboutTls(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return /\b(tls|ssl|certificate)\b|_CERT|CERT_|^ERR_(TLS|SSL)/i.test(
    `${String(code)} ${describe(error)}`,
  );
}

/**
 * TLS for whoever knows the server's certificate file: that certificate is accepted whatever host name it is for, because
 * on the server's own machine the address is often another than the one it was issued for; a certificate that the file's
 * authority signed is accepted for its own names.
 */
export function pinnedTls(certFile: string): TlsOptions {
  const pem = readFileSync(certFile, "utf8");
  const own = pem
    .slice(
      pem.indexOf("-----BEGIN CERTIFICATE-----") + 27,
      pem.indexOf("-----END CERTIFICATE-----"),
    )
    .replace(/\s/g, "");
  const options: TlsOptions & TlsConnection = {
    ca: pem,
    allowPartialTrustChain: true,
    checkServerIdentity: (host: string, cert: PeerCertificate) =>
      cert.raw.toString("base64") === own ? undefined : checkServerIdentity(host, cert),
  };
  return options;
}
