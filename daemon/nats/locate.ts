import { constants, existsSync } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { AppError, describe } from "../../shared/errors.ts";
import { type FoundServer, findCached, SERVER_FILE } from "./cache.ts";
import { fetchDebianPackage } from "./debian-package.ts";
import { fetchRelease } from "./release-archive.ts";
import {
  isAtLeast,
  MINIMUM_NATS_SERVER,
  natsServerVersion,
  RECOMMENDED_NATS_SERVER,
} from "./version.ts";

export { defaultCacheDir } from "./cache.ts";

/** Which way a server was found. */
type NatsServerSource = "setting" | "bundled" | "path" | "cache" | "release" | "debian";

/** A nats-server that runs on this machine and is new enough. */
export interface LocatedNatsServer extends FoundServer {
  readonly source: NatsServerSource;
}

/** Where to look, in this order, and whether fetching one is allowed. */
export interface LocateOptions {
  /** The program a person named; nothing else is tried then. */
  readonly serverPath?: string;
  /** A folder that holds the server shipped with a package; where there is none, nothing is said of it. */
  readonly bundledDir?: string;
  readonly cacheDir: string;
  readonly allowDownload: boolean;
  readonly log: (event: string, data?: object) => void;
  /** Folders searched for an installed server; default: PATH, then where Debian installs it. */
  readonly searchPath?: readonly string[];
}

/** One way to a server: resolves with it, or rejects with a sentence that says why there is none. */
interface Way {
  readonly source: NatsServerSource;
  readonly name: string;
  readonly find: () => Promise<FoundServer>;
}

/**
 * Finds a nats-server that is new enough, fetching one when there is none and `allowDownload` is set.
 * Order: setting, bundled, PATH, cache, official release, Debian's package; every step is logged.
 * Throws `nats-server-too-old` for a named one that is too old, else `nats-server-missing` with what each way said.
 */
export async function locateNatsServer(options: LocateOptions): Promise<LocatedNatsServer> {
  if (options.serverPath !== undefined) return named(options.serverPath, options.log);
  const refusals: string[] = [];
  for (const way of ways(options)) {
    try {
      const server = { ...(await way.find()), source: way.source };
      options.log("nats-server found", server);
      if (!isAtLeast(server.version, RECOMMENDED_NATS_SERVER))
        options.log("nats-server is older than recommended", {
          version: server.version,
          recommended: RECOMMENDED_NATS_SERVER,
        });
      return server;
    } catch (error) {
      options.log("nats-server not found this way", { way: way.name, why: describe(error) });
      refusals.push(`${way.name}: ${describe(error)}`);
    }
  }
  throw new AppError("nats-server-missing", { what: refusals.join(" | ") });
}

async function named(path: string, log: LocateOptions["log"]): Promise<LocatedNatsServer> {
  let version: string;
  try {
    version = await natsServerVersion(path);
  } catch (error) {
    throw new AppError(
      "nats-server-missing",
      { what: `nats.serverPath names ${describe(error)}` },
      error,
    );
  }
  if (!isAtLeast(version, MINIMUM_NATS_SERVER))
    throw new AppError("nats-server-too-old", {
      found: version,
      where: path,
      needed: MINIMUM_NATS_SERVER,
    });
  const server = { path, version, source: "setting" } as const;
  log("nats-server found", server);
  return server;
}

function ways(options: LocateOptions): Way[] {
  const { bundledDir, cacheDir, log, allowDownload } = options;
  const local: Way[] = [
    { source: "path", name: "PATH", find: () => onPath(options.searchPath ?? searchPath(), log) },
    { source: "cache", name: "cache", find: () => inCache(cacheDir) },
  ];
  if (bundledDir !== undefined && existsSync(bundledDir))
    local.unshift({ source: "bundled", name: "bundled", find: () => bundled(bundledDir) });
  const remote: Way[] = [
    { source: "release", name: "official release", find: () => fetchRelease({ cacheDir, log }) },
    {
      source: "debian",
      name: "Debian's package",
      find: () => fetchDebianPackage({ cacheDir, log }),
    },
  ];
  return allowDownload ? [...local, ...remote] : local;
}

async function bundled(directory: string): Promise<FoundServer> {
  const path = join(directory, SERVER_FILE);
  return newEnough(path, await natsServerVersion(path));
}

function newEnough(path: string, version: string): FoundServer {
  if (isAtLeast(version, MINIMUM_NATS_SERVER)) return { path, version };
  throw new Error(`${path} is ${version}, ${MINIMUM_NATS_SERVER} or newer is needed`);
}

/** Debian installs the server in a folder that is not on the PATH of ordinary users. */
function searchPath(): string[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return process.platform === "win32" ? folders : [...folders, "/usr/local/sbin", "/usr/sbin"];
}

/** The first fitting one; too old or broken ones are reported and passed over. */
async function onPath(folders: readonly string[], log: LocateOptions["log"]): Promise<FoundServer> {
  const refusals: string[] = [];
  for (const path of new Set(folders.map((folder) => join(folder, SERVER_FILE)))) {
    if (!(await isExecutable(path))) continue;
    try {
      return newEnough(path, await natsServerVersion(path));
    } catch (error) {
      log("nats-server on PATH passed over", { path, why: describe(error) });
      refusals.push(describe(error));
    }
  }
  throw new Error(refusals.length === 0 ? "none there" : refusals.join(", "));
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    // Ignored: most folders of PATH hold no nats-server.
    () => false,
  );
}

async function inCache(cacheDir: string): Promise<FoundServer> {
  const { server, rejected } = await findCached(cacheDir);
  if (server !== null) return server;
  throw new Error(
    rejected.length === 0 ? `nothing in ${join(cacheDir, "nats-server")}` : rejected.join(", "),
  );
}
