import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "../../shared/errors.ts";
import {
  type AptSource,
  type AptSourcesFile,
  debianMirrors,
  parseAptSources,
  sourcesForSuite,
} from "./apt-sources.ts";
import { type FoundServer, installIntoCache } from "./cache.ts";
import { runProgram } from "./run-program.ts";

/** Suites with a fitting nats-server, best first. Never the stable one of 2025: its server is 2.10. */
const SUITES = ["forky", "sid"] as const;
const UPDATE_TIMEOUT_MS = 120_000;
const DOWNLOAD_TIMEOUT_MS = 120_000;

/** What `fetchDebianPackage` needs; `aptDir` is /etc/apt but in tests. */
export interface DebianOptions {
  readonly cacheDir: string;
  readonly log: (event: string, data?: object) => void;
  readonly aptDir?: string;
}

/**
 * Fetches Debian's own package of nats-server with apt into a private directory and unpacks it into the cache.
 * Works for an ordinary user; installs nothing and leaves the machine's apt untouched. apt checks the signatures with the
 * keyring that the machine's sources name. Rejects with one sentence when the machine is no Debian or no suite has it.
 */
export async function fetchDebianPackage(options: DebianOptions): Promise<FoundServer> {
  const mirrors = debianMirrors(await machineSources(options.aptDir ?? "/etc/apt"));
  if (mirrors.length === 0) throw new Error("skipped, apt's sources name no Debian archive");
  const architecture = await runProgram("dpkg", ["--print-architecture"], { timeoutMs: 5000 });
  const refusals: string[] = [];
  for (const suite of SUITES) {
    const sources = sourcesForSuite(mirrors, suite, architecture.stdout.trim());
    try {
      return await fetchFromSuite(suite, sources, options);
    } catch (error) {
      options.log("nats-server Debian package: suite refused", { suite, why: describe(error) });
      refusals.push(`${suite}: ${describe(error)}`);
    }
  }
  throw new Error(refusals.join("; "));
}

async function machineSources(aptDir: string): Promise<AptSource[]> {
  const parts = join(aptDir, "sources.list.d");
  // Ignored: a machine without apt or without that directory has no sources there.
  const names = await readdir(parts).catch((): string[] => []);
  const paths = [
    join(aptDir, "sources.list"),
    ...names.filter((name) => /\.(list|sources)$/.test(name)).map((name) => join(parts, name)),
  ];
  const files = await Promise.all(
    paths.map(
      async (name): Promise<AptSourcesFile> => ({
        name,
        // Ignored: a file that is absent or not readable for this user names no source.
        text: await readFile(name, "utf8").catch(() => ""),
      }),
    ),
  );
  return files.flatMap(parseAptSources);
}

async function fetchFromSuite(
  suite: string,
  sources: string,
  { cacheDir, log }: DebianOptions,
): Promise<FoundServer> {
  const home = await mkdtemp(join(tmpdir(), "msgsys-apt-"));
  try {
    // When root runs apt, apt reads as its own user, which must be able to come in here.
    await chmod(home, 0o755);
    await writePrivateApt(home, sources);
    const apt = (args: readonly string[], timeoutMs: number) =>
      runProgram("apt-get", ["-q", "-c", join(home, "apt.conf"), ...args], {
        timeoutMs,
        cwd: home,
        env: { ...process.env, LC_ALL: "C" },
      });
    log("nats-server Debian package: reading the package list", { suite });
    await apt(["update"], UPDATE_TIMEOUT_MS);
    log("nats-server Debian package: downloading", { suite });
    await apt(["download", "nats-server"], DOWNLOAD_TIMEOUT_MS);
    const file = (await readdir(home)).find((name) => name.endsWith(".deb"));
    if (file === undefined) throw new Error("apt-get downloaded no package");
    log("nats-server Debian package: unpacking", { file });
    return await installIntoCache(cacheDir, "debian", async (directory) => {
      await runProgram("dpkg", ["-x", join(home, file), directory], { timeoutMs: 60_000 });
      return serverIn(directory);
    });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function serverIn(directory: string): Promise<string> {
  for (const folder of ["usr/sbin", "usr/bin"]) {
    // Ignored: the package uses only one of the folders.
    const names = await readdir(join(directory, folder)).catch((): string[] => []);
    if (names.includes("nats-server")) return join(directory, folder, "nats-server");
  }
  throw new Error("the package holds no nats-server");
}

/**
 * apt with state, lists and cache of its own. The machine's settings (proxies, certificates) still hold, because this
 * file is read after them; hooks are cleared, as they would act on the machine, and pins, as they could hide the suite.
 */
async function writePrivateApt(home: string, sources: string): Promise<void> {
  await mkdir(join(home, "state", "lists", "partial"), { recursive: true });
  await mkdir(join(home, "cache", "archives", "partial"), { recursive: true });
  await writeFile(join(home, "status"), "");
  await writeFile(join(home, "suite.sources"), sources);
  const quoted = (name: string) => JSON.stringify(join(home, name));
  const lines = [
    "#clear APT::Update::Pre-Invoke;",
    "#clear APT::Update::Post-Invoke;",
    "#clear APT::Update::Post-Invoke-Success;",
    `Dir::State ${quoted("state")};`,
    `Dir::State::lists ${quoted("state/lists")};`,
    `Dir::State::status ${quoted("status")};`,
    `Dir::Cache ${quoted("cache")};`,
    `Dir::Cache::archives ${quoted("cache/archives")};`,
    `Dir::Etc::SourceList ${quoted("suite.sources")};`,
    'Dir::Etc::SourceParts "/dev/null";',
    'Dir::Etc::Preferences "/dev/null";',
    'Dir::Etc::PreferencesParts "/dev/null";',
    'Acquire::AllowInsecureRepositories "false";',
    'Acquire::AllowWeakRepositories "false";',
    'Acquire::AllowDowngradeToInsecureRepositories "false";',
    'APT::Get::AllowUnauthenticated "false";',
    'Acquire::Languages "none";',
    'Acquire::PDiffs "false";',
    'Acquire::Retries "1";',
    'Acquire::http::Timeout "15";',
    'Acquire::https::Timeout "15";',
  ];
  await writeFile(join(home, "apt.conf"), `${lines.join("\n")}\n`);
}
