import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import type { StatusView } from "../shared/control.ts";
import { AppError, describe } from "../shared/errors.ts";
import { DATA_FILES, type Settings } from "../shared/settings.ts";
import type { Names } from "../shared/subjects.ts";
import type { Clock } from "../shared/time.ts";
import { BUNDLED_SERVER_DIR } from "./entry.ts";
import type { Log } from "./log.ts";
import { defaultCacheDir } from "./nats/cache.ts";
import { connectNats, type NatsLink, pinnedTls } from "./nats/connect.ts";
import { watchDisconnects } from "./nats/disconnects.ts";
import { ensureInternalKeys, readSeed, seedFile } from "./nats/keys.ts";
import { locateNatsServer } from "./nats/locate.ts";
import { inboxPrefixOf } from "./nats/permissions.ts";
import { type NatsServer, startNatsServer } from "./nats/server.ts";
import { serverUsersOf } from "./nats/server-config.ts";
import { serverFilesOf } from "./nats/server-files.ts";
import { isAtLeast, MINIMUM_NATS_SERVER } from "./nats/version.ts";
import { followViolations, type Violation } from "./nats/violations.ts";
import { openUsers, type Users } from "./users.ts";

const JETSTREAM_ANSWER_MS = 5000;

export interface BrokerDeps {
  readonly dataDir: string;
  readonly settings: Settings;
  readonly names: Names;
  readonly osUser: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The broker as the daemon uses it: the embedded server, or an external one. */
export interface Broker {
  readonly url: string;
  readonly seed: Uint8Array;
  readonly inboxPrefix: string;
  readonly workerSeedFile: string;
  readonly users: Users;
  connect(name: string): Promise<NatsLink>;
  /** Tells the ends of connections; does nothing on an external server, whose system account is not ours. */
  watchDisconnects(onDisconnect: (clientName: string) => void): Promise<{ stop(): Promise<void> }>;
  describe(): Promise<StatusView["nats"]>;
  /** The reason why nothing can be stored now; null while it can. Always null for an external server. */
  storageFailure(): AppError | null;
  /** Hears when the server cannot write any more. */
  onStorageFailure(listener: () => void): void;
  /** Tells what the server refused to a login by itself; does nothing on an external server, whose log is not ours. */
  followViolations(onViolation: (violation: Violation) => void): Promise<{ stop(): Promise<void> }>;
  /** Sentences about what is wrong with it now. */
  troubles(): readonly string[];
  stop(): Promise<void>;
}

/** Starts the embedded server, or finds the external one; opens the users and puts them in force. */
export async function startBroker(deps: BrokerDeps): Promise<Broker> {
  const { dataDir, settings, names, log, clock } = deps;
  const keysDir = join(dataDir, DATA_FILES.keys);
  const keys = await ensureInternalKeys(keysDir);
  const users = await openUsers({
    dataDir,
    clock,
    osUser: deps.osUser,
    reservedKeys: Object.values(keys).map((key) => key.publicKey),
  });
  if (settings.nats.url !== undefined) return externalBroker(deps, users, settings.nats.url);
  let storageFailed: () => void = () => {};
  const server = await startNatsServer({
    dataDir,
    settings: settings.nats,
    locate: async () =>
      locateNatsServer({
        bundledDir: BUNDLED_SERVER_DIR,
        cacheDir: await defaultCacheDir(),
        allowDownload: true,
        log: (event, data) => log.info(event, { ...data }),
        ...(settings.nats.serverPath === undefined ? {} : { serverPath: settings.nats.serverPath }),
      }),
    users: serverUsersOf(keys, users.list(), names),
    sysSeed: keys.sys.seed,
    clock,
    log: log.child({ service: "nats-server" }),
    onStorageFailure: () => storageFailed(),
  });
  users.onChange((people) => server.reload(serverUsersOf(keys, people, names)));
  const tls = settings.nats.tlsCert === undefined ? {} : { tls: pinnedTls(settings.nats.tlsCert) };
  return {
    url: server.url,
    seed: keys.daemon.seed,
    inboxPrefix: inboxPrefixOf("daemon"),
    workerSeedFile: seedFile(keysDir, "worker"),
    users,
    connect: (name) =>
      connectNats({
        servers: server.url,
        seed: keys.daemon.seed,
        name,
        inboxPrefix: inboxPrefixOf("daemon"),
        log,
        ...tls,
      }),
    watchDisconnects: (onDisconnect) =>
      watchDisconnects({
        servers: server.url,
        sysSeed: keys.sys.seed,
        onDisconnect,
        waitOnFirstConnect: true,
        log,
        ...tls,
      }),
    describe: async () => ({
      url: server.url,
      version: server.version,
      embedded: true,
      pid: await server.pid(),
    }),
    storageFailure: () => diskFull(server, dataDir),
    onStorageFailure(listener) {
      storageFailed = listener;
    },
    followViolations: (onViolation) =>
      followViolations({ file: serverFilesOf(dataDir).log, onViolation, log }),
    troubles: () => troublesOf(server, dataDir),
    stop: () => server.stop(),
  };
}

function diskFull(server: NatsServer, dataDir: string): AppError | null {
  const why = server.storageFailure();
  return why === null
    ? null
    : new AppError("disk-full", { what: `the broker's messages (${why})`, where: dataDir });
}

function troublesOf(server: NatsServer, dataDir: string): string[] {
  const state = server.state();
  const full = diskFull(server, dataDir);
  if (full !== null) return [`disk-full: ${full.message}`];
  if (state.kind === "running") return [];
  const why = "why" in state ? `: ${state.why}` : "";
  return [`nats-server is ${state.kind}${why}`];
}

async function externalBroker(deps: BrokerDeps, users: Users, url: string): Promise<Broker> {
  const { settings, log } = deps;
  const file = settings.nats.credsFile;
  if (file === undefined)
    throw new AppError("bad-settings", {
      what: "An external server (nats.url) needs the daemon's seed file.",
      where: "nats.credsFile",
    });
  const key = await readSeed(file, "daemon");
  const servers = url.split(",");
  const { tlsCert } = settings.nats;
  if (tlsCert !== undefined) refuseUnreadable("nats.tlsCert", tlsCert);
  const tls = tlsCert === undefined ? {} : { tls: pinnedTls(tlsCert) };
  let version = "";
  return {
    url,
    seed: key.seed,
    inboxPrefix: inboxPrefixOf("daemon"),
    workerSeedFile: file,
    users,
    async connect(name) {
      const link = await connectNats({
        servers,
        seed: key.seed,
        name,
        inboxPrefix: inboxPrefixOf("daemon"),
        log,
        ...tls,
      }).catch((error: unknown) => {
        throw inDaemonsWords(error, url, key.publicKey);
      });
      version = link.nc.info?.version ?? "";
      if (!isAtLeast(version, MINIMUM_NATS_SERVER)) {
        await link.drain();
        throw new AppError("nats-server-too-old", {
          found: version,
          where: url,
          needed: MINIMUM_NATS_SERVER,
        });
      }
      await refuseNoJetStream(link, url);
      return link;
    },
    watchDisconnects: async () => ({ stop: async () => {} }),
    describe: async () => ({ url, version, embedded: false, pid: null }),
    storageFailure: () => null,
    onStorageFailure: () => {},
    followViolations: async () => ({ stop: async () => {} }),
    troubles: () => [],
    stop: async () => {},
  };
}

/** An external server is the setting's affair, where a client would be told to start the daemon. */
function inDaemonsWords(error: unknown, url: string, publicKey: string): unknown {
  if (!(error instanceof AppError)) return error;
  const { what } = error.details;
  if (error.code === "connection-refused")
    return new AppError("external-server-unreachable", { url, what }, error);
  if (error.code === "credentials-refused")
    return new AppError("external-server-refused", { url, publicKey }, error);
  return error;
}

async function refuseNoJetStream(link: NatsLink, url: string): Promise<void> {
  try {
    const answer = await link.nc.request("$JS.API.INFO", "", { timeout: JETSTREAM_ANSWER_MS });
    const { error } = answer.json<{ readonly error?: { readonly description?: string } }>();
    if (error !== undefined) throw new Error(error.description ?? "no reason given");
  } catch (error) {
    await link.drain();
    throw new AppError("jetstream-missing", { url }, error);
  }
}

/** Throws `bad-settings` naming the setting and its file. */
function refuseUnreadable(where: string, file: string): void {
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    throw new AppError(
      "bad-settings",
      { what: `${file} cannot be read: ${describe(error)}.`, where },
      error,
    );
  }
}
