import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { AppError, describe, fromWire, type WireError } from "../../shared/errors.ts";
import { DATA_FILES, type DaemonLease } from "../../shared/settings.ts";
import { entryUrl } from "../entry.ts";
import { makePrivateDirs } from "../make-private-dirs.ts";
import { NODE_FLAGS, nodeEnv } from "../node-process.ts";
import { liveLease } from "../sdk/find-daemon.ts";
import { STARTUP_ERROR_FILE } from "../startup-error.ts";

/** What a start needs. */
export interface StartOptions {
  readonly dataDir: string;
  /** Its `.env` files and `msgsys.config.ts` are read. */
  readonly workspace: string;
  readonly config?: string | undefined;
  readonly timeoutMs?: number | undefined;
  /** Ends the waiting; the daemon is ended too. */
  readonly stop?: AbortSignal | undefined;
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

/**
 * Starts a daemon and waits until it is ready. `background`: it outlives this process and writes to
 * `logs/daemon.out`; `foreground`: it writes to our standard error, and the caller ends it.
 * Throws what the daemon itself says (e.g. `already-running`, `bad-settings`), or `wait-timed-out`.
 */
export async function startDaemon(
  options: StartOptions,
  mode: "background" | "foreground",
): Promise<StartedDaemon> {
  const { dataDir, timeoutMs = START_TIMEOUT_MS } = options;
  refuseSecond(options);
  prepare(dataDir);
  const child = await launch(options, mode);
  let ended: { code: number | null } | null = null;
  child.once("exit", (code) => {
    ended = { code };
  });
  child.once("error", () => {
    ended = { code: null };
  });
  const startedMs = performance.now();
  for (;;) {
    const lease = liveLease(dataDir, options.now());
    if (lease?.pid === child.pid && lease?.state === "ready") return { lease: lease!, child };
    if (ended !== null) throw startFailure(dataDir, (ended as { code: number | null }).code);
    if (options.stop?.aborted) {
      child.kill("SIGTERM");
      throw options.stop.reason;
    }
    if (performance.now() - startedMs > timeoutMs) {
      child.kill("SIGTERM");
      throw new AppError("wait-timed-out", { what: "The start of the daemon", timeoutMs });
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** A ready daemon on the data directory: the one that runs or is starting, else a new one in the background. */
export async function ensureDaemon(options: StartOptions): Promise<DaemonLease> {
  try {
    const { lease, child } = await startDaemon(options, "background");
    child.unref();
    return lease;
  } catch (error) {
    const other =
      error instanceof AppError &&
      (error.code === "already-running" || error.code === "data-directory-locked");
    if (!other) throw error;
    // Someone started one at the same moment: theirs serves as well.
    return waitReady(options);
  }
}

async function waitReady({ dataDir, timeoutMs = START_TIMEOUT_MS, now }: StartOptions) {
  const startedMs = performance.now();
  for (;;) {
    const lease = liveLease(dataDir, now());
    if (lease?.state === "ready") return lease;
    if (performance.now() - startedMs > timeoutMs)
      throw new AppError("wait-timed-out", { what: "The start of the daemon", timeoutMs });
    await sleep(LOOK_EVERY_MS);
  }
}

/** The daemon's own lock decides; asking first saves starting a process for the common case. */
function refuseSecond({ dataDir, now }: StartOptions): void {
  const lease = liveLease(dataDir, now());
  if (lease !== null) throw new AppError("already-running", { dataDir, pid: lease.pid });
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
    return spawn(process.execPath, args, { ...base, stdio: ["ignore", 2, 2] });
  const output = openSync(join(dataDir, DATA_FILES.logs, "daemon.out"), "a", 0o600);
  try {
    return spawn(process.execPath, args, { ...base, stdio: ["ignore", output, output] });
  } finally {
    closeSync(output);
  }
}

/** Makes the folders that a start needs and removes the reason of a former failure. */
function prepare(dataDir: string): void {
  try {
    makePrivateDirs(join(dataDir, DATA_FILES.logs));
    rmSync(join(dataDir, STARTUP_ERROR_FILE), { force: true });
  } catch (error) {
    throw new AppError("data-directory-unwritable", { dataDir, what: describe(error) }, error);
  }
}

function startFailure(dataDir: string, code: number | null): AppError {
  try {
    const file = join(dataDir, STARTUP_ERROR_FILE);
    return fromWire(JSON.parse(readFileSync(file, "utf8")) as WireError);
  } catch (error) {
    return new AppError(
      "internal",
      {
        what: `The daemon ended during its start (exit ${code ?? "unknown"}); its output is in ${join(dataDir, DATA_FILES.logs)}.`,
      },
      error,
    );
  }
}
