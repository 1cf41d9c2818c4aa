import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DATA_FILES } from "../../shared/settings.ts";
import { QUEUE_PATTERN } from "../../shared/subjects.ts";
import { entryUrl } from "../entry.ts";
import { seedFile } from "../nats/keys.ts";
import { NODE_FLAGS, nodeEnv } from "../node-process.ts";
import { findDaemon } from "../sdk/find-daemon.ts";
import { loadSettings } from "../settings.ts";
import { WORKER_ENV, type WorkerProcessStart } from "../worker/worker-process.ts";
import type { Context } from "./context.ts";
import { absolutePath, badUsage } from "./values.ts";

interface Options {
  readonly queues: string;
  readonly pool: string;
  readonly slots: number;
  readonly config?: string;
}

const MAIN = fileURLToPath(entryUrl("worker"));
const CONFIG_NAME = "msgsys.config.ts";

/** Starts one more pool of workers and stays until Ctrl-C. It logs in as a worker, with that key or the one of --creds. */
export async function run(context: Context, _: unknown, options: Options): Promise<number> {
  const { io } = context;
  const start = await startOf(context, options);
  const child = spawn(process.execPath, [...NODE_FLAGS, MAIN], {
    // Its log lines are no result.
    stdio: ["ignore", 2, 2, "ipc"],
    env: { ...io.env, ...(await nodeEnv()), [WORKER_ENV]: JSON.stringify(start) },
    detached: true,
  });
  const ended = once(child, "exit");
  child.once("message", () => {
    context.result(
      { pool: start.pool, queues: start.queues, pid: child.pid },
      () => `Pool ${start.pool} serves ${start.queues.join(", ")} (pid ${child.pid}).`,
    );
    context.hint("Ctrl-C stops it; running tasks may finish.");
  });
  io.stop.addEventListener("abort", () => child.kill("SIGTERM"));
  const [code] = (await ended) as [number | null];
  return code ?? 1;
}

async function startOf(context: Context, options: Options): Promise<WorkerProcessStart> {
  const { io, dataDir, globals } = context;
  const { settings } = await loadSettings({ cwd: io.cwd, env: io.env, flags: {} });
  const lease = globals.url === undefined ? findDaemon(dataDir, io.now()) : null;
  const creds = globals.creds ?? io.env["MSGSYS_CREDS"];
  return {
    servers: globals.url ?? lease!.natsUrl,
    tlsCert: io.env["MSGSYS_TLS_CERT"] ?? lease?.tlsCert,
    seedFile:
      creds === undefined
        ? seedFile(join(dataDir, DATA_FILES.keys), "worker")
        : absolutePath(io.cwd, creds),
    user: "worker",
    prefix: lease?.prefix ?? settings.nats.prefix,
    pool: options.pool,
    queues: queuesOf(options.queues),
    namedByOthers: Object.values(settings.workers.pools)
      .flatMap(({ queues }) => queues)
      .filter((queue) => queue !== "*"),
    slots: options.slots,
    expressSlots: 1,
    dataDir,
    configFile: configOf(context, options.config, settings.workers.config),
    drainMs: settings.workers.drainMs,
    parentPid: process.pid,
    logLevel: settings.logLevel,
  };
}

function queuesOf(text: string): string[] {
  return text.split(",").map((word) => {
    // `etl.*` is how a domain is written elsewhere; its tasks are the queue `etl`.
    const queue = word.trim().replace(/\.[*>]$/, "");
    if (queue === "*" || QUEUE_PATTERN.test(queue)) return queue;
    throw badUsage(
      `${word} is no queue; a queue is served whole, give part of its tasks a queue of their own.`,
    );
  });
}

function configOf(
  { io }: Context,
  given: string | undefined,
  setting: string | undefined,
): string | null {
  if (given !== undefined) return absolutePath(io.cwd, given);
  const here = join(io.cwd, CONFIG_NAME);
  return setting ?? (existsSync(here) ? here : null);
}
