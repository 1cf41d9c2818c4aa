import type { NatsConnection } from "@nats-io/transport-node";
import { type Client, createClient } from "../../shared/bus/client.ts";
import { AppError } from "../../shared/errors.ts";
import { createNames } from "../../shared/subjects.ts";
import {
  connectNats,
  type NatsLink,
  type ConnectOptions as NatsOptions,
  pinnedTls,
} from "../nats/connect.ts";
import { readSeed } from "../nats/keys.ts";
import { inboxPrefixOf } from "../nats/permissions.ts";
import { dataDirOf } from "./data-dir.ts";
import { chooseLogin, findDaemon } from "./find-daemon.ts";
import { followDaemon } from "./follow-daemon.ts";

/** Where the daemon is and who asks; everything may be absent on the machine of the data directory. */
export interface ConnectOptions {
  /** Default: `MSGSYS_DATA`, else the data directory of this user. */
  readonly dataDir?: string | undefined;
  /** Address of the NATS server, for a daemon on another machine; default: what the daemon of `dataDir` says. */
  readonly url?: string | undefined;
  /** Default: `MSGSYS_USER`, the name of the seed file, or the owner of the data directory. */
  readonly user?: string | undefined;
  /** Seed file (nkey); default: `MSGSYS_CREDS`, or the one in the data directory. */
  readonly creds?: string | undefined;
  /** Prefix of the subjects, with `url` only; default `ms`. */
  readonly prefix?: string | undefined;
  /** The server's certificate, when the connection is encrypted with one that no authority signed. */
  readonly tlsCert?: string | undefined;
  /** What the server shows of this connection. */
  readonly name?: string | undefined;
}

/** A client with a connection of its own. */
export interface ConnectedClient extends Client {
  readonly nc: NatsConnection;
  /** Sends what waits and closes the connection, within 3 s. */
  close(): Promise<void>;
}

/**
 * Connects to the daemon. Throws `daemon-not-running`, `daemon-version-mismatch`, `connection-refused`,
 * `credentials-refused`, `credentials-unreadable`.
 */
export async function connect(options: ConnectOptions = {}): Promise<ConnectedClient> {
  const { env } = process;
  const dataDir = dataDirOf(options.dataDir, env);
  const place =
    options.url === undefined
      ? placeOf(dataDir)
      : {
          url: options.url,
          prefix: options.prefix ?? "ms",
          where: options.url,
          tlsCert: undefined,
        };
  const { user, seedPath } = chooseLogin(options, dataDir, env);
  const { seed } = await readSeed(seedPath, user);
  const tlsCert = options.tlsCert ?? env["MSGSYS_TLS_CERT"] ?? place.tlsCert;
  const link = await connectAs(user, {
    servers: place.url.split(","),
    seed,
    name: options.name ?? `client:${user}`,
    inboxPrefix: inboxPrefixOf(user),
    ...(tlsCert === undefined ? {} : { tls: pinnedTls(tlsCert) }),
  });
  if (options.url === undefined) followDaemon(link, dataDir, place.url);
  return toClient(link, user, place);
}

/** A refusal names the user, not the connection. */
async function connectAs(user: string, options: NatsOptions): Promise<NatsLink> {
  try {
    return await connectNats(options);
  } catch (error) {
    if (error instanceof AppError && error.code === "credentials-refused")
      throw new AppError("credentials-refused", { ...error.details, user }, error);
    throw error;
  }
}

interface Place {
  readonly url: string;
  readonly prefix: string;
  /** What messages name. */
  readonly where: string;
  readonly tlsCert: string | undefined;
}

function placeOf(dataDir: string): Place {
  const { natsUrl, prefix, tlsCert } = findDaemon(dataDir, Date.now());
  return { url: natsUrl, prefix, where: dataDir, tlsCert };
}

function toClient(link: NatsLink, user: string, { prefix, where }: Place): ConnectedClient {
  const names = createNames(prefix);
  return {
    ...createClient({ nc: link.nc, user, names, where }),
    nc: link.nc,
    close: () => link.drain(),
  };
}
