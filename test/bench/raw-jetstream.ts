import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { defaultCacheDir, locateNatsServer } from "../../daemon/nats/locate.ts";
import { until } from "../support/until.ts";
import { makeJob } from "./job.ts";
import type { EnqueueOptions, LevelName, Queue, SystemKind, Variant } from "./system.ts";

interface Conn {
  readonly servers: string;
}

const LEVELS: Readonly<Record<LevelName, number>> = { top: 10, normal: 5, low: 2 };
/** As the product's server has it, so that both have the same promise about a power cut. */
const SYNC: Readonly<Record<Variant, string>> = { default: '"100ms"', safe: "always" };
const BATCH = 1000;
const TIMEOUT_MS = 60_000;
const PREFETCH = { throughput: 2000, latency: 10 } as const;
const SLOTS = { throughput: 100, latency: 10 } as const;
const MAX_ACK_PENDING = 20_000;

/**
 * The floor: one work-queue stream on disk, a durable pull consumer per level, the stock client; no audit, no results, no
 * retries, no check of rights, and an acknowledgement that nobody fences.
 */
export const raw: SystemKind = {
  async start(variant, base) {
    const { path } = await locateNatsServer({
      cacheDir: await defaultCacheDir(),
      allowDownload: true,
      log: () => {},
    });
    const dir = mkdtempSync(join(base, "raw-"));
    const conf = join(dir, "nats.conf");
    writeFileSync(
      conf,
      `host: 127.0.0.1\nport: -1\nports_file_dir: "${dir}"\nlog_file: "${join(dir, "nats.log")}"
jetstream { store_dir: "${join(dir, "js")}", max_file_store: 8GB, sync_interval: ${SYNC[variant]} }\n`,
    );
    const child = spawn(path, ["-c", conf], { stdio: "ignore" });
    const url = await until(() => readUrl(dir, child), Boolean);
    const conn: Conn = { servers: url };
    return {
      conn,
      pids: { nats: child.pid ?? 0 },
      open: (queue) => openQueue(conn, queue),
      check: async () => null,
      async stop() {
        const gone = once(child, "exit");
        child.kill("SIGTERM");
        await gone;
        rmSync(dir, { recursive: true, force: true });
      },
    };
  },

  async work(conn, { queue, aim, levels }, handler) {
    const { nc, js, jsm } = await openConnection(conn as Conn);
    await ensureStream(jsm, queue);
    const lanes: JsMsg[][] = levels.map(() => []);
    let busy = 0;
    const finish = (message: JsMsg): void => {
      busy -= 1;
      message.ack();
      pump();
    };
    const run = (message: JsMsg): void => {
      busy += 1;
      const running = handler(message.json());
      if (running instanceof Promise) void running.then(() => finish(message));
      else {
        busy -= 1;
        message.ack();
      }
    };
    const pump = (): void => {
      while (busy < SLOTS[aim]) {
        const message = lanes.find((lane) => lane.length > 0)?.shift();
        if (message === undefined) return;
        run(message);
      }
    };
    for (const [at, level] of levels.entries()) {
      const consumer = await js.consumers.get(queue, await ensureConsumer(jsm, queue, level));
      await consumer.consume({
        max_messages: PREFETCH[aim],
        callback: (message) => {
          lanes[at]?.push(message);
          pump();
        },
      });
    }
    return { stop: () => nc.close() };
  },
};

function readUrl(dir: string, child: ChildProcess): string {
  if (child.exitCode !== null) throw new Error(`nats-server ended with ${child.exitCode}`);
  try {
    const text = readFileSync(join(dir, `nats-server_${child.pid}.ports`), "utf8");
    return (JSON.parse(text) as { nats: string[] }).nats[0] ?? "";
  } catch {
    // Ignored: the file is not there yet, or half written.
    return "";
  }
}

async function openConnection(
  conn: Conn,
): Promise<{ nc: NatsConnection; js: JetStreamClient; jsm: JetStreamManager }> {
  const nc = await connect({ ...conn });
  return { nc, js: jetstream(nc, { timeout: TIMEOUT_MS }), jsm: await jetstreamManager(nc) };
}

async function ensureStream(jsm: JetStreamManager, queue: string): Promise<void> {
  await jsm.streams.add({
    name: queue,
    subjects: [`${queue}.*`],
    retention: "workqueue",
    storage: "file",
    allow_atomic: true,
  });
}

async function ensureConsumer(
  jsm: JetStreamManager,
  queue: string,
  level: LevelName,
): Promise<string> {
  const { name } = await jsm.consumers.add(queue, {
    durable_name: `level-${LEVELS[level]}`,
    filter_subject: `${queue}.${LEVELS[level]}`,
    ack_policy: "explicit",
    max_ack_pending: MAX_ACK_PENDING,
  });
  return name;
}

async function openQueue(conn: Conn, queue: string): Promise<Queue> {
  const { nc, js, jsm } = await openConnection(conn);
  await ensureStream(jsm, queue);
  const text = (i: number, p = 0): string => JSON.stringify(makeJob(i, p));
  const subjectOf = (level: LevelName = "normal"): string => `${queue}.${LEVELS[level]}`;

  /** Atomic batches of up to 1,000 messages. The sequences are consecutive and end with the one that is answered. */
  async function batches(n: number, message: (i: number) => [string, string]): Promise<number[]> {
    const seqs: number[] = [];
    for (let k = 0; k < n; k += BATCH) {
      const size = Math.min(BATCH, n - k);
      const last = await sendBatch(js, size, (j) => message(k + j));
      for (let seq = last - size + 1; seq <= last; seq++) seqs.push(seq);
    }
    return seqs;
  }

  return {
    async enqueue(
      n,
      { first = 0, level, mode = "single", inflight = 100, p }: EnqueueOptions = {},
    ) {
      const subject = subjectOf(level);
      if (mode === "bulk") {
        await batches(n, (i) => [subject, text(first + i, p)]);
        return;
      }
      let next = 0;
      const lane = async (): Promise<void> => {
        while (next < n) await js.publish(subject, text(first + next++, p));
      };
      const lanes = mode === "seq" ? 1 : inflight;
      await Promise.all(Array.from({ length: Math.min(lanes, n) }, lane));
    },
    async enqueueOne(i, { level, p } = {}) {
      return String((await js.publish(subjectOf(level), text(i, p))).seq);
    },
    async fill(levels) {
      const seqs = await batches(levels.length, (i) => [`${queue}.${levels[i]}`, text(i)]);
      return seqs.map(String);
    },
    // No feature of JetStream: the steps that it takes at least, without any protection against a rival.
    async move(id, level) {
      const seq = Number(id);
      const message = await jsm.streams.getMessage(queue, { seq });
      if (message === null) throw new Error(`no message ${seq}`);
      const copy = await js.publish(`${queue}.${level}`, message.data);
      await jsm.streams.deleteMessage(queue, seq, false);
      return String(copy.seq);
    },
    outstanding: async () => (await jsm.streams.info(queue)).state.messages,
    close: () => nc.close(),
  };
}

async function sendBatch(
  js: JetStreamClient,
  size: number,
  message: (j: number) => [subject: string, text: string],
): Promise<number> {
  if (size === 1) return (await js.publish(...message(0))).seq;
  const batch = await js.startBatch(...message(0), { timeout: TIMEOUT_MS });
  for (let j = 1; j < size - 1; j++) batch.add(...message(j));
  return (await batch.commit(...message(size - 1), { timeout: TIMEOUT_MS })).seq;
}
