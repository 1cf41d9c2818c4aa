import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@nats-io/transport-node";
import { defaultCacheDir, locateNatsServer } from "../../daemon/nats/locate.ts";
import { until } from "./until.ts";

/** A private broker with JetStream on a free loopback port, in a directory that goes with it. */
export interface TestNatsServer {
  readonly url: string;
  readonly port: number;
  /** Where its streams are; a test may put an older copy there while the server is down. */
  readonly storeDir: string;
  /** `SIGKILL`, as a crash; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port with the same store. */
  restart(): Promise<void>;
  /** Kills it and removes its directory. */
  stop(): Promise<void>;
}

let binary: Promise<string> | null = null;

function findBinary(): Promise<string> {
  binary ??= defaultCacheDir()
    .then((cacheDir) => locateNatsServer({ cacheDir, allowDownload: true, log: () => {} }))
    .then(({ path }) => path);
  return binary;
}

/** `config`: more lines for the server's configuration. Fails with the server's log when it does not come up. */
export async function startNatsServer(config = ""): Promise<TestNatsServer> {
  const path = await findBinary();
  const dir = mkdtempSync(join(tmpdir(), "msgsys-nats-"));
  const log = join(dir, "nats.log");
  const storeDir = join(dir, "js");
  let child: ChildProcess | null = null;
  let port = -1;

  async function start(): Promise<void> {
    const conf = join(dir, "nats.conf");
    writeFileSync(
      conf,
      `host: 127.0.0.1\nport: ${port}\nports_file_dir: "${dir}"\nlog_file: "${log}"\nmax_payload: 8MB
jetstream { store_dir: "${storeDir}", max_file_store: 2GB, sync_interval: "100ms" }\n${config}\n`,
    );
    const running = spawn(path, ["-c", conf], { stdio: "ignore" });
    child = running;
    const portsFile = join(dir, `nats-server_${running.pid}.ports`);
    try {
      const url = await until(
        () => readUrl(portsFile),
        (found) => found !== null,
      );
      port = Number(new URL(url ?? "").port);
      const nc = await connect({ servers: `127.0.0.1:${port}`, reconnect: false });
      await nc.close();
    } catch (error) {
      throw new Error(`nats-server did not start: ${readFileSync(log, "utf8").slice(-2000)}`, {
        cause: error,
      });
    }
  }

  async function kill(): Promise<void> {
    const running = child;
    child = null;
    if (running === null || running.exitCode !== null) return;
    const gone = once(running, "exit");
    running.kill("SIGKILL");
    await gone;
  }

  await start();
  return {
    get url() {
      return `nats://127.0.0.1:${port}`;
    },
    get port() {
      return port;
    },
    storeDir,
    kill,
    restart: start,
    async stop() {
      await kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function readUrl(portsFile: string): string | null {
  try {
    const ports = JSON.parse(readFileSync(portsFile, "utf8")) as { nats: string[] };
    return ports.nats[0] ?? null;
  } catch {
    // Ignored: the file is not there yet, or half written.
    return null;
  }
}
