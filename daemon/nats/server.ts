import { AppError } from "../../shared/errors.ts";
import type { Settings } from "../../shared/settings.ts";
import type { Clock } from "../../shared/time.ts";
import type { ChildState, RestartPolicy } from "../lifecycle/supervise.ts";
import type { Log } from "../log.ts";
import type { LocatedNatsServer } from "./locate.ts";
import { stopOrphan } from "./orphan.ts";
import type { ServerUsers } from "./server-config.ts";
import { createServerConfigFile } from "./server-config-file.ts";
import { refuseTakenPort, refuseUnusableTls, serverFailed } from "./server-failure.ts";
import { installId, makeServerDirs, readServerPid, serverFilesOf } from "./server-files.ts";
import { natsUrl } from "./server-info.ts";
import { startServerProcess } from "./server-process.ts";
import { startStorageWatch } from "./storage-watch.ts";

/** JetStream needs some tens of milliseconds; a slow disk gets the rest. */
const STOP_GRACE_MS = 5000;

/** What the embedded server needs. */
export interface NatsServerDeps {
  /** Locked by this process: two servers on one directory would destroy its store. */
  readonly dataDir: string;
  readonly settings: Settings["nats"];
  readonly locate: () => Promise<Pick<LocatedNatsServer, "path" | "version">>;
  readonly users: ServerUsers;
  /** Of the user of the system account: it proves that the server knows our keys, and asks it to reload. */
  readonly sysSeed: Uint8Array;
  readonly clock: Clock;
  readonly log: Log;
  readonly policy?: RestartPolicy;
  readonly onState?: (state: ChildState) => void;
  /** The server cannot write its store any more; see `storageFailure`. */
  readonly onStorageFailure?: (what: string) => void;
}

/** The embedded server. It keeps its address over restarts, so that clients reconnect. */
export interface NatsServer {
  readonly name: "nats-server";
  /** How a client on this machine reaches it. */
  readonly url: string;
  readonly port: number;
  /** Of the monitoring pages, another one after a restart; null when they are off. */
  httpUrl(): string | null;
  readonly version: string;
  state(): ChildState;
  /** The server's own process id; null while it is down. */
  pid(): Promise<number | null>;
  /**
   * Puts other users in force and resolves when they are: who lost a right has lost it. Users that the server does not
   * take are not kept. While the server is down the change is in force from its restart on.
   * Throws `nats-server-failed`.
   */
  reload(users: ServerUsers): Promise<void>;
  /** What keeps it from writing its store, e.g. a full disk; null while it can write. */
  storageFailure(): string | null;
  stop(): Promise<void>;
}

/**
 * Starts the embedded server and resolves when it answers, is ours and takes our keys. It ends with this process, even
 * on kill -9, and is started again on the same port when it crashes. Must be called on the main thread.
 * Throws `nats-server-missing`, `nats-server-too-old`, `port-taken`, `bad-settings`, `nats-server-failed`.
 */
export async function startNatsServer(deps: NatsServerDeps): Promise<NatsServer> {
  const { dataDir, settings, log, sysSeed, clock, policy, onState } = deps;
  const files = serverFilesOf(dataDir);
  await makeServerDirs(dataDir, files);
  const id = await installId(dataDir);
  const config = createServerConfigFile(settings, files, id, deps.users);
  refuseUnusableTls(settings);
  const { path: program } = await deps.locate();
  // Before the port is looked at: an orphan of ours may be what holds it.
  await stopOrphan({ files, host: settings.host, installId: id, log });
  await refuseTakenPort(settings.host, settings.port);
  const server = await startServerProcess({
    settings,
    files,
    installId: id,
    program,
    config,
    sysSeed,
    clock,
    log,
    ...(policy === undefined ? {} : { policy }),
    ...(onState === undefined ? {} : { onState }),
  });
  const { child } = server;
  const port = server.ports().client;
  const isRunning = (): boolean => child.state().kind === "running";
  const httpUrl = (): string | null => {
    const { http } = server.ports();
    return http === null ? null : `http://127.0.0.1:${http}`;
  };
  const storage = startStorageWatch({
    httpUrl: () => (isRunning() ? httpUrl() : null),
    storeDir: files.storeDir,
    restart: () => child.restart(STOP_GRACE_MS),
    onFailed: (what) => deps.onStorageFailure?.(what),
    log,
  });
  return {
    name: "nats-server",
    url: natsUrl(settings.host, port),
    port,
    httpUrl,
    version: server.version,
    state: () => child.state(),
    pid: async () => (isRunning() ? readServerPid(files) : null),
    reload: serialised(async (users: ServerUsers) => {
      const former = config.users();
      await config.test(program, users);
      await config.replace(users);
      if (!isRunning()) return;
      try {
        await server.reload();
      } catch (error) {
        await config.replace(former);
        if (error instanceof AppError) throw error;
        throw serverFailed(files, "it did not answer the request to reload", error);
      }
    }),
    storageFailure: storage.failure,
    async stop() {
      await storage.stop();
      await child.stop(STOP_GRACE_MS);
    },
  };
}

/** Runs calls one after the other, each whatever became of the one before. */
function serialised<T>(act: (value: T) => Promise<void>): (value: T) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (value) => {
    const mine = last.then(() => act(value));
    // Ignored here: the caller of that act gets its failure.
    last = mine.catch(() => {});
    return mine;
  };
}
