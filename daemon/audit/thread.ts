import { parentPort, workerData } from "node:worker_threads";
import { createUser } from "@nats-io/nkeys";
import { fromUnknown } from "../../shared/errors.ts";
import { createNames } from "../../shared/subjects.ts";
import { systemClock } from "../clock.ts";
import { collectWhenIdle } from "../collect-when-idle.ts";
import type { Log } from "../log.ts";
import { connectNats, type NatsLink, pinnedTls } from "../nats/connect.ts";
import { type AuditService, createAuditService } from "./audit-service.ts";
import type { EnqueueJournaled } from "./audit-store.ts";
import { createFlowCounter } from "./flow-counts.ts";
import {
  type AuditNats,
  BOARD,
  type FromThread,
  type QuestionKind,
  type Questions,
  type ThreadData,
  type ToThread,
} from "./messages.ts";
import type { Writer } from "./writer.ts";

const data = workerData as ThreadData;
const board = new BigInt64Array(data.board);
const tell = (message: FromThread): void => parentPort?.postMessage(message);
const put = (place: number) => (seq: number) => {
  Atomics.store(board, place, BigInt(seq));
};

const line = (level: "debug" | "info" | "warn" | "error"): Log["info"] => {
  return (event, facts = {}) => tell({ kind: "log", level, event, data: facts });
};
const log: Log = {
  debug: line("debug"),
  info: line("info"),
  warn: line("warn"),
  error: line("error"),
  child: () => log,
};

const RECONNECT_MS = 1000;

/**
 * Keeps the service connected. A connection comes back by itself, unless the broker refused the credentials: then it is
 * made anew until it works, because the users of a broker may be put right while the daemon runs.
 */
async function keepConnected(service: AuditService): Promise<never> {
  for (;;) {
    try {
      const link = await connectTo(data.nats);
      service.connected(link);
      await link.nc.closed();
    } catch (error) {
      log.error("audit not connected", { why: fromUnknown(error).message });
    }
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
  }
}

async function connectTo(nats: AuditNats): Promise<NatsLink> {
  const tls = nats.pinnedCertFile === undefined ? nats.tls : pinnedTls(nats.pinnedCertFile);
  return connectNats({
    servers: nats.servers,
    // A broker without users asks for no signature; any key does.
    seed: nats.seed === null ? createUser().getSeed() : new TextEncoder().encode(nats.seed),
    name: "msgsys-audit",
    inboxPrefix: nats.inboxPrefix,
    waitOnFirstConnect: true,
    ...(tls === undefined ? {} : { tls }),
    log,
  });
}

/** Puts the calls into the queue as jobs; the answers of one transaction leave in one message. */
function enqueue(service: AuditService, message: ToThread & { kind: "enqueue" }): void {
  const { calls, sizes, cells } = message;
  service.jobs.add({
    work(writer) {
      if (sizes.length === 1) return [writer.enqueue(cells)];
      let at = 0;
      return sizes.map((size) => {
        at += size;
        return writer.enqueue(cells.slice(at - size, at));
      });
    },
    done(value) {
      const outcomes = value as EnqueueJournaled[][];
      const plain = outcomes.every((rows) => rows.every(({ kind }) => kind === "journaled"));
      tell({ kind: "enqueued", calls, outcomes: plain ? null : outcomes });
    },
    failed: (error) => tell({ kind: "unavailable", calls, what: error.message }),
  });
}

function written<T>(service: AuditService, work: (writer: Writer) => T): Promise<T> {
  return new Promise((resolve, reject) => {
    service.jobs.add({ work, done: (value) => resolve(value as T), failed: reject });
  });
}

type Answers = {
  [K in QuestionKind]: (ask: Questions[K]["ask"]) => Promise<Questions[K]["answer"]>;
};

function answersOf(service: AuditService): Answers {
  const nothing = async (work: Promise<unknown>): Promise<null> => {
    await work;
    return null;
  };
  return {
    // Kept for later while the database cannot be written: what was told to be refused must not come back.
    withdraw: (ids) =>
      nothing(
        written(service, (writer) => writer.withdraw(ids)).catch(() =>
          service.jobs.addEvent((writer) => writer.withdraw(ids)),
        ),
      ),
    putUser: (user) => nothing(written(service, (writer) => writer.putUser(user))),
    removeUser: (name) => nothing(written(service, (writer) => writer.removeUser(name))),
    followed: (seq) => nothing(service.followed(seq)),
    written: (seq) => nothing(service.written(seq)),
    running: (worker) => service.running(worker),
    purgeFloor: async (retentionMs) => service.purgeFloor(retentionMs),
    purgeable: async ({ retentionMs, done }) => service.purgeable(retentionMs, done),
    stop: () => nothing(service.stop()),
  };
}

function main(): void {
  const flows = createFlowCounter(board, data.countSince);
  const service = createAuditService({
    file: data.file,
    names: createNames(data.prefix),
    inbox: `${data.nats.inboxPrefix}.audit`,
    log,
    now: systemClock.now,
    board: {
      followed: put(BOARD.followed),
      written: put(BOARD.written),
      last: put(BOARD.last),
      opened: () => Atomics.add(board, BOARD.opened, 1n),
      count: flows.count,
      arrived: flows.reached,
    },
    onState: (state) => tell({ kind: "state", state }),
  });
  void keepConnected(service);
  const answers = answersOf(service);
  parentPort?.on("message", (message: ToThread) => {
    if (message.kind === "enqueue") enqueue(service, message);
    else if (message.kind === "event") service.jobs.addEvent((writer) => writer.event(message.row));
    else if (message.kind === "priority")
      service.jobs.addEvent((writer) => writer.priorityChanged(message.change));
    else {
      const { call, question, ask } = message;
      const answer = answers[question] as (ask: unknown) => Promise<unknown>;
      answer(ask).then(
        (value) => {
          tell({ kind: "answer", call, value });
          // Ends the thread, also while it still tries to connect.
          if (question === "stop") process.exit(0);
        },
        (error: unknown) => tell({ kind: "refusal", call, error: fromUnknown(error).toWire() }),
      );
    }
  });
  tell({ kind: "ready", state: service.state() });
  collectWhenIdle();
}

try {
  main();
} catch (error) {
  tell({ kind: "failed", error: fromUnknown(error).toWire() });
  parentPort?.close();
}
