import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { AppError, describe, fromWire, type WireError } from "../../shared/errors.ts";
import { DATA_FILES, type DaemonLease } from "../../shared/settings.ts";
import { entryUrl } from "../entry.ts";
import { makePrivateDirs } from "../make-private-dirs.ts";
import { NODE_FLAGS, nodeEnv } from "../node-process.ts";
import { liveLease } from "../sdk/find-daemon.ts";
import { badUsage } from "./values.ts";

/** What a start needs. */
export interface StartOptions {
  readonly dataDir: string;
  /** Its `.env` files and `msgsys.config.ts` are read. */
  readonly workspace: string;
  readonly config?: string | undefined;
  readonly timeoutMs?: number | undefined;
  /** Ends the waiting; the daemon is ended too. */
  readonly stop?: AbortSignal | undefined;
  /** Hears that somebody else's start is waited for, and whose. */
  readonly onWait?: ((why: AppError) => void) | undefined;
  now(): number;
}

/** A daemon that was started and is ready. */
export interface StartedDaemon {
  readonly lease: DaemonLease;
  readonly child: ChildProcess;
}

/** A first start may fetch nats-server. */
const START_TIMEOUT_MS = 120_000;
const LOOK_EVERY_MS = 40;
/** Another's start that is not ready by then may have failed: our own says why, or succeeds. */
const TRY_AGAIN_MS = 3000;

/**
 * Starts a daemon and waits until it is ready. `background`: it outlives this process and writes to
 * `logs/daemon.out`; `foreground`: it writes to our standard error, and the caller ends it.
 * Throws what the daemon itself says (e.g. `already-running`, `bad-settings`), `daemon-not-started` when it says
 * nothing, or `daemon-start-timed-out`.
 */
export async function startDaemon(
  options: StartOptions,
  mode: "background" | "foreground",
): Promise<StartedDaemon> {
  const { dataDir, timeoutMs = START_TIMEOUT_MS } = options;
  refuseSecond(options);
  refuseNoWorkspace(options.workspace);
  prepare(dataDir);
  const child = await launch(options, mode);
  const failure = watchStart(dataDir, child);
  const startedMs = performance.now();
  for (;;) {
    const lease = liveLease(dataDir, options.now());
    if (lease?.pid === child.pid && lease?.state === "ready") {
      // Its channel would keep this process waiting.
      if (child.connected) child.disconnect();
      return { lease: lease!, child };
    }
    const failed = failure();
    if (failed !== null) throw failed;
    if (options.stop?.aborted) {
      child.kill("SIGTERM");
      throw options.stop.reason;
    }
    if (performance.now() - startedMs > timeoutMs) {
      child.kill("SIGTERM");
      throw new AppError("daemon-start-timed-out", { timeoutMs });
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** A ready daemon on the data directory: the one that runs or is starting, else a new one in the background. */
export async function ensureDaemon(options: StartOptions): Promise<DaemonLease> {
  const endMs = performance.now() + (options.timeoutMs ?? START_TIMEOUT_MS);
  for (let told = false; ; told = true) {
    try {
      const { lease, child } = await startDaemon(options, "background");
      child.unref();
      return lease;
    } catch (error) {
      const held =
        error instanceof AppError &&
        (error.code === "already-running" || error.code === "data-directory-locked");
      if (!held) throw error;
      // Someone started one at the same moment: theirs serves as well.
      const lease = await readyWithin(options, TRY_AGAIN_MS);
      if (lease !== null) return lease;
      if (performance.now() > endMs) throw error;
      if (!told) options.onWait?.(error);
    }
  }
}

/** The lease of a daemon that is ready, or becomes so within this time. */
async function readyWithin(
  { dataDir, now }: StartOptions,
  limitMs: number,
): Promise<DaemonLease | null> {
  const startedMs = performance.now();
  for (;;) {
    const lease = liveLease(dataDir, now());
    if (lease?.state === "ready") return lease;
    if (performance.now() - startedMs > limitMs) return null;
    await sleep(LOOK_EVERY_MS);
  }
}

/** The daemon's own lock decides; asking first saves starting a process for the common case. */
function refuseSecond({ dataDir, now }: StartOptions): void {
  const lease = liveLease(dataDir, now());
  if (lease !== null) throw new AppError("already-running", { dataDir, pid: lease.pid });
}

function refuseNoWorkspace(workspace: string): void {
  if (!existsSync(workspace)) throw badUsage(`The workspace ${workspace} does not exist.`);
}

async function launch(
  options: StartOptions,
  mode: "background" | "foreground",
): Promise<ChildProcess> {
  const { dataDir, workspace, config } = options;
  const args = [
    ...NODE_FLAGS,
    fileURLToPath(entryUrl("daemon")),
    "--data",
    dataDir,
    "--workspace",
    workspace,
    ...(config === undefined ? [] : ["--config", relative(workspace, config)]),
  ];
  // A process group of its own in both modes: Ctrl-C reaches us alone, and we end the daemon in order.
  const base = {
    detached: true,
    cwd: workspace,
    env: { ...process.env, ...(await nodeEnv()) },
  } as const;
  if (mode === "foreground")
    return spawn(process.execPath, args, { ...base, stdio: ["ignore", 2, 2, "ipc"] });
  const output = openSync(join(dataDir, DATA_FILES.logs, "daemon.out"), "a", 0o600);
  try {
    return spawn(process.execPath, args, {
      ...base,
      stdio: ["ignore", output, output, "ipc"],
    });
  } finally {
    closeSync(output);
  }
}

/** Makes the folders that a start needs. */
function prepare(dataDir: string): void {
  try {
    makePrivateDirs(join(dataDir, DATA_FILES.logs));
  } catch (error) {
    throw new AppError("data-directory-unwritable", { dataDir, what: describe(error) }, error);
  }
}

/**
 * Answers why the daemon did not start, once it has ended. It tells over its channel, which works on a full disk and in
 * a directory that another daemon holds.
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
  const log = join(dataDir, DATA_FILES.logs);
  return () =>
    ended === null ? null : (told ?? new AppError("daemon-not-started", { how: ended, log }));
}
