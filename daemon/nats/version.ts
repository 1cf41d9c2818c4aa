import { runProgram } from "./run-program.ts";

/** The oldest nats-server that works: message schedules and atomic batches came with it. */
export const MINIMUM_NATS_SERVER = "2.12.1";

/** From this one on no known fault of the server touches what msg_sys uses; older ones are accepted with a notice. */
export const RECOMMENDED_NATS_SERVER = "2.14.5";

/** The official release that is fetched when the machine has no server. */
export const PINNED_NATS_SERVER = "2.15.1";

/** A version in its parts; `pre` is "" for a release, else e.g. "rc.1". */
export interface ServerVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly pre: string;
}

/** Finds the version in what `nats-server --version` prints, or in a bare version; null when there is none. */
export function parseServerVersion(text: string): ServerVersion | null {
  const match = /(?:^|[\sv])(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?/.exec(text);
  if (match === null) return null;
  const [, major, minor, patch, pre = ""] = match;
  return { major: Number(major), minor: Number(minor), patch: Number(patch), pre };
}

/** `2.15.1` or `2.15.1-rc.1`. */
export function formatServerVersion({ major, minor, patch, pre }: ServerVersion): string {
  return `${major}.${minor}.${patch}${pre === "" ? "" : `-${pre}`}`;
}

/** Negative when `a` is older than `b`. A pre-release is older than its release; pre-releases compare part by part. */
export function compareServerVersions(a: ServerVersion, b: ServerVersion): number {
  const numbers = a.major - b.major || a.minor - b.minor || a.patch - b.patch;
  if (numbers !== 0 || a.pre === b.pre) return numbers;
  if (a.pre === "") return 1;
  if (b.pre === "") return -1;
  return a.pre.localeCompare(b.pre, "en", { numeric: true });
}

/** Whether `version` is `needed` or newer; text without a version never is. */
export function isAtLeast(version: string, needed: string): boolean {
  const [found, least] = [parseServerVersion(version), parseServerVersion(needed)];
  return found !== null && least !== null && compareServerVersions(found, least) >= 0;
}

/**
 * Asks the program at `path` for its version, e.g. `2.15.1`.
 * Rejects with one sentence when it cannot be run, prints none or takes longer than 5 s.
 */
export async function natsServerVersion(path: string): Promise<string> {
  const { stdout, stderr } = await runProgram(path, ["--version"], { timeoutMs: 5000 });
  const version = parseServerVersion(`${stdout}\n${stderr}`);
  if (version === null)
    throw new Error(`${path}: it is no nats-server, --version printed no version`);
  return formatServerVersion(version);
}
