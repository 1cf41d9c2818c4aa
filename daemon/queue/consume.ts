import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import type { Names } from "../../shared/subjects.ts";
import { createLanes, isWaiting, type Lane } from "./lanes.ts";
import { type TaskMessage, toTaskMessage } from "./task-message.ts";

/** Which queues a pool serves: named ones, or every queue but some. */
export interface QueueChoice {
  serves(queue: string): boolean;
  /** Named queues; null: all that `serves` accepts. */
  readonly named: readonly string[] | null;
}

/** Pattern of a pool setting: names, or `*` for every queue that no other pool names. */
export function chooseQueues(
  queues: readonly string[],
  namedByOthers: readonly string[],
): QueueChoice {
  if (!queues.includes("*")) return { serves: (queue) => queues.includes(queue), named: queues };
  const others = new Set(namedByOthers.filter((queue) => !queues.includes(queue)));
  return { serves: (queue) => !others.has(queue), named: null };
}

export interface SweepDeps {
  readonly nc: NatsConnection;
  readonly names: Names;
  /** Subject prefix of this worker's own inbox. */
  readonly inbox: string;
  readonly choice: QueueChoice;
  /** Forced look at every level, in case a doorbell was lost: under load and when idle. Milliseconds. */
  readonly busyMs: number;
  readonly idleMs: number;
  /** How many messages of this level may be taken now. */
  capacity(level: number): number;
  onMessage(message: TaskMessage): void;
  /** A message on a task subject whose shape cannot be understood. */
  onUnreadable(msg: Msg): void;
  /** Names of the consumers of the task stream. */
  listConsumers(): Promise<string[]>;
  ensureConsumer(queue: string, level: number): Promise<void>;
  log(event: string, data: Record<string, unknown>): void;
}

export interface Sweep {
  /** Capacity grew, or work may have come: look again. */
  wake(): void;
  /** A level of a queue has become one to look at. */
  know(queue: string, level: number): void;
  /** The connection is a new one: what was asked of the former is void. */
  renew(): void;
  /** Stops pulling. Messages on their way are still delivered. */
  stop(): Promise<void>;
  /** How often a pull got no answer at all and was begun anew. */
  readonly deafPulls: number;
}

interface Pull {
  readonly lane: Lane;
  left: number;
  readonly done: (end: "full" | "empty" | "missing" | "silent") => void;
}

/** A pull that the server answers neither with messages nor with a status within this time is deaf. */
const DEAF_MS = 2000;
/** Above this many doorbells between two idle moments the doorbell is taken off: the forced sweep sees the rest. */
const BELL_LIMIT = 200;
const CONSUMER_LIST_MS = 30_000;

/**
 * Takes waiting tasks in strict order of level over all queues of a pool: before each pull the highest level that may
 * hold messages is chosen; levels known to be empty are skipped. The server's doorbell says where to look again, and a
 * forced sweep looks everywhere, because doorbells come at most once.
 */
export function createSweep(deps: SweepDeps): Sweep {
  const { nc, names, choice } = deps;
  const lanes = createLanes(names);
  let state: "running" | "stopping" | "stopped" = "running";
  let deafPulls = 0;
  let wakeUp: (() => void) | null = null;
  let wakePending = false;
  let pull: Pull | null = null;
  let bellsSinceIdle = 0;
  let bells: Subscription[] = [];

  const wake = (): void => {
    if (wakeUp) wakeUp();
    else wakePending = true;
  };

  const refreshLanes = async (): Promise<void> => {
    for (const name of await deps.listConsumers()) {
      const where = names.parseConsumer(name);
      if (where && choice.serves(where.queue)) lanes.add(where.queue, where.level);
    }
  };

  const onBell = (subject: string): void => {
    const where = names.parseBell(subject);
    if (where === null || !choice.serves(where.queue)) return;
    bellsSinceIdle++;
    lanes.ring(where.queue, where.level);
    if (bellsSinceIdle > BELL_LIMIT) unhang();
    wake();
  };
  const hang = (): void => {
    if (bells.length > 0 || state !== "running") return;
    const subjects = choice.named?.map((queue) => names.bell("*", queue)) ?? [names.bell("*", "*")];
    bells = subjects.map((subject) =>
      nc.subscribe(subject, { callback: (_err, m) => onBell(m.subject) }),
    );
  };
  const unhang = (): void => {
    for (const bell of bells) bell.unsubscribe();
    bells = [];
  };
  // Levels 8–10 ring always: they are rare, and they must be seen while every slot is busy.
  const highBells = [8, 9, 10].flatMap((level) =>
    (choice.named ?? ["*"]).map((queue) =>
      nc.subscribe(names.bell(level, queue), {
        callback: (_err, m) => {
          const where = names.parseBell(m.subject);
          if (where === null || !choice.serves(where.queue)) return;
          lanes.ring(where.queue, where.level);
          wake();
        },
      }),
    ),
  );

  const endPull = (end: "full" | "empty" | "missing" | "silent"): void => {
    const ended = pull;
    pull = null;
    ended?.done(end);
  };

  const onDelivery = (m: Msg): void => {
    if (m.subject.startsWith(deps.inbox)) {
      const code = m.headers?.code ?? 0;
      // 404, 408 and 409 end a pull; 503: the consumer is not there.
      if (pull !== null && m.subject.endsWith(`.${pull.lane.consumer}`)) {
        endPull(code === 503 ? "missing" : "empty");
      }
      return;
    }
    const message = toTaskMessage(names, m, Date.now());
    if (message === null) deps.onUnreadable(m);
    else deps.onMessage(message);
    if (
      pull !== null &&
      message !== null &&
      message.level === pull.lane.level &&
      message.queue === pull.lane.queue
    ) {
      lanes.brought(pull.lane);
      pull.left--;
      if (pull.left === 0) endPull("full");
    }
  };
  const inboxSub = nc.subscribe(`${deps.inbox}.*`, { callback: (_err, m) => onDelivery(m) });

  const waitSub = nc.subscribe(`${deps.inbox}w.*`, {
    callback: (_err, m) => {
      const ended = m.subject.startsWith(deps.inbox);
      const where = ended
        ? names.parseConsumer(m.subject.slice(deps.inbox.length + 2))
        : names.parseTask(m.subject);
      const lane = where === null ? undefined : lanes.get(names.consumer(where.queue, where.level));
      if (lane !== undefined) {
        lane.waitingUntil = 0;
        if (lane.rangWhileWaiting > 1) lane.maybe = true;
      }
      if (!ended) {
        const message = toTaskMessage(names, m, Date.now());
        if (message === null) deps.onUnreadable(m);
        else if (deps.capacity(message.level) > 0) deps.onMessage(message);
        else {
          // Every slot was taken meanwhile: somebody else may have one.
          nc.publish(message.ack, "-NAK");
          if (lane !== undefined) lane.maybe = true;
        }
      }
      wake();
    },
  });

  /**
   * Waits at the broker for the next message of each empty lane: on an idle system a task then comes straight here,
   * without a doorbell and a pull in between. One message a lane at most, so that order holds to that.
   */
  const waitAtLanes = (): void => {
    for (const lane of lanes.all()) {
      if (isWaiting(lane) || lane.maybe || deps.capacity(lane.level) === 0) continue;
      lane.waitingUntil = performance.now() + deps.idleMs;
      lane.rangWhileWaiting = 0;
      nc.publish(
        `$JS.API.CONSUMER.MSG.NEXT.${names.stream.tasks}.${lane.consumer}`,
        `{"batch":1,"expires":${deps.idleMs * 1_000_000}}`,
        { reply: `${deps.inbox}w.${lane.consumer}` },
      );
    }
  };

  const pullFrom = (lane: Lane, batch: number): Promise<"full" | "empty" | "missing" | "silent"> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => endPull("silent"), DEAF_MS);
      pull = {
        lane,
        left: batch,
        done: (end) => {
          clearTimeout(timer);
          resolve(end);
        },
      };
      nc.publish(
        `$JS.API.CONSUMER.MSG.NEXT.${names.stream.tasks}.${lane.consumer}`,
        `{"batch":${batch},"no_wait":true}`,
        { reply: `${deps.inbox}.${lane.consumer}` },
      );
    });

  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      if (wakePending) {
        wakePending = false;
        resolve();
        return;
      }
      const timer = setTimeout(() => {
        wakeUp = null;
        resolve();
      }, ms);
      wakeUp = () => {
        clearTimeout(timer);
        wakeUp = null;
        resolve();
      };
    });

  let lastForced = Number.NEGATIVE_INFINITY;
  let lastListed = Number.NEGATIVE_INFINITY;
  const force = async (nowMs: number, everyMs: number): Promise<void> => {
    if (nowMs - lastForced < everyMs) return;
    lastForced = nowMs;
    for (const lane of lanes.all()) lane.maybe = true;
    // Without doorbells nothing else would tell of a level whose news was lost.
    if (bells.length === 0 || nowMs - lastListed >= CONSUMER_LIST_MS) {
      lastListed = nowMs;
      await refreshLanes();
    }
  };

  const emptied = (lane: Lane): void => {
    const againMs = lanes.emptied(lane);
    if (againMs === null) return;
    const look = (): void => {
      lane.maybe = true;
      wake();
    };
    setTimeout(look, againMs).unref();
  };

  const step = async (): Promise<void> => {
    const nowMs = performance.now();
    await force(nowMs, bells.length > 0 && bellsSinceIdle === 0 ? deps.idleMs : deps.busyMs);
    const next = lanes.choose(deps.capacity);
    if (next === null) {
      const idle = !lanes.all().some((lane) => lane.maybe);
      if (idle && bells.length === 0) {
        // Hung before the look that finds all levels empty, so that nothing can arrive unseen in between.
        hang();
        for (const lane of lanes.all()) lane.maybe = true;
        return;
      }
      if (idle) {
        bellsSinceIdle = 0;
        waitAtLanes();
      }
      await sleep(idle ? deps.idleMs : deps.busyMs);
      return;
    }
    next.lane.maybe = true;
    const rang = next.lane.rang;
    const end = await pullFrom(next.lane, next.batch);
    if (end === "empty" && next.lane.rang === rang) emptied(next.lane);
    if (end === "missing" && state === "running") {
      deps.log("consumer_missing", { consumer: next.lane.consumer });
      await deps.ensureConsumer(next.lane.queue, next.lane.level);
    }
    if (end === "silent") {
      deafPulls++;
      deps.log("deaf_consumer", { consumer: next.lane.consumer });
    }
  };

  const run = async (): Promise<void> => {
    hang();
    while (state === "running") {
      try {
        await step();
      } catch (error) {
        deps.log("sweep_failed", { error: String(error) });
        await sleep(deps.busyMs);
      }
    }
  };
  const running = run();

  return {
    wake,
    know(queue, level) {
      if (!choice.serves(queue)) return;
      lanes.add(queue, level).maybe = true;
      wake();
    },
    renew() {
      for (const lane of lanes.all()) {
        lane.waitingUntil = 0;
        lane.maybe = true;
      }
      wake();
    },
    get deafPulls() {
      return deafPulls;
    },
    async stop() {
      if (state === "running") {
        state = "stopping";
        unhang();
        for (const bell of highBells) bell.unsubscribe();
        wake();
        await running;
        inboxSub.unsubscribe();
        waitSub.unsubscribe();
        state = "stopped";
      }
    },
  };
}
