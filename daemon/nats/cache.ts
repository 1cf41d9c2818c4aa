import { constants, existsSync } from "node:fs";
import { access, chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import {
  compareServerVersions,
  isAtLeast,
  MINIMUM_NATS_SERVER,
  natsServerVersion,
  parseServerVersion,
} from "./version.ts";

/** The name of the program's file on this machine. */
export const SERVER_FILE = process.platform === "win32" ? "nats-server.exe" : "nats-server";

/** A fitting server and its version, e.g. `2.15.1`. */
export interface FoundServer {
  readonly path: string;
  readonly version: string;
}

/**
 * Where fetched programs are kept, the same place for set-up, daemon and tests:
 * `MSGSYS_CACHE`, else `.cache` of the checkout that this code runs from (so a checkout removed leaves nothing behind),
 * else the user's own cache directory.
 */
export async function defaultCacheDir(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  if (env["MSGSYS_CACHE"]) return env["MSGSYS_CACHE"];
  const checkout = checkoutRoot();
  if (checkout !== null) {
    const inCheckout = join(checkout, ".cache");
    if (existsSync(join(inCheckout, "nats-server")) || (await isWritable(checkout)))
      return inCheckout;
  }
  return userCacheDir(env);
}

/** The per-user cache directory of an installed msg_sys. */
function userCacheDir(env: NodeJS.ProcessEnv): string {
  if (env["XDG_CACHE_HOME"]) return join(env["XDG_CACHE_HOME"], "msgsys");
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches", "msgsys");
  if (process.platform === "win32" && env["LOCALAPPDATA"])
    return join(env["LOCALAPPDATA"], "msgsys", "cache");
  return join(homedir(), ".cache", "msgsys");
}

/** The checkout is known by its `setup.mjs`, which no package ships. */
function checkoutRoot(): string | null {
  let directory = import.meta.dirname;
  for (let level = 0; level < 3; level += 1) {
    if (existsSync(join(directory, "setup.mjs"))) return directory;
    directory = dirname(directory);
  }
  return null;
}

async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    // Ignored: why it is not writable does not matter, another place is taken.
    () => false,
  );
}

/** The newest fitting server in the cache, and why each other one was passed over. */
export async function findCached(
  cacheDir: string,
): Promise<{ server: FoundServer | null; rejected: string[] }> {
  // Ignored: a cache that does not exist yet holds nothing.
  const names = await readdir(join(cacheDir, "nats-server")).catch((): string[] => []);
  const rejected: string[] = [];
  for (const name of newestFirst(names)) {
    const path = join(cacheDir, "nats-server", name, SERVER_FILE);
    try {
      const version = await natsServerVersion(path);
      if (isAtLeast(version, MINIMUM_NATS_SERVER)) return { server: { path, version }, rejected };
      rejected.push(`${path} is ${version}`);
    } catch (error) {
      rejected.push(error instanceof Error ? error.message : String(error));
    }
  }
  return { server: null, rejected };
}

function newestFirst(names: readonly string[]): string[] {
  return names
    .map((name) => ({ name, version: parseServerVersion(name) }))
    .filter((entry) => entry.version !== null)
    .sort((a, b) => compareServerVersions(b.version!, a.version!))
    .map((entry) => entry.name);
}

/**
 * Runs `fill` with an empty directory inside the cache and removes that directory afterwards, whatever happened.
 * `fill` puts files there and names the server among them; it is checked and moved into the cache in one step,
 * so that nobody ever sees half a server and two set-ups at once do no harm.
 */
export async function installIntoCache(
  cacheDir: string,
  origin: "release" | "debian",
  fill: (directory: string) => Promise<string>,
): Promise<FoundServer> {
  await mkdir(join(cacheDir, "nats-server"), { recursive: true });
  await removeLeftovers(cacheDir);
  const scratch = await mkdtemp(join(cacheDir, SCRATCH_PREFIX));
  try {
    const server = await fill(scratch);
    const version = await natsServerVersion(server);
    if (!isAtLeast(version, MINIMUM_NATS_SERVER))
      throw new Error(`it is ${version}, ${MINIMUM_NATS_SERVER} or newer is needed`);
    const staged = await mkdtemp(join(scratch, "staged-"));
    await rename(server, join(staged, SERVER_FILE));
    await chmod(staged, 0o755);
    const place = join(cacheDir, "nats-server", `${version}-${origin}`);
    await moveIntoPlace(staged, place, scratch);
    return { path: join(place, SERVER_FILE), version };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Renames `staged` to `place`. What stands there is kept if it works (another set-up was faster), else replaced. */
async function moveIntoPlace(staged: string, place: string, scratch: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await rename(staged, place);
    } catch (error) {
      const works = await natsServerVersion(join(place, SERVER_FILE)).then(
        () => true,
        // Ignored: a damaged server in the cache is replaced below.
        () => false,
      );
      if (works) return;
      if (attempt === 3) throw error;
      // Ignored: another set-up may have moved the damaged one away; the next attempt tells.
      await rename(place, join(scratch, `damaged-${attempt}`)).catch(() => undefined);
    }
  }
}

const SCRATCH_PREFIX = "fetching-";
const LEFTOVER_AGE_MS = 3_600_000;

/** Set-ups that were killed leave their scratch directory; after an hour nobody can still be using it. */
async function removeLeftovers(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (!name.startsWith(SCRATCH_PREFIX)) continue;
    const path = join(cacheDir, name);
    // Ignored: it vanished because its owner removed it, or it belongs to another user.
    const changedMs = await stat(path).then(
      (info) => info.mtimeMs,
      () => Date.now(),
    );
    if (Date.now() - changedMs < LEFTOVER_AGE_MS) continue;
    // Ignored: a leftover that cannot be removed only costs space.
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
