import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { NODE_FLAGS, nodeEnv } from "../../daemon/node-process.ts";
import type { ConnectedClient } from "../../daemon/sdk.ts";

/**
 * msg_sys in the side-by-side benchmark of task queues: the interface that every peer there implements. One set of
 * settings, the defaults, serves every workload.
 */
export const name = "product";
export const title = "msg_sys";
export const packages: string[] = [];
export const can = { bulk: true, priority: true, escalate: true };
export const variants = { default: { durability: "default" }, safe: { durability: "strict" } };
export const safest = "safe";

const DEFAULTS = { concurrency: 10 };
export const tunings = {
  throughput: DEFAULTS,
  latency: DEFAULTS,
  priority: DEFAULTS,
  crashDefault: DEFAULTS,
  crashTuned: DEFAULTS,
};
export const tuneGrid = [{ concurrency: 10 }];

interface Conn {
  readonly dataDir: string;
}
interface Spec {
  readonly queue: string;
  readonly tuning?: { readonly concurrency?: number };
}
interface EnqueueOptions {
  readonly first?: number;
  readonly level?: keyof typeof LEVELS;
  readonly mode?: "seq" | "single" | "bulk";
  readonly inflight?: number;
  readonly size?: number;
  readonly p?: number;
}

const LEVELS = { top: 10, normal: 5, low: 2 } as const;
const READY_MS = 30_000;

/** The program as it is delivered: bundled, as `npm run build` and every set-up leave it. */
const BUNDLE = new URL("../../dist/", import.meta.url);
const { connect, defineTask, work } = (await import(
  new URL("sdk.mjs", BUNDLE).href
)) as typeof import("../../daemon/sdk.ts");
const MAIN = fileURLToPath(new URL("daemon.mjs", BUNDLE));

const nowUs = (): number => Number(process.hrtime.bigint()) / 1000;

/** A job whose JSON text has exactly `size` bytes; `t` is the enqueue time in microseconds. */
function makeJob(
  i: number,
  { p = 0, size = 256 }: { p?: number; size?: number },
): { i: number; p: number; t: number; pad: string } {
  const job = { i, p, t: Math.round(nowUs()), pad: "" };
  return { ...job, pad: "x".repeat(Math.max(0, size - JSON.stringify(job).length)) };
}

export async function start(
  variant: keyof typeof variants,
): Promise<{ conn: Conn; pid: number; dir: string; stop(): Promise<void> }> {
  const dir = mkdtempSync(join(process.env["BENCH_TMP"] ?? tmpdir(), "bench-msgsys-"));
  const args = [
    ...NODE_FLAGS,
    MAIN,
    "--data",
    dir,
    "--workspace",
    dir,
    "--set",
    "workers.pools={}",
    "--set",
    `nats.durability=${variants[variant].durability}`,
  ];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, ...(await nodeEnv()) },
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const deadline = Date.now() + READY_MS;
  while (!isReady(dir)) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error("the daemon did not start");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    conn: { dataDir: dir },
    pid: child.pid ?? 0,
    dir,
    async stop() {
      child.kill("SIGTERM");
      await exited;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function isReady(dir: string): boolean {
  try {
    return (
      (JSON.parse(readFileSync(join(dir, "daemon.json"), "utf8")) as { state: string }).state ===
      "ready"
    );
  } catch {
    // Ignored: the file is not there yet.
    return false;
  }
}

export async function open(conn: Conn, spec: Spec): Promise<object> {
  const client: ConnectedClient = await connect({ dataDir: conn.dataDir });
  const task = `${spec.queue}.job`;
  await client.request("declare", {
    definitions: [{ name: task, queue: spec.queue, inputSchema: {} }],
  });
  const put = (i: number, options: EnqueueOptions): ReturnType<typeof client.enqueue> =>
    client.enqueue(task, makeJob(i, options), { priority: LEVELS[options.level ?? "normal"] });
  return {
    async enqueue(n: number, options: EnqueueOptions = {}) {
      const first = options.first ?? 0;
      if (options.mode === "bulk") {
        for (let k = 0; k < n; k += 1000) {
          const items = Array.from({ length: Math.min(1000, n - k) }, (_, j) => ({
            task,
            input: makeJob(first + k + j, options),
            priority: LEVELS[options.level ?? "normal"],
          }));
          for (const outcome of await client.enqueueMany(items))
            if ("error" in outcome) throw outcome.error;
        }
        return;
      }
      let next = 0;
      const lane = async (): Promise<void> => {
        while (next < n) await put(first + next++, options);
      };
      const lanes = options.mode === "seq" ? 1 : (options.inflight ?? 100);
      await Promise.all(Array.from({ length: Math.min(lanes, n) }, lane));
    },
    async enqueueOne(i: number, options: EnqueueOptions = {}) {
      return (await put(i, options)).id;
    },
    async escalate(id: string, level: keyof typeof LEVELS) {
      await client.escalate(id, LEVELS[level], "benchmark");
    },
    async outstanding() {
      const { counts } = await client.status();
      return counts.waiting + counts.running + counts.scheduled + counts.retrying;
    },
    close: () => client.close(),
  };
}

/** `process` of the interface: a worker inside the harness's own worker process, by the SDK. */
async function process_(
  conn: Conn,
  spec: Spec,
  handler: (job: unknown) => unknown,
): Promise<{ stop(): Promise<void> }> {
  const worker = await work({
    dataDir: conn.dataDir,
    pool: spec.queue,
    queues: [spec.queue],
    slots: spec.tuning?.concurrency ?? DEFAULTS.concurrency,
    tasks: [defineTask({ name: `${spec.queue}.job`, input: z.any() }, handler)],
  });
  return { stop: () => worker.stop(1000) };
}

export { process_ as process };
