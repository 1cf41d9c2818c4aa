import { nuid } from "@nats-io/nuid";
import { AppError, describe } from "../../shared/errors.ts";
import { createNames, type Names } from "../../shared/subjects.ts";
import type { TaskDefinition, TaskHooks, TaskLog } from "../define.ts";
import type { Log } from "../log.ts";
import { connectNats, type NatsLink, pinnedTls } from "../nats/connect.ts";
import { createGroup } from "../nats/group.ts";
import { taskConsumerConfig } from "../nats/streams.ts";
import { createWire, type Wire } from "../nats/wire.ts";
import { chooseQueues, createSweep, type Sweep } from "../queue/consume.ts";
import { createJournal } from "../queue/journal.ts";
import { describeWorker } from "./describe-worker.ts";
import type { Execution } from "./execution.ts";
import { createExecutor, type Executor } from "./executor.ts";
import { createHoldTable, type HoldTable } from "./hold-table.ts";
import { type LeaseKeeper, startLeaseKeeper } from "./lease-keeper.ts";
import { createProgressReporter, type ProgressReporter } from "./progress.ts";
import { ALL_WORKERS, type Hello, type Order, type OrderReply, type Welcome } from "./protocol.ts";

export interface WorkerOptions {
  readonly servers: string;
  /** PEM file of the server's certificate; absent: none is needed. */
  readonly tlsCert?: string | undefined;
  readonly seed: Uint8Array;
  /** User name in the subjects of control requests. */
  readonly user: string;
  readonly prefix: string;
  readonly pool: string;
  readonly queues: readonly string[];
  /** Queues that other pools name: `*` leaves them out. */
  readonly namedByOthers: readonly string[];
  readonly slots: number;
  readonly expressSlots: number;
  readonly definitions: readonly TaskDefinition<never, unknown>[];
  readonly hooks: readonly TaskHooks[];
  readonly configError?: string | null;
  /** End with this process: the daemon that started the worker. */
  readonly parentPid: number | null;
  readonly stopGraceMs?: number;
  readonly log: Log;
}

export interface RunningWorker {
  readonly id: string;
  readonly executor: Executor;
  readonly sweep: Sweep;
  /** Stops taking, waits up to `drainMs` for what runs, gives the rest back, leaves. */
  stop(drainMs: number): Promise<void>;
}

const HELLO_RETRY_MS = 250;
const STOP_GRACE_MS = 5000;

/** Starts a worker in this process: its connection, its lease, its sweep, its slots. Resolves when the daemon has welcomed it. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const id = nuid.next();
  const names = createNames(options.prefix);
  const inboxPrefix = `_INBOX_${options.user}`;
  const holds = createHoldTable();
  const lease = startLeaseKeeper({
    holds: holds.memory,
    servers: options.servers,
    tlsCert: options.tlsCert,
    seed: options.seed,
    inboxPrefix,
    workerId: id,
    beatSubject: names.heartbeat(id),
    parentPid: options.parentPid,
  });
  const connected = await connectNats({
    servers: options.servers.split(","),
    seed: options.seed,
    inboxPrefix,
    name: `worker:${id}`,
    waitOnFirstConnect: true,
    ...(options.tlsCert === undefined ? {} : { tls: pinnedTls(options.tlsCert) }),
  }).catch(async (error: unknown) => {
    await lease.stop();
    throw error;
  });
  const { nc } = connected;
  const wire = createWire(nc, { inbox: `${inboxPrefix}.${id}.r` });
  const hello = describeWorker(options, id);
  const welcome = await greet(connected, names, hello);
  beatUntilKept(connected, names.heartbeat(id), lease, welcome.heartbeatMs);
  const progress = createProgressReporter(nc, names);
  const executor = makeExecutor(options, {
    id,
    names,
    wire,
    welcome,
    progress,
    holds,
    wake: () => sweep?.wake(),
    setRunning: lease.setRunning,
  });
  let sweep: Sweep | null = null;
  sweep = createSweep({
    nc,
    names,
    inbox: `${inboxPrefix}.${id}.p`,
    choice: chooseQueues(options.queues, options.namedByOthers),
    busyMs: welcome.busyMs,
    idleMs: welcome.idleMs,
    capacity: executor.capacity,
    onMessage: executor.accept,
    onUnreadable: (msg) => {
      options.log.error("message_unreadable", { subject: msg.subject });
      if (msg.reply) nc.publish(msg.reply, "+TERM");
    },
    listConsumers: () => listConsumers(wire, names),
    ensureConsumer: async (queue, level) => {
      const config = taskConsumerConfig(names, queue, level, welcome.ackWaitMs);
      await wire.api(
        `$JS.API.CONSUMER.CREATE.${names.stream.tasks}.${config.durable_name}.${config.filter_subject}`,
        { stream_name: names.stream.tasks, config },
      );
    },
    log: (event, data) => options.log.warn(event, data),
  });
  const sayHello = (): void => {
    greet(connected, names, hello).catch((error: unknown) =>
      options.log.warn("hello_failed", { error: describe(error) }),
    );
  };
  const orders = nc.subscribe(names.order(id), {
    callback: (_err, m) => {
      const order = m.json<Order>();
      let done = false;
      if (order.kind === "cancel")
        done = executor.cancel(order.taskId, {
          kind: "cancel",
          by: order.by,
          role: order.role,
          why: order.why,
        });
      if (order.kind === "yield") {
        void executor
          .yieldTask(order.taskId)
          .then((claimed) => m.respond(JSON.stringify({ done: claimed } satisfies OrderReply)));
        return;
      }
      if (order.kind === "hello") sayHello();
      if (order.kind === "lost") executor.lost(order.taskId, order.claim);
      m.respond(JSON.stringify({ done } satisfies OrderReply));
    },
  });
  const news = nc.subscribe(names.order(ALL_WORKERS), {
    callback: (_err, m) => {
      const order = m.json<Order>();
      if (order.kind === "lane") sweep?.know(order.queue, order.level);
    },
  });
  connected.onState((state) => {
    if (state.kind !== "connected") return;
    // The daemon may be a new one that does not know this worker.
    sayHello();
    // Leases may have ended meanwhile, and the word of it found nobody.
    void executor.recheck();
    sweep?.renew();
  });
  await nc.flush();
  let stopped: Promise<void> | null = null;
  return {
    id,
    executor,
    sweep,
    stop(drainMs) {
      stopped ??= (async () => {
        await sweep?.stop();
        await executor.drain(drainMs);
        orders.unsubscribe();
        news.unsubscribe();
        nc.publish(names.hello(id), JSON.stringify({ id, goodbye: true }));
        await lease.stop();
        wire.close();
        await connected.drain();
      })();
      return stopped;
    },
  };
}

interface ExecutorParts {
  readonly id: string;
  readonly names: Names;
  readonly wire: Wire;
  readonly welcome: Welcome;
  readonly progress: ProgressReporter;
  readonly holds: HoldTable;
  wake(): void;
  setRunning(count: number): void;
}

function makeExecutor(options: WorkerOptions, parts: ExecutorParts): Executor {
  const { names, wire, welcome } = parts;
  const { nc } = wire;
  const byName = new Map(options.definitions.map((definition) => [definition.name, definition]));
  const call = async (verb: string, body: unknown, level?: number): Promise<unknown> => {
    const reply = await wire.api<{ ok: boolean; value?: unknown; error?: { message: string } }>(
      names.api(options.user, verb, level),
      body,
    );
    if (!reply.ok) throw new Error(reply.error?.message ?? "refused");
    return reply.value;
  };
  return createExecutor({
    wire,
    names,
    journal: createJournal(
      welcome.strict ? { wire, names, group: createGroup(wire) } : { wire, names },
    ),
    workerId: parts.id,
    now: () => Date.now(),
    random: Math.random,
    slots: options.slots,
    expressSlots: options.expressSlots,
    journalRetentionMs: welcome.journalRetentionMs,
    ackWaitMs: welcome.ackWaitMs,
    stopGraceMs: options.stopGraceMs ?? STOP_GRACE_MS,
    hooks: options.hooks,
    holds: parts.holds,
    definition: (name) => byName.get(name) ?? null,
    incomplete: (options.configError ?? null) !== null,
    knownElsewhere: async (name) => {
      try {
        return (await call("known", { name })) as boolean;
      } catch (error) {
        // Without the daemon's word the task is left to wait: a dead letter could not be taken back.
        options.log.warn("name_not_verified", { name, error: describe(error) });
        return true;
      }
    },
    terminal: async (ids) => {
      try {
        return new Set((await call("terminal", { ids })) as string[]);
      } catch (error) {
        options.log.warn("verify_failed", { error: describe(error) });
        return null;
      }
    },
    nak: (message, delayMs) =>
      nc.publish(
        message.ack,
        delayMs === null ? "-NAK" : `-NAK {"delay":${Math.max(1, Math.round(delayMs))}000000}`,
      ),
    working: (message) => nc.publish(message.ack, "+WPI"),
    ack: (message) => nc.publish(message.ack, "+ACK"),
    stale: (execution, outcome) => reportStale(parts, execution, outcome),
    onFree: parts.wake,
    onRunning: parts.setRunning,
    log: (event, data) => options.log.warn(event, data),
    taskLog: (execution) => taskLog(options, execution),
    progress: (execution, p) => parts.progress.report(execution, p),
    enqueue: async (execution, name, input, followUp) => {
      const item = {
        name,
        input: JSON.stringify(input ?? null),
        id: followUp.id,
        correlationId: execution.message.id,
        ...(followUp.priority === undefined ? {} : { priority: followUp.priority }),
        ...(followUp.delayMs === undefined ? {} : { runAt: Date.now() + followUp.delayMs }),
      };
      const level = followUp.priority ?? execution.message.level;
      const value = (await call("enqueue", { items: [{ ...item, priority: level }] }, level)) as {
        outcomes: [{ id: string; deduplicated: boolean } | { error: { message: string } }];
      };
      const [outcome] = value.outcomes;
      if ("error" in outcome) throw new AppError("internal", { what: outcome.error.message });
      return outcome;
    },
  });
}

function taskLog(options: WorkerOptions, execution: Execution): TaskLog {
  const ids = {
    taskId: execution.message.id,
    name: execution.message.name,
    attempt: execution.attempt,
  };
  return {
    info: (event, data) => options.log.info(event, { ...data, ...ids }),
    warn: (event, data) => options.log.warn(event, { ...data, ...ids }),
    error: (event, data) => options.log.error(event, { ...data, ...ids }),
  };
}

/** The lease keeper's thread takes a moment to connect: until then the heartbeats come from here. */
function beatUntilKept(
  { nc }: NatsLink,
  subject: string,
  lease: LeaseKeeper,
  everyMs: number,
): void {
  const timer = setInterval(() => {
    if (nc.isClosed()) clearInterval(timer);
    else nc.publish(subject, JSON.stringify({ running: 0, blockedMs: 0 }));
  }, everyMs);
  timer.unref();
  void lease.connected.then(() => {
    clearInterval(timer);
    lease.beat(everyMs);
  });
}

/** A completion that came too late is a fact worth keeping: the daemon writes it to the audit. */
function reportStale(parts: ExecutorParts, execution: Execution, outcome: string): void {
  parts.wire.nc.publish(
    parts.names.event(`task.stale.${execution.message.id}`),
    JSON.stringify({
      taskId: execution.message.id,
      generation: execution.message.generation,
      attempt: execution.attempt,
      worker: parts.id,
      outcome,
    }),
  );
}

async function listConsumers(wire: Wire, names: Names): Promise<string[]> {
  const all: string[] = [];
  for (;;) {
    const page = await wire.api<{ total: number; consumers: string[] | null }>(
      `$JS.API.CONSUMER.NAMES.${names.stream.tasks}`,
      { offset: all.length },
    );
    all.push(...(page.consumers ?? []));
    if (all.length >= page.total || !page.consumers?.length) return all;
  }
}

/** Says hello until a daemon answers: without its terms a worker must not take tasks. */
async function greet(connected: NatsLink, names: Names, hello: Hello): Promise<Welcome> {
  const body = JSON.stringify(hello);
  for (;;) {
    try {
      const reply = await connected.nc.request(names.hello(hello.id), body, { timeout: 2000 });
      return reply.json<Welcome>();
    } catch (error) {
      if (connected.nc.isClosed()) throw error;
      // Ignored: no daemon listens yet; it is asked again until it does.
      await new Promise((resolve) => setTimeout(resolve, HELLO_RETRY_MS));
    }
  }
}
