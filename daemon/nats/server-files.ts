import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { DATA_FILES } from "../../shared/settings.ts";
import { writeAtomically } from "../write-atomically.ts";

/** Absolute paths of the embedded server's files in a data directory. */
export interface ServerFiles {
  readonly dir: string;
  readonly config: string;
  readonly runDir: string;
  readonly pid: string;
  readonly storeDir: string;
  readonly log: string;
  /** What the program prints itself, mainly why it did not start; emptied at each start. */
  readonly output: string;
}

/** Where the server's files are. */
export function serverFilesOf(dataDir: string): ServerFiles {
  const dir = join(dataDir, DATA_FILES.nats);
  const runDir = join(dir, "run");
  const logs = join(dataDir, DATA_FILES.logs);
  return {
    dir,
    config: join(dir, "nats.conf"),
    runDir,
    pid: join(runDir, "nats.pid"),
    storeDir: join(dir, "js"),
    log: join(logs, "nats.log"),
    output: join(logs, "nats-output.log"),
  };
}

/** Makes the directories, closed to other users. */
export async function makeServerDirs(dataDir: string, files: ServerFiles): Promise<void> {
  for (const dir of [files.dir, files.runDir, files.storeDir, join(dataDir, DATA_FILES.logs)])
    await mkdir(dir, { recursive: true, mode: 0o700 });
}

/** The id of this installation, made at the first start: it is the server's name, by which it is known to be ours. */
export async function installId(dataDir: string): Promise<string> {
  const file = join(dataDir, "install-id");
  // Ignored: a missing file is the first start.
  const known = (await readFile(file, "utf8").catch(() => "")).trim();
  if (/^[0-9a-f-]{36}$/.test(known)) return known;
  const fresh = randomUUID();
  await writeAtomically(file, `${fresh}\n`, { durable: true });
  return fresh;
}

/** The server's process id as it wrote it; null when there is none. */
export async function readServerPid(files: ServerFiles): Promise<number | null> {
  // Ignored: no file, no server known.
  const pid = Number((await readFile(files.pid, "utf8").catch(() => "")).trim());
  return Number.isInteger(pid) && pid > 0 ? pid : null;
}

/** The ports that a server listens on, as it wrote them. */
export interface ServerPorts {
  readonly client: number;
  /** Null when monitoring is off. */
  readonly http: number | null;
}

/** Reads the ports file of a running server; null when it is not there or only half written. */
export async function readPorts(files: ServerFiles): Promise<ServerPorts | null> {
  // Ignored: no directory, no ports.
  const names = await readdir(files.runDir).catch((): string[] => []);
  const name = names.find((entry) => entry.endsWith(".ports"));
  if (name === undefined) return null;
  return parsePorts(await readFile(join(files.runDir, name), "utf8").catch(() => ""));
}

/** The ports in a ports file's text; null when it is not whole. */
export function parsePorts(text: string): ServerPorts | null {
  try {
    const file = JSON.parse(text) as { nats?: string[]; monitoring?: string[] };
    const client = portOf(file.nats?.[0]);
    return client === null ? null : { client, http: portOf(file.monitoring?.[0]) };
  } catch {
    // Ignored: the server is still writing it; the caller asks again.
    return null;
  }
}

function portOf(url: string | undefined): number | null {
  const port = Number(/:(\d+)\/?$/.exec(url ?? "")?.[1]);
  return Number.isInteger(port) && port > 0 ? port : null;
}

/** Removes what a former server left in the run directory, so that only the next one's ports can be found there. */
export async function clearRunDir(files: ServerFiles): Promise<void> {
  for (const name of await readdir(files.runDir))
    await rm(join(files.runDir, name), { force: true });
}

/** The size of the server's log now: what it says after this is about the next start. */
export async function logSize(files: ServerFiles): Promise<number> {
  return stat(files.log).then(
    ({ size }) => size,
    // Ignored: no log yet.
    () => 0,
  );
}

/** The last thing that a server said since `fromByte` of its log before it ended, without its date; "" when nothing. */
export async function lastWords(files: ServerFiles, fromByte: number): Promise<string> {
  const texts = [await readFrom(files.output, 0), await readFrom(files.log, fromByte)];
  const lines = texts.flatMap((text) => text.split("\n")).filter((line) => line.trim() !== "");
  const fatal = lines.findLast((line) => /\[(FTL|ERR)\]/.test(line)) ?? lines.at(-1) ?? "";
  return fatal.replace(/^.*\[(?:FTL|ERR|WRN|INF)\]\s*/, "").trim();
}

async function readFrom(file: string, fromByte: number): Promise<string> {
  try {
    const handle = await open(file, "r");
    try {
      const { size } = await handle.stat();
      const bytes = Buffer.alloc(Math.min(Math.max(0, size - fromByte), 64 * 1024));
      await handle.read(bytes, 0, bytes.length, size - bytes.length);
      return bytes.toString("utf8");
    } finally {
      await handle.close();
    }
  } catch {
    // Ignored: a log that cannot be read says nothing.
    return "";
  }
}
