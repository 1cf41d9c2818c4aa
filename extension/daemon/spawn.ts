import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, describe, fromWire, type WireError } from "../../shared/errors.ts";
import { DATA_FILES, type DaemonLease } from "../../shared/settings.ts";
import { locateDaemon } from "./locate.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** What a start needs. Paths are absolute. */
export interface SpawnOptions {
  readonly dataDir: string;
  /** The daemon's program: `dist/daemon.mjs` of this extension. */
  readonly program: string;
  /** What runs it: VS Code's own executable, or a Node that the user named. */
  readonly node: string;
  readonly env: Env;
  /** Its `.env` files and `msgsys.config.ts` are read; null: nothing of a workspace is. */
  readonly workspace: string | null;
  /** The configuration file, below the workspace or elsewhere; null: the one that lies in the workspace. */
  readonly configFile: string | null;
  /** nats-server to use; null: the daemon finds one. */
  readonly natsServerPath: string | null;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  now(): number;
}

/** A first start may fetch nats-server. */
const START_TIMEOUT_MS = 120_000;
const LOOK_EVERY_MS = 40;
const OUTPUT_FILE = "daemon.out";

/**
 * A ready daemon on the data directory: the one that runs or is starting, else a new one that outlives this window.
 * Throws what the daemon itself says (`bad-settings`, `nats-server-missing` …), `data-directory-unwritable`,
 * `data-directory-locked`, `wait-timed-out`.
 */
export async function ensureDaemon(options: SpawnOptions): Promise<DaemonLease> {
  const found = locateDaemon(options.dataDir, options.now());
  if (found.kind === "ready") return found.lease;
  if (found.kind === "passing" && found.lease.state === "starting") return waitReady(options);
  try {
    return await startDaemon(options);
  } catch (error) {
    if (!isHeldByOther(error)) throw error;
    // Another window or a terminal started one at the same moment: theirs serves as well.
    return waitReady(options, error);
  }
}

function isHeldByOther(error: unknown): error is AppError {
  return (
    error instanceof AppError &&
    (error.code === "already-running" || error.code === "data-directory-locked")
  );
}

async function startDaemon(options: SpawnOptions): Promise<DaemonLease> {
  const { dataDir, timeoutMs = START_TIMEOUT_MS } = options;
  prepare(dataDir);
  const child = launch(options);
  const failure = watchStart(dataDir, child);
  const startedMs = performance.now();
  try {
    for (;;) {
      const found = locateDaemon(dataDir, options.now());
      if (found.kind === "ready" && found.lease.pid === child.pid) return found.lease;
      const failed = failure();
      if (failed !== null) throw failed;
      options.signal?.throwIfAborted();
      if (performance.now() - startedMs > timeoutMs)
        throw new AppError("wait-timed-out", { what: "The start of the daemon", timeoutMs });
      await sleep(LOOK_EVERY_MS);
    }
  } catch (error) {
    // Nobody waits for it any more; without this it would come up later by itself.
    if (failure() === null) child.kill("SIGTERM");
    throw error;
  } finally {
    child.removeAllListeners();
    // Its channel would end with this window, and keep the window's process waiting until then.
    if (child.connected) child.disconnect();
    child.unref();
  }
}

/** Long enough for one that holds the directory to finish its start, not for one that is stuck. */
const OTHER_TIMEOUT_MS = 10_000;

async function waitReady(options: SpawnOptions, refusal?: AppError): Promise<DaemonLease> {
  const startedMs = performance.now();
  let heardMs = startedMs;
  for (;;) {
    const found = locateDaemon(options.dataDir, options.now());
    if (found.kind === "ready") return found.lease;
    if (found.kind === "mismatch")
      throw new AppError("daemon-version-mismatch", {
        found: found.lease.protocol,
        needed: "another",
      });
    options.signal?.throwIfAborted();
    const nowMs = performance.now();
    if (found.kind === "passing") heardMs = nowMs;
    const timeoutMs = options.timeoutMs ?? START_TIMEOUT_MS;
    if (nowMs - heardMs > Math.min(OTHER_TIMEOUT_MS, timeoutMs) && refusal !== undefined)
      throw refusal;
    if (nowMs - startedMs > timeoutMs)
      throw new AppError("wait-timed-out", { what: "The start of the daemon", timeoutMs });
    await sleep(LOOK_EVERY_MS);
  }
}

function launch(options: SpawnOptions): ChildProcess {
  const { dataDir, workspace, configFile, natsServerPath } = options;
  const args = [
    "--expose-gc",
    options.program,
    "--data",
    dataDir,
    // Without a workspace the daemon looks where it stands, in its own directory, which holds no such files.
    ...(workspace === null ? [] : ["--workspace", workspace]),
    ...(workspace === null || configFile === null ? [] : ["--set", `workers.config=${configFile}`]),
    ...(natsServerPath === null ? [] : ["--set", `nats.serverPath=${natsServerPath}`]),
  ];
  const output = openSync(join(dataDir, DATA_FILES.logs, OUTPUT_FILE), "a", 0o600);
  try {
    return spawn(options.node, args, {
      detached: true,
      // Never the workspace: the daemon outlives the window and would keep that folder from being moved.
      cwd: dataDir,
      env: daemonEnv(options.env),
      stdio: ["ignore", output, output, "ipc"],
      windowsHide: true,
    });
  } finally {
    closeSync(output);
  }
}

/**
 * The environment of the daemon: this one without what VS Code, Electron and a debugger put there for the extension
 * host. `ELECTRON_RUN_AS_NODE` makes VS Code's executable a Node, also for the workers that the daemon starts with it.
 */
export function daemonEnv(env: Env): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(?:VSCODE_|ELECTRON_|NODE_OPTIONS$)/i.test(entry[0]),
  );
  return {
    // Read by glibc: threads share one memory arena instead of keeping some MB each.
    MALLOC_ARENA_MAX: "1",
    ...Object.fromEntries(kept),
    ELECTRON_RUN_AS_NODE: "1",
  };
}

/** Makes the folders that a start needs. */
function prepare(dataDir: string): void {
  try {
    makeDirs(join(dataDir, DATA_FILES.logs));
  } catch (error) {
    throw new AppError("data-directory-unwritable", { dataDir, what: describe(error) }, error);
  }
}

/** One at a time: where the system says that a new name cannot exist, Node's own recursive way never ends. */
function makeDirs(dir: string): void {
  const found = statSync(dir, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found === undefined && dirname(dir) !== dir) makeDirs(dirname(dir));
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (error) {
    // Ignored when another process has made it in between.
    if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

/**
 * Answers why the daemon did not start, once it has ended; null before. It tells over its channel, which works on a full
 * disk and in a directory that another daemon holds.
 */
function watchStart(dataDir: string, child: ChildProcess): () => AppError | null {
  let told: AppError | null = null;
  let ended: string | null = null;
  child.once("message", (message) => {
    told = fromWire(message as WireError);
  });
  child.once("error", (error) => {
    ended = describe(error);
  });
  // The channel is read to its end by then.
  child.once("close", (code, signal) => {
    ended ??= signal ?? `exit code ${code}`;
  });
  const log = join(dataDir, DATA_FILES.logs, OUTPUT_FILE);
  return () => (ended === null ? null : (told ?? silentFailure(ended, log)));
}

function silentFailure(how: string, log: string): AppError {
  return new AppError("internal", {
    what: `The daemon ended during its start (${how}): ${lastWords(log)}`,
  });
}

const LAST_WORDS = 500;

/** The last lines that the daemon wrote before it ended. */
function lastWords(file: string): string {
  try {
    const words = readFileSync(file, "utf8").trim().slice(-LAST_WORDS);
    return words === "" ? `it said nothing, ${file} is empty` : words;
  } catch (error) {
    return describe(error);
  }
}
