import { once } from "node:events";
import { describe } from "../../shared/errors.ts";
import type { DaemonLease } from "../../shared/settings.ts";
import type { Context } from "./context.ts";
import { startDaemon } from "./start-daemon.ts";
import { absolutePath } from "./values.ts";

interface Options {
  readonly detach?: boolean;
  readonly config?: string;
  readonly workspace?: string;
  readonly timeout: number;
}

/** Starts the daemon: in the background, or here until Ctrl-C. */
export async function run(context: Context, _: unknown, options: Options): Promise<number> {
  const { io, dataDir } = context;
  const { child, lease } = await startDaemon(
    {
      dataDir,
      workspace: absolutePath(io.cwd, options.workspace ?? "."),
      config: options.config === undefined ? undefined : absolutePath(io.cwd, options.config),
      timeoutMs: options.timeout,
      stop: io.stop,
      now: io.now,
    },
    options.detach ? "background" : "foreground",
  );
  tellReady(context, lease);
  await tellTroubles(context);
  if (options.detach) {
    child.unref();
    context.hint("`msgsys status` tells how it is, `msgsys down` stops it.");
    return 0;
  }
  context.hint("Ctrl-C stops it.");
  const ended = once(child, "exit");
  io.stop.addEventListener("abort", () => child.kill("SIGTERM"));
  const [code] = (await ended) as [number | null];
  return code ?? 1;
}

function tellReady(context: Context, lease: DaemonLease): void {
  const { pid, natsUrl, version } = lease;
  context.result(
    { state: "ready", dataDir: context.dataDir, pid, version, natsUrl },
    () => `The daemon is ready (pid ${pid}) on ${context.dataDir}, NATS at ${natsUrl}.`,
  );
}

/** A daemon can be ready and yet lack something, e.g. the workspace's own tasks when their file is broken. */
async function tellTroubles(context: Context): Promise<void> {
  try {
    const { daemon } = await (await context.client()).status();
    for (const trouble of new Set(daemon.degraded))
      context.hint(`${context.errPaint("yellow", "Degraded:")} ${trouble}`);
  } catch (error) {
    context.hint(
      `Its state could not be asked (${describe(error)}); \`msgsys status\` tries again.`,
    );
  }
}
