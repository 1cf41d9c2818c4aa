import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { WorkerView } from "../../shared/control.ts";
import { describe } from "../../shared/errors.ts";
import type { Settings } from "../../shared/settings.ts";
import type { Clock } from "../../shared/time.ts";
import { entryUrl } from "../entry.ts";
import { POOL_RESTART_RULES, restartPolicy } from "../lifecycle/restart-policy.ts";
import { type ChildState, type SupervisedChild, superviseChild } from "../lifecycle/supervise.ts";
import type { Log } from "../log.ts";
import { NODE_FLAGS } from "../node-process.ts";
import { WORKER_ENV, type WorkerProcessStart } from "./worker-process.ts";

export interface PoolsDeps {
  readonly settings: Settings;
  readonly dataDir: string;
  readonly logsDir: string;
  readonly servers: string;
  readonly seedFile: string;
  readonly configFile: string | null;
  readonly clock: Clock;
  readonly log: Log;
  /** Variables for Node itself. */
  readonly nodeEnv: Readonly<Record<string, string>>;
  /** A worker process ended, however. */
  onExit(pid: number, why: string): void;
}

export interface Pools {
  /** Pools whose process is not there: for the status. */
  missing(): WorkerView[];
  stop(): Promise<void>;
}

const MAIN = fileURLToPath(entryUrl("worker"));
const READY_LIMIT_MS = 20_000;
const KILL_GRACE_MS = 2000;

/** One supervised worker process per pool of the settings. Resolves when each is ready or has given up its first start. */
export async function startPools(deps: PoolsDeps): Promise<Pools> {
  const pools = Object.entries(deps.settings.workers.pools);
  const states = new Map<string, ChildState>();
  const children = new Map<string, SupervisedChild>();
  let stopped = false;
  await Promise.all(
    pools.map(async ([name]) => {
      const start = startOf(deps, name);
      try {
        const child = await superviseChild({
          name: `worker-${name}`,
          spawn: () => spawnWorker(deps, start),
          ready,
          policy: restartPolicy(POOL_RESTART_RULES),
          clock: deps.clock,
          log: deps.log,
          onState: (state) => states.set(name, state),
        });
        children.set(name, child);
        if (stopped) await child.stop(KILL_GRACE_MS);
      } catch (error) {
        states.set(name, { kind: "given-up", why: describe(error), restarts: 0 });
        deps.log.error("worker pool not started", { pool: name, error: describe(error) });
      }
    }),
  );
  return {
    missing() {
      return pools.flatMap(([name, pool]) => {
        const state = states.get(name);
        if (state === undefined || state.kind === "running" || state.kind === "stopped") return [];
        const why = "why" in state ? `${state.why}; its log is ${logOf(deps, name)}` : null;
        return [
          {
            id: `(${name})`,
            pool: name,
            queues: pool.queues,
            pid: 0,
            host: "",
            slots: pool.slots,
            running: 0,
            state: state.kind === "given-up" ? ("given-up" as const) : ("starting" as const),
            startedAt: new Date(deps.clock.now()).toISOString(),
            lastBeatAt: null,
            error: why,
          },
        ];
      });
    },
    async stop() {
      stopped = true;
      await Promise.all(
        [...children.values()].map((child) =>
          child.stop(deps.settings.workers.drainMs + KILL_GRACE_MS),
        ),
      );
    },
  };
}

function startOf(deps: PoolsDeps, name: string): WorkerProcessStart {
  const { pools, drainMs } = deps.settings.workers;
  const pool = pools[name]!;
  return {
    servers: deps.servers,
    tlsCert: deps.settings.nats.tlsCert,
    seedFile: deps.seedFile,
    user: "worker",
    prefix: deps.settings.nats.prefix,
    pool: name,
    queues: pool.queues,
    namedByOthers: Object.entries(pools).flatMap(([other, { queues }]) =>
      other === name ? [] : queues.filter((queue) => queue !== "*"),
    ),
    slots: pool.slots,
    expressSlots: pool.expressSlots,
    dataDir: deps.dataDir,
    configFile: deps.configFile,
    drainMs,
    parentPid: process.pid,
    logLevel: deps.settings.logLevel,
  };
}

function logOf(deps: PoolsDeps, pool: string): string {
  return join(deps.logsDir, `worker-${pool}.log`);
}

function spawnWorker(deps: PoolsDeps, start: WorkerProcessStart): ChildProcess {
  const out = openSync(logOf(deps, start.pool), "a", 0o600);
  try {
    const child = spawn(process.execPath, [...NODE_FLAGS, MAIN], {
      stdio: ["ignore", out, out, "ipc"],
      env: { ...process.env, ...deps.nodeEnv, [WORKER_ENV]: JSON.stringify(start) },
    });
    child.once("exit", (code, signal) => {
      if (child.pid !== undefined)
        deps.onExit(
          child.pid,
          signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`,
        );
    });
    return child;
  } finally {
    closeSync(out);
  }
}

/** The worker says over its channel that the daemon has welcomed it. */
function ready(child: ChildProcess, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(
      () => reject(new Error(`it was not ready within ${READY_LIMIT_MS} ms`)),
      READY_LIMIT_MS,
    );
    const end = (act: () => void): void => {
      clearTimeout(limit);
      act();
    };
    child.once("message", () => end(resolve));
    signal.addEventListener(
      "abort",
      () => end(() => reject(new Error("it ended before it was ready"))),
      { once: true },
    );
  });
}
