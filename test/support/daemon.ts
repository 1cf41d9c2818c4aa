import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ConnectedClient, connect } from "../../daemon/sdk.ts";
import type { DaemonLease } from "../../shared/settings.ts";
import { until } from "./until.ts";

const MAIN = fileURLToPath(new URL("../../daemon/main.ts", import.meta.url));
const WORKSPACE = fileURLToPath(new URL("../fixtures/workspace", import.meta.url));

/** A real daemon process on a data directory of its own, with its nats-server and workers. */
export interface TestDaemon {
  readonly dataDir: string;
  readonly client: ConnectedClient;
  readonly child: ChildProcess;
  lease(): DaemonLease | null;
  /** SIGKILL, and wait until the process is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same directory, after a kill. */
  restart(): Promise<TestDaemon>;
  /** Orderly stop, everything closed, the directory removed. */
  close(): Promise<void>;
}

export interface TestDaemonOptions {
  readonly dataDir?: string;
  readonly workspace?: string;
  /** Settings by dotted key. */
  readonly set?: Readonly<Record<string, string | number>>;
}

/**
 * Short intervals, so that rules about time are seen soon. The grace is longer than a busy machine makes a heartbeat late,
 * and than the news of a killed process needs to come after that of its broken connection.
 */
const QUICK: Readonly<Record<string, string | number>> = {
  "lease.heartbeatMs": 200,
  "lease.graceMs": 1500,
  reconcileMs: 1000,
  // Many daemons run beside each other here.
  "dashboard.port": 0,
};

export async function startDaemon(options: TestDaemonOptions = {}): Promise<TestDaemon> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "msgsys-test-"));
  const settings = { ...QUICK, ...options.set };
  const flags = Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const child = spawn(
    process.execPath,
    [MAIN, "--data", dataDir, "--workspace", options.workspace ?? WORKSPACE, ...flags],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const lease = (): DaemonLease | null => readLeaseOf(dataDir, child.pid ?? 0);
  await until(
    () => {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`the daemon ended: ${errors}`);
      return lease()?.state;
    },
    (state) => state === "ready",
  );
  const client = await connect({ dataDir });
  const gone = async (): Promise<void> => {
    await until(() => child.exitCode !== null || child.signalCode !== null);
  };
  return {
    dataDir,
    client,
    child,
    lease,
    async kill() {
      child.kill("SIGKILL");
      await gone();
      await client.close();
    },
    restart: () => startDaemon({ ...options, dataDir }),
    async close() {
      await client.close();
      child.kill("SIGTERM");
      await gone();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function readLeaseOf(dataDir: string, pid: number): DaemonLease | null {
  try {
    const lease = JSON.parse(readFileSync(join(dataDir, "daemon.json"), "utf8")) as DaemonLease;
    return lease.pid === pid ? lease : null;
  } catch {
    // Ignored: not written yet.
    return null;
  }
}
