import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { NODE_FLAGS, nodeEnv } from "../../daemon/node-process.ts";
import type { FromWorker, Sample, ToWorker, WorkerStart } from "./bench-worker.ts";
import { until } from "./wait.ts";

const SCRIPT = fileURLToPath(new URL("bench-worker.ts", import.meta.url));
const STOP_MS = 8000;

/** The external worker process as the measuring side sees it. */
export interface WorkerProcess {
  readonly pid: number;
  /** Tasks that have ended there. */
  count(): number;
  /** Begins to work; resolves when it is connected. */
  go(): Promise<void>;
  /** Resolves when it has ended `n` tasks in all. */
  reached(n: number): Promise<void>;
  /** The samples since the last call. */
  samples(): Promise<readonly Sample[]>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/** Starts the process as the daemon starts its workers, and resolves when its code is loaded. It ends with this one. */
export async function spawnWorker(start: WorkerStart): Promise<WorkerProcess> {
  const child = fork(SCRIPT, [JSON.stringify(start)], {
    execArgv: [...NODE_FLAGS],
    env: { ...process.env, ...(await nodeEnv()) },
  });
  let count = 0;
  const waiting = new Map<FromWorker["kind"], (message: FromWorker) => void>();
  child.on("message", (message: FromWorker) => {
    if (message.kind === "count") count = message.n;
    waiting.get(message.kind)?.(message);
  });
  const exited = once(child, "exit");
  const next = async (kind: FromWorker["kind"]): Promise<FromWorker> => {
    const answer = new Promise<FromWorker>((resolve) => waiting.set(kind, resolve));
    const gone = exited.then(() => {
      throw new Error(`the worker process ended with ${child.exitCode ?? child.signalCode}`);
    });
    return Promise.race([answer, gone]);
  };
  const say = (order: ToWorker): void => void child.send(order);
  await next("loaded");
  return {
    pid: child.pid ?? 0,
    count: () => count,
    async go() {
      const working = next("working");
      say("go");
      await working;
    },
    async reached(n) {
      await until(() => {
        if (child.exitCode !== null) throw new Error("the worker process ended");
        return count >= n;
      });
    },
    async samples() {
      const answer = next("samples");
      say("samples");
      const message = await answer;
      return message.kind === "samples" ? message.samples : [];
    },
    async stop() {
      say("stop");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      await exited;
      clearTimeout(timer);
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
