import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../../shared/errors.ts";
import { isProcessAlive } from "../lifecycle/process-alive.ts";
import type { Log } from "../log.ts";
import { runProgram } from "./run-program.ts";
import { readPorts, readServerPid, type ServerFiles } from "./server-files.ts";
import { readGreeting } from "./server-info.ts";

const GRACE_MS = 5000;
const POLL_MS = 20;

/**
 * Ends a server of this data directory that outlived its daemon. Two servers on one store destroy it and JetStream takes
 * no lock, so nothing may start before this has resolved. It is stopped and not adopted: a process that is not our child
 * would outlive us again. A process that only has the same number as a dead server of ours is left alone.
 * Throws `nats-server-failed` when it cannot be ended.
 */
export async function stopOrphan(deps: {
  readonly files: ServerFiles;
  readonly host: string;
  readonly installId: string;
  readonly log: Log;
}): Promise<void> {
  const { files, log } = deps;
  const pid = await readServerPid(files);
  if (pid === null || !isProcessAlive(pid)) return;
  if (!(await isOurs(pid, deps))) {
    log.info("stale pid file of nats-server", { pid });
    return;
  }
  log.warn("nats-server without its daemon found", { pid });
  if (await ended(pid, "SIGTERM")) return;
  if (await ended(pid, "SIGKILL")) return;
  throw new AppError("nats-server-failed", {
    what: `a former one (pid ${pid}) holds the data and cannot be ended`,
    log: files.log,
  });
}

/** Either it greets with our installation's id, or its command line names our configuration file. */
async function isOurs(
  pid: number,
  deps: { readonly files: ServerFiles; readonly host: string; readonly installId: string },
): Promise<boolean> {
  if ((await commandLine(pid)).includes(deps.files.config)) return true;
  const ports = await readPorts(deps.files);
  if (ports === null) return false;
  return readGreeting(deps.host, ports.client, 1000).then(
    (greeting) => greeting.serverName === deps.installId,
    // Ignored: whatever is there, it does not show that it is ours.
    () => false,
  );
}

/** The command line of a process; "" where the system does not tell. */
async function commandLine(pid: number): Promise<string> {
  try {
    if (process.platform === "linux")
      return (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ");
    if (process.platform === "win32") return "";
    const ps = await runProgram("ps", ["-p", String(pid), "-o", "command="], { timeoutMs: 2000 });
    return ps.stdout;
  } catch {
    // Ignored: the process ended meanwhile, or `ps` is missing; the greeting decides then.
    return "";
  }
}

async function ended(pid: number, signal: NodeJS.Signals): Promise<boolean> {
  try {
    process.kill(pid, signal);
  } catch {
    // Ignored: it ended meanwhile, which the loop below sees.
  }
  const endMs = performance.now() + GRACE_MS;
  while (isProcessAlive(pid)) {
    if (performance.now() > endMs) return false;
    await sleep(POLL_MS);
  }
  return true;
}
