import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { createUser } from "@nats-io/nkeys";
import type { EnqueueRow } from "../../daemon/audit/audit-store.ts";
import { startAudit } from "../../daemon/audit/start-audit.ts";
import { noLog } from "../../daemon/log.ts";
import { connectNats } from "../../daemon/nats/connect.ts";
import { createWire, type Wire } from "../../daemon/nats/wire.ts";
import { createNames } from "../../shared/subjects.ts";
import { encodeRecord } from "../../shared/task.ts";
import { startNatsServer } from "../support/nats-server.ts";

const TASKS = Number(process.argv[2] ?? 100_000);
const BATCH = 100;
const LANES = 8;
const WINDOW = 1000;
const names = createNames();

/** One-sided costs of the audit, printed as JSON: rows journaled and records followed per second, and CPU per task. */
async function main(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "msgsys-bench-"));
  const nats = await startNatsServer();
  const seed = createUser().getSeed();
  const link = await connectNats({
    servers: nats.url,
    seed,
    name: "bench",
    inboxPrefix: "_INBOX_bench",
  });
  const wire = createWire(link.nc, { inbox: "_INBOX_bench.w", timeoutMs: 60_000 });
  await wire.api(`$JS.API.STREAM.CREATE.${names.stream.state}`, {
    name: names.stream.state,
    subjects: ["ms.state.*.*"],
    storage: "file",
    allow_direct: true,
  });
  const auditDeps = {
    dataDir: dir,
    nats: { servers: nats.url, seed: null, inboxPrefix: "_INBOX_audit" },
    prefix: "ms",
    log: noLog,
  };
  let audit = await startAudit(auditDeps);
  const ids = Array.from({ length: TASKS }, (_, i) => `t${String(i).padStart(9, "0")}`);

  const lone: number[] = [];
  for (let i = 0; i < 500; i += 1) {
    const at = performance.now();
    await audit.journalEnqueue([row(`lone${i}`)]);
    lone.push(performance.now() - at);
  }
  const enqueue = await measure(async () => {
    const lanes = Array.from({ length: LANES }, async (_, lane) => {
      for (let at = lane * BATCH; at < TASKS; at += LANES * BATCH)
        await audit.journalEnqueue(ids.slice(at, at + BATCH).map(row));
    });
    await Promise.all(lanes);
  });
  await audit.stop();

  const last = await publishLives(wire, ids);
  audit = await startAudit(auditDeps);
  const backlog = await measure(() => audit.written(last));
  const ids2 = ids.map((id) => `u${id}`);
  for (let at = 0; at < TASKS; at += 1000)
    await audit.journalEnqueue(ids2.slice(at, at + 1000).map(row));
  const live = await measure(async () => audit.written(await publishLives(wire, ids2)));

  const reader = audit.reader();
  const reads = timeReads(reader, ids);
  reader.close();
  await audit.stop();
  await link.drain();
  await nats.stop();
  rmSync(dir, { recursive: true, force: true });
  lone.sort((a, b) => a - b);
  console.log(
    JSON.stringify({
      tasks: TASKS,
      load: loadavg()[0],
      enqueueLoneMs: { p50: lone[250], p99: lone[495] },
      enqueue: { rowsPerSecond: perSecond(TASKS, enqueue), cpuUsPerTask: enqueue.cpuUs / TASKS },
      backlog: {
        recordsPerSecond: perSecond(2 * TASKS, backlog),
        cpuUsPerTask: backlog.cpuUs / TASKS,
      },
      live: {
        recordsPerSecond: perSecond(2 * TASKS, live),
        cpuUsPerTaskWithPublisher: live.cpuUs / TASKS,
      },
      reads,
    }),
  );
}

function row(id: string): EnqueueRow {
  return {
    id,
    name: "bench.noop",
    queue: "bench",
    level: 5,
    maxAttempts: 4,
    status: "waiting",
    input: '{"customer":1234567,"note":"a usual input is about this long","lines":[1,2,3,4]}',
    by: "owner",
    createdAt: Date.now(),
    dueAt: null,
    key: null,
    correlationId: null,
    traceId: null,
    category: null,
    phase: null,
    run: null,
  };
}

/** Two records a task, as a worker with many slots would write them. Returns the last sequence. */
async function publishLives(wire: Wire, ids: readonly string[]): Promise<number> {
  let last = 0;
  const send = async (id: string, text: string): Promise<void> => {
    const { seq } = await wire.publish(names.state("bench", id), text);
    last = Math.max(last, seq);
  };
  for (let at = 0; at < ids.length; at += WINDOW) {
    const some = ids.slice(at, at + WINDOW);
    const t = Date.now();
    const head = { g: 1, a: 1, l: 5, t, n: "bench.noop", w: "bench-fast-1" };
    await Promise.all(
      some.map((id) => send(id, encodeRecord({ s: "running", ...head, m: at + 1, st: t }))),
    );
    await Promise.all(
      some.map((id) =>
        send(id, encodeRecord({ s: "completed", ...head, st: t, du: 1.25, r: { ok: true } })),
      ),
    );
  }
  return last;
}

interface Measured {
  readonly ms: number;
  readonly cpuUs: number;
}

async function measure(work: () => Promise<unknown>): Promise<Measured> {
  const at = performance.now();
  const cpu = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { ms: performance.now() - at, cpuUs: user + system };
}

function perSecond(n: number, { ms }: Measured): number {
  return Math.round((n * 1000) / ms);
}

function timeReads(
  reader: ReturnType<Awaited<ReturnType<typeof startAudit>>["reader"]>,
  ids: readonly string[],
) {
  const timed = (work: () => unknown): number => {
    const at = performance.now();
    work();
    return performance.now() - at;
  };
  reader.counts();
  return {
    taskUs: (timed(() => ids.slice(0, 1000).map((id) => reader.task(id))) * 1000) / 1000,
    countsMs: timed(() => reader.counts()),
    listMs: timed(() => reader.list({}, 50, null)),
    listDeadMs: timed(() => reader.list({ status: ["dead", "waiting"] }, 50, null)),
    listTextMs: timed(() => reader.list({ text: "nothing-like-it" }, 50, null)),
    durationsMs: timed(() => reader.query("durations", 24)),
    byStatusMs: timed(() => reader.query("by-status", 24)),
    endedSinceMs: timed(() => reader.endedSince(Date.now() - 60_000)),
    verifyMs: timed(() => reader.verify()),
  };
}

await main();
