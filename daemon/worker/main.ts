import { setSourceMapsSupport } from "node:module";
import { AppError, fromUnknown } from "../../shared/errors.ts";
import { collectWhenIdle } from "../collect-when-idle.ts";
import { createStdoutLog, outliveFullDisk } from "../log-stdout.ts";
import { readSeed } from "../nats/keys.ts";
import { clsTasks } from "../pipelines/cls/tasks.ts";
import { loadWorkspace } from "./load-workspace.ts";
import { startWorker } from "./start-worker.ts";
import { WORKER_ENV, type WorkerProcessStart } from "./worker-process.ts";

/** Entry of a worker process: reads what its daemon (or `msgsys worker`) gave it, loads the tasks, works until told to stop. */
const start = JSON.parse(process.env[WORKER_ENV] ?? "null") as WorkerProcessStart | null;
if (start === null)
  throw new AppError("bad-usage", {
    what: "A worker process is started by the daemon or by `msgsys worker`.",
  });
// Handlers must not find the way to the keys in their environment.
delete process.env[WORKER_ENV];

let stopping = false;
// The daemon that started this worker is gone: its tasks go to the next daemon's workers, not on behind its back. Listened
// to from the first moment on, because without the broker, which went too, this start would wait for ever.
process.on("disconnect", () => {
  if (!stopping) process.exit(1);
});

outliveFullDisk();
const log = createStdoutLog({ pool: start.pool, pid: process.pid }, start.logLevel);
const key = await readSeed(start.seedFile, start.user);
// Authors may have compiled their tasks. From here on only: the maps of our own bundle would take 7 MB in each thread.
setSourceMapsSupport(true);
const builtIn = clsTasks({ dataDir: start.dataDir });
const workspace = await loadWorkspace(
  start.configFile,
  builtIn.map(({ name }) => name),
);
if (workspace.error !== null) log.error("config_not_loaded", { error: workspace.error.message });

const worker = await startWorker({
  ...start,
  seed: key.seed,
  definitions: [...builtIn, ...workspace.tasks],
  hooks: workspace.hooks,
  configError: workspace.error?.message ?? null,
  log,
});
log.info("worker_ready", { workerId: worker.id });
process.send?.({ ready: worker.id });
collectWhenIdle();

const stop = (signal: string): void => {
  if (stopping) process.exit(1);
  stopping = true;
  log.info("worker_stopping", { signal });
  worker.stop(start.drainMs).then(
    () => process.exit(0),
    (error: unknown) => {
      log.error("worker_stop_failed", { error: fromUnknown(error).message });
      process.exit(1);
    },
  );
};
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop(signal));
