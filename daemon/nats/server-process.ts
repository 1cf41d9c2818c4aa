import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../../shared/errors.ts";
import type { Settings } from "../../shared/settings.ts";
import type { Clock } from "../../shared/time.ts";
import {
  type ChildState,
  type RestartPolicy,
  type SupervisedChild,
  superviseChild,
} from "../lifecycle/supervise.ts";
import type { Log } from "../log.ts";
import { connectNats, pinnedTls } from "./connect.ts";
import { stopOrphan } from "./orphan.ts";
import { inboxPrefixOf } from "./permissions.ts";
import type { ServerConfigFile } from "./server-config-file.ts";
import { serverFailed, whyNotStarted } from "./server-failure.ts";
import {
  clearRunDir,
  logSize,
  readPorts,
  type ServerFiles,
  type ServerPorts,
} from "./server-files.ts";
import { canSetpriv, type GuardedCommand, guardedCommand } from "./server-guard.ts";
import { natsUrl, readGreeting, type ServerGreeting } from "./server-info.ts";
import { isAtLeast, MINIMUM_NATS_SERVER } from "./version.ts";

/** Recovering a large store comes before the first greeting. */
const READY_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 10;
const ANSWER_TIMEOUT_MS = 5000;

/** What running the server's process needs. */
export interface ServerProcessDeps {
  readonly settings: Settings["nats"];
  readonly files: ServerFiles;
  readonly installId: string;
  readonly program: string;
  readonly config: ServerConfigFile;
  readonly sysSeed: Uint8Array;
  readonly clock: Clock;
  readonly log: Log;
  readonly policy?: RestartPolicy;
  readonly onState?: (state: ChildState) => void;
}

/** The process under supervision, and what it told of itself. */
export interface ServerProcess {
  readonly child: SupervisedChild;
  /** The client port stays; that of monitoring is another after a restart. */
  ports(): ServerPorts;
  readonly version: string;
  /** Makes the running server read its configuration again; resolves when it has. Throws `nats-server-failed`. */
  reload(): Promise<void>;
}

/** Starts the process and supervises it. Throws what `startNatsServer` says. */
export async function startServerProcess(deps: ServerProcessDeps): Promise<ServerProcess> {
  const { settings, files, config, program, clock, log } = deps;
  const guard = guardedCommand(program, ["-c", files.config], {
    platform: process.platform,
    hasSetpriv: await canSetpriv(),
  });
  let found: { ports: ServerPorts; greeting: ServerGreeting } | null = null;
  const logFromByte = await logSize(files);
  const child = await superviseChild({
    name: "nats-server",
    // Also before a restart: the guard may have ended without the server.
    spawn: async () => {
      await stopOrphan({ files, host: settings.host, installId: deps.installId, log });
      await clearRunDir(files);
      await config.write();
      return spawnServer(guard, files);
    },
    ready: async (_, signal) => {
      const ports = await whenListening(deps, signal);
      const greeting = await checkIdentity(deps, ports);
      if (found === null) await config.keepPort(ports.client);
      found = { ports, greeting };
    },
    clock,
    log,
    ...(deps.policy === undefined ? {} : { policy: deps.policy }),
    ...(deps.onState === undefined ? {} : { onState: deps.onState }),
  }).catch(async (error: unknown) => {
    throw await whyNotStarted(settings, files, logFromByte, error);
  });
  const known = (): { ports: ServerPorts; greeting: ServerGreeting } => found!;
  return {
    child,
    ports: () => known().ports,
    version: known().greeting.version,
    reload: () => askReload(deps, known().ports, known().greeting),
  };
}

/** What it prints goes to a file and never into a pipe: a pipe without a reader would block or kill it. */
function spawnServer(guard: GuardedCommand, files: ServerFiles): ChildProcess {
  const output = openSync(files.output, "w", 0o600);
  try {
    return spawn(guard.command, guard.args, {
      cwd: files.dir,
      // A third less memory with a long backlog, for 2 % more time in its collector.
      env: { GOGC: "75", ...process.env },
      stdio: [guard.stdin, output, output],
      detached: guard.detached,
      windowsHide: true,
    });
  } finally {
    closeSync(output);
  }
}

async function whenListening(deps: ServerProcessDeps, signal: AbortSignal): Promise<ServerPorts> {
  const endMs = deps.clock.monotonic() + READY_TIMEOUT_MS;
  while (!signal.aborted) {
    const ports = await readPorts(deps.files);
    if (ports !== null) return ports;
    if (deps.clock.monotonic() > endMs)
      throw serverFailed(deps.files, `it did not answer within ${READY_TIMEOUT_MS} ms`);
    await sleep(READY_POLL_MS);
  }
  throw serverFailed(deps.files, "it ended");
}

/** What answers must be our server, new enough, and know our keys. */
async function checkIdentity(deps: ServerProcessDeps, ports: ServerPorts): Promise<ServerGreeting> {
  const where = natsUrl(deps.settings.host, ports.client);
  const greeting = await readGreeting(deps.settings.host, ports.client, ANSWER_TIMEOUT_MS);
  if (greeting.serverName !== deps.installId)
    throw serverFailed(deps.files, `another server answers at ${where}`);
  if (!isAtLeast(greeting.version, MINIMUM_NATS_SERVER))
    throw new AppError("nats-server-too-old", {
      found: greeting.version,
      where,
      needed: MINIMUM_NATS_SERVER,
    });
  await asSysUser(deps, ports, async () => {});
  return greeting;
}

/** By request and not by signal: the answer says when it is done and whether it worked, and Windows has no such signal. */
async function askReload(
  deps: ServerProcessDeps,
  ports: ServerPorts,
  { serverId }: ServerGreeting,
): Promise<void> {
  await asSysUser(deps, ports, async (request) => {
    const { error } = (await request(`$SYS.REQ.SERVER.${serverId}.RELOAD`)) as {
      error?: { description?: string };
    };
    if (error === undefined) return;
    const why = error.description ?? "no reason given";
    throw serverFailed(deps.files, `it refused to reload (${why})`);
  });
}

/** Logs in as the user of the system account for as long as `act` takes. */
async function asSysUser(
  deps: ServerProcessDeps,
  ports: ServerPorts,
  act: (request: (subject: string) => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const { tlsCert, host } = deps.settings;
  const link = await connectNats({
    servers: natsUrl(host, ports.client),
    seed: deps.sysSeed,
    name: "server-control",
    inboxPrefix: inboxPrefixOf("sys"),
    ...(tlsCert === undefined ? {} : { tls: pinnedTls(tlsCert) }),
  });
  try {
    await act(async (subject) => {
      const reply = await link.nc.request(subject, "", { timeout: ANSWER_TIMEOUT_MS });
      return reply.json();
    });
  } finally {
    await link.nc.close();
  }
}
