import { createHash } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "../../shared/errors.ts";
import { type FoundServer, installIntoCache, SERVER_FILE } from "./cache.ts";
import { runProgram } from "./run-program.ts";
import { PINNED_NATS_SERVER } from "./version.ts";

/** Where the official releases are published; each has its archives and one SHA256SUMS. */
const RELEASES_URL = "https://github.com/nats-io/nats-server/releases/download";

/** The small checksum file comes first and quickly, so a machine without that host loses at most this. */
const REACH_TIMEOUT_MS = 5000;
const DOWNLOAD_TIMEOUT_MS = 120_000;

/** What `fetchRelease` needs; `releasesUrl` and `version` are for tests. */
export interface ReleaseOptions {
  readonly cacheDir: string;
  readonly log: (event: string, data?: object) => void;
  readonly releasesUrl?: string;
  readonly version?: string;
}

/** The archive's name for a platform as Node names it, e.g. `nats-server-v2.15.1-linux-amd64.tar.gz`; null when none is built. */
export function releaseArchiveName(version: string, platform: string, arch: string): string | null {
  const system = { linux: "linux", darwin: "darwin", win32: "windows", freebsd: "freebsd" }[
    platform
  ];
  const machine = { x64: "amd64", arm64: "arm64", ia32: "386", arm: "arm7" }[arch];
  if (system === undefined || machine === undefined) return null;
  return `nats-server-v${version}-${system}-${machine}.${system === "windows" ? "zip" : "tar.gz"}`;
}

/** The checksum of `file` in the text of a SHA256SUMS file, or null. */
export function expectedSha256(sums: string, file: string): string | null {
  for (const line of sums.split("\n")) {
    const [sum, name] = line.trim().split(/\s+\*?/);
    if (name === file && sum !== undefined && /^[0-9a-f]{64}$/i.test(sum)) return sum.toLowerCase();
  }
  return null;
}

/** Fetches the pinned official release into the cache. Rejects with one sentence when it cannot, within 5 s when the host is out of reach. */
export async function fetchRelease(options: ReleaseOptions): Promise<FoundServer> {
  const version = options.version ?? PINNED_NATS_SERVER;
  const archive = releaseArchiveName(version, process.platform, process.arch);
  if (archive === null)
    throw new Error(`no official build for ${process.platform} ${process.arch}`);
  const base = `${options.releasesUrl ?? RELEASES_URL}/v${version}`;
  options.log("nats-server release: asking for the checksums", { url: `${base}/SHA256SUMS` });
  const sums = await get(`${base}/SHA256SUMS`, REACH_TIMEOUT_MS);
  const expected = expectedSha256(sums.toString("utf8"), archive);
  if (expected === null) throw new Error(`SHA256SUMS of ${version} does not name ${archive}`);
  options.log("nats-server release: fetching", { url: `${base}/${archive}` });
  const body = await get(`${base}/${archive}`, DOWNLOAD_TIMEOUT_MS);
  const actual = createHash("sha256").update(body).digest("hex");
  if (actual !== expected)
    throw new Error(`${archive} has the checksum ${actual}, SHA256SUMS says ${expected}`);
  options.log("nats-server release: checksum fits", { sha256: actual, sizeBytes: body.length });
  return installIntoCache(options.cacheDir, "release", (directory) =>
    unpack(directory, archive, body),
  );
}

async function get(url: string, timeoutMs: number): Promise<Buffer> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) throw new Error(`answered ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  } catch (error) {
    // fetch hides the real reason (no such host, refused) in the cause.
    const reason = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new Error(`${url}: ${describe(reason)}`, { cause: error });
  }
}

/** `tar` unpacks both kinds of archive: GNU tar the .tar.gz, the bsdtar of Windows the .zip too. */
async function unpack(directory: string, archive: string, body: Buffer): Promise<string> {
  await writeFile(join(directory, archive), body);
  await runProgram("tar", ["-xf", archive], { timeoutMs: 60_000, cwd: directory });
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const server = entries.find((entry) => entry.isFile() && entry.name === SERVER_FILE);
  if (server === undefined) throw new Error(`${archive} holds no ${SERVER_FILE}`);
  return join(server.parentPath, server.name);
}
