import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ConnectedClient, connect } from "../../daemon/sdk.ts";
import type { DaemonLease } from "../../shared/settings.ts";
import { until } from "../support/until.ts";

const DAEMON = fileURLToPath(new URL("../../daemon/main.ts", import.meta.url));
const CLI = fileURLToPath(new URL("../../daemon/cli/main.ts", import.meta.url));
const WORKSPACE = fileURLToPath(new URL("./workspace", import.meta.url));
const CONFIG = join(WORKSPACE, "msgsys.config.ts");
const READY_MS = 60_000;
const AGAIN_MS = 300;

/** Pools of the daemon under test and of the worker started by hand; the bound on executions again counts their slots. */
const POOLS = {
  fast: { queues: ["*"], slots: 10, expressSlots: 1 },
  slow: { queues: ["etl"], slots: 4, expressSlots: 1 },
  line: { queues: ["order"], slots: 1, expressSlots: 0 },
} as const;
const OUTSIDE_SLOTS = 4;
const poolSlots = Object.values(POOLS).reduce((n, pool) => n + pool.slots + pool.expressSlots, 0);
/** Handlers that can run at the same time in the whole system. */
export const CONCURRENCY = poolSlots + OUTSIDE_SLOTS + 1;

/** Short terms, so that losses are seen soon; they stand in the report. */
const TERMS = {
  heartbeatMs: 300,
  missedBeats: 3,
  graceMs: 500,
  ackWaitMs: 1500,
  reconcileMs: 2000,
} as const;

export type Part = "daemon" | "server" | "worker" | "outside";

/** The real system as processes: daemon, its nats-server and pools, and one worker started by `msgsys worker`. */
export interface CrashSystem {
  readonly dataDir: string;
  /** Process ids of a part that live now. */
  pids(part: Part): number[];
  /** Pid of the pool's worker process; null while there is none. */
  poolPid(pool: keyof typeof POOLS): number | null;
  connect(): Promise<ConnectedClient>;
  /** Kills the daemon (SIGKILL); it is started again on the same data directory `afterMs` later. */
  killDaemon(afterMs: number): void;
  /** Resolves when the daemon and the outside worker are up. */
  whole(): Promise<void>;
  stop(): Promise<void>;
}

interface Deps {
  readonly dataDir: string;
  log(text: string): void;
}

export async function startSystem(deps: Deps): Promise<CrashSystem> {
  const { dataDir } = deps;
  const port = await freePort();
  let stopping = false;
  let restarting = false;
  let daemon = spawnDaemon(dataDir, port);
  let outside: ChildProcess | null = null;
  let outsidePid = 0;

  const lease = (): DaemonLease | null => readLease(dataDir, daemon.pid ?? 0);
  const ready = (): Promise<unknown> => until(lease, (now) => now?.state === "ready", READY_MS);
  const watchDaemon = (child: ChildProcess): void => {
    child.once("exit", (code, signal) => {
      if (stopping || child !== daemon || restarting) return;
      deps.log(`the daemon ended by itself (${code ?? signal}) and is started again`);
      revive(AGAIN_MS);
    });
  };
  const revive = (afterMs: number): void => {
    restarting = true;
    void pause(afterMs).then(() => {
      if (stopping) return;
      daemon = spawnDaemon(dataDir, port);
      restarting = false;
      watchDaemon(daemon);
    });
  };
  watchDaemon(daemon);
  await ready();

  const keepOutside = async (): Promise<void> => {
    while (!stopping) {
      const child = spawnOutside(dataDir);
      outside = child;
      child.stdout?.on("data", (chunk: Buffer) => {
        outsidePid = Number(/"pid":\s*(\d+)/.exec(chunk.toString())?.[1] ?? outsidePid);
      });
      await once(child, "exit");
      outsidePid = 0;
      await pause(AGAIN_MS);
    }
  };
  const outsideKept = keepOutside();

  const children = (): { pid: number; command: string }[] => childrenOf(daemon.pid ?? -1);
  const pids = (part: Part): number[] => {
    if (part === "daemon") return daemon.pid !== undefined && !restarting ? [daemon.pid] : [];
    if (part === "outside") return outsidePid === 0 ? [] : [outsidePid];
    const word = part === "server" ? /nats-server/ : /worker\/main\.ts/;
    return children().flatMap(({ pid, command }) => (word.test(command) ? [pid] : []));
  };
  return {
    dataDir,
    pids,
    poolPid(pool) {
      const found = pids("worker").find((pid) => poolOf(pid) === pool);
      return found ?? null;
    },
    connect: () => connect({ dataDir }),
    killDaemon(afterMs) {
      restarting = true;
      const old = daemon;
      old.kill("SIGCONT");
      old.kill("SIGKILL");
      void once(old, "exit").then(() => revive(afterMs));
    },
    async whole() {
      await until(() => !restarting && lease()?.state === "ready", Boolean, READY_MS);
      await until(() => outsidePid !== 0, Boolean, READY_MS);
    },
    async stop() {
      stopping = true;
      outside?.kill("SIGTERM");
      await outsideKept;
      if (daemon.exitCode === null && daemon.signalCode === null) {
        const gone = once(daemon, "exit");
        daemon.kill("SIGTERM");
        await gone;
      }
    },
  };
}

function spawnDaemon(dataDir: string, port: number): ChildProcess {
  const settings: Record<string, string | number> = {
    "nats.port": port,
    "workers.pools": JSON.stringify(POOLS),
    "lease.heartbeatMs": TERMS.heartbeatMs,
    "lease.missedBeats": TERMS.missedBeats,
    "lease.graceMs": TERMS.graceMs,
    "lease.ackWaitMs": TERMS.ackWaitMs,
    reconcileMs: TERMS.reconcileMs,
    // Every record is judged at the end, so none may be purged before.
    "retention.sweepMs": 86_400_000,
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const errors = openSync(join(dataDir, "daemon-stderr.log"), "a", 0o600);
  return spawn(process.execPath, [DAEMON, "--data", dataDir, "--workspace", WORKSPACE, ...flags], {
    stdio: ["ignore", "ignore", errors],
  });
}

function spawnOutside(dataDir: string): ChildProcess {
  const words = ["worker", "--queues", "crash,etl", "--pool", "outside", "--config", CONFIG];
  const errors = openSync(join(dataDir, "outside.log"), "a", 0o600);
  return spawn(
    process.execPath,
    [CLI, "--data", dataDir, "--json", ...words, "--slots", String(OUTSIDE_SLOTS)],
    { stdio: ["ignore", "pipe", errors] },
  );
}

/** Children of a process with their command lines, by `ps`, which Linux and macOS both have. */
function childrenOf(parent: number): { pid: number; command: string }[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" });
  return lines.split("\n").flatMap((line) => {
    const [, pid, ppid, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return Number(ppid) === parent && command !== undefined ? [{ pid: Number(pid), command }] : [];
  });
}

/** The pool of a worker process, from the start order in its environment. */
function poolOf(pid: number): string | null {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
    return /"pool":"([^"]+)"/.exec(environment)?.[1] ?? null;
  } catch {
    // Ignored: the process is gone, or this system does not tell.
    return null;
  }
}

function readLease(dataDir: string, pid: number): DaemonLease | null {
  try {
    const lease = JSON.parse(readFileSync(join(dataDir, "daemon.json"), "utf8")) as DaemonLease;
    return lease.pid === pid ? lease : null;
  } catch {
    // Ignored: not written yet.
    return null;
  }
}

/** A fixed port, so that the worker started by hand and the clients find the server again after a restart. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
