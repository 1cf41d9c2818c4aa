import { join } from "node:path";
import { DATA_FILES } from "../../shared/settings.ts";
import type { TaskDefinition, TaskHooks, WorkspaceConfig } from "../define.ts";
import { type Log, noLog } from "../log.ts";
import { readSeed, seedFile } from "../nats/keys.ts";
import { dataDirOf } from "./data-dir.ts";
import { findDaemon } from "./find-daemon.ts";

/** What a worker inside a process of yours needs; the daemon is found as `connect` finds it. */
export interface WorkOptions {
  /** The tasks that it can run. */
  readonly tasks: readonly TaskDefinition[];
  /** Default: the queues of `tasks`. */
  readonly queues?: readonly string[];
  /** Name of the pool that people see. Default `embedded`. */
  readonly pool?: string;
  /** Handlers at a time. Default 10. */
  readonly slots?: number;
  /** Slots on top for levels 8–10. Default 1. */
  readonly expressSlots?: number;
  readonly hooks?: readonly TaskHooks[];
  /** Default: `MSGSYS_DATA`, else the data directory of this user. */
  readonly dataDir?: string;
  /** Address of the NATS server, for a daemon on another machine; with `creds`. */
  readonly url?: string;
  /** Seed file of a worker (nkey). Default: the one in the data directory. */
  readonly creds?: string;
  /** Prefix of the subjects, with `url` only. Default `ms`. */
  readonly prefix?: string;
  readonly log?: Log;
}

export interface Working {
  /** The worker's id, as `msgsys status` shows it. */
  readonly id: string;
  /** Takes no more, waits up to `drainMs` (default 3,000) for what runs, gives the rest back. */
  stop(drainMs?: number): Promise<void>;
}

const DRAIN_MS = 3000;

/**
 * Runs tasks in this process, beside the pools that the daemon supervises; its lease is kept by a thread of its own, and
 * its tasks go to others when this process ends. Resolves when the daemon has welcomed it.
 * Throws `daemon-not-running`, `daemon-version-mismatch`, `credentials-unreadable`, `credentials-refused`.
 */
export async function work(options: WorkOptions): Promise<Working> {
  const dataDir = dataDirOf(options.dataDir, process.env);
  const lease = options.url === undefined ? findDaemon(dataDir, Date.now()) : null;
  const { startWorker } = await import("../worker/start-worker.ts");
  const key = await readSeed(
    options.creds ?? seedFile(join(dataDir, DATA_FILES.keys), "worker"),
    "worker",
  );
  const worker = await startWorker({
    servers: options.url ?? lease!.natsUrl,
    tlsCert: process.env["MSGSYS_TLS_CERT"] ?? lease?.tlsCert,
    seed: key.seed,
    user: "worker",
    prefix: lease?.prefix ?? options.prefix ?? "ms",
    pool: options.pool ?? "embedded",
    queues: options.queues ?? [...new Set(options.tasks.map(({ queue }) => queue))],
    namedByOthers: [],
    slots: options.slots ?? 10,
    expressSlots: options.expressSlots ?? 1,
    // A worker treats every definition alike and lets its own schema decide what it takes.
    definitions: options.tasks as unknown as WorkspaceConfig["tasks"],
    hooks: options.hooks ?? [],
    parentPid: null,
    log: options.log ?? noLog,
  });
  return { id: worker.id, stop: (drainMs = DRAIN_MS) => worker.stop(drainMs) };
}
