import { describe } from "../shared/errors.ts";
import type { Settings } from "../shared/settings.ts";
import type { Names } from "../shared/subjects.ts";
import type { Clock } from "../shared/time.ts";
import type { AuditStore } from "./audit/audit-store.ts";
import type { Log } from "./log.ts";
import type { NatsLink } from "./nats/connect.ts";
import { streamState } from "./nats/streams.ts";
import type { Wire } from "./nats/wire.ts";
import { askWorker } from "./queue/ask-worker.ts";
import { createLeaseWatch, type LeaseWatch } from "./queue/leases.ts";
import type { MoveDeps } from "./queue/move.ts";
import type { Registry } from "./queue/registry.ts";
import { type Loss, releaseLeases } from "./queue/release-leases.ts";
import type { Beat, Goodbye, Hello, Order, Welcome } from "./worker/protocol.ts";

export interface WorkerDeskDeps {
  readonly link: NatsLink;
  readonly names: Names;
  readonly settings: Settings;
  readonly registry: Registry;
  readonly audit: AuditStore;
  readonly move: MoveDeps;
  readonly wire: Wire;
  readonly clock: Clock;
  readonly log: Log;
  watchDisconnects(onDisconnect: (clientName: string) => void): Promise<{ stop(): Promise<void> }>;
}

export interface WorkerDesk {
  readonly leases: LeaseWatch;
  /** Asks the workers that could run a task unclaimed to claim it, or to claim it before they run it. */
  askHolders(taskId: string, queue: string): Promise<void>;
  stop(): Promise<void>;
}

const TICK_MS = 100;
/** A worker answers from its own loop, at once unless a handler blocks it. */
const ASK_MS = 300;
/** Records of a worker that was killed may still be on their way to the follower: look again a few times. */
const RELEASE_ROUNDS = 5;

/** Where workers report: their hello, their heartbeats, the ends of their connections; and what follows when one is gone. */
export async function startWorkerDesk(deps: WorkerDeskDeps): Promise<WorkerDesk> {
  const { names, settings, clock, log } = deps;
  const { nc } = deps.link;
  const leases = createLeaseWatch({
    terms: settings.lease,
    monotonic: clock.monotonic,
    now: clock.now,
    onGone: (workerId, why, died) => {
      log.warn("worker gone", { workerId, why });
      release(deps, workerId, { why, suspects: died }, () => leases.isAlive(workerId)).catch(
        (error: unknown) => log.error("leases not released", { workerId, error: describe(error) }),
      );
    },
  });
  const welcome: Welcome = {
    heartbeatMs: settings.lease.heartbeatMs,
    ackWaitMs: settings.lease.ackWaitMs,
    journalRetentionMs: settings.retention.journalMs,
    busyMs: settings.sweep.busyMs,
    idleMs: settings.sweep.idleMs,
    strict: settings.nats.durability === "strict",
  };
  const hellos = nc.subscribe(names.hello("*"), {
    callback: (_err, m) => {
      const word = m.json<Hello | Goodbye>();
      if ("goodbye" in word) {
        leases.goodbye(word.id);
        return;
      }
      leases.hello(word);
      deps.registry.put(word.definitions);
      log.info("worker came", { workerId: word.id, pool: word.pool, pid: word.pid });
      m.respond(JSON.stringify(welcome));
    },
  });
  const beats = nc.subscribe(names.heartbeat("*"), {
    callback: (_err, m) => {
      const id = m.subject.slice(m.subject.lastIndexOf(".") + 1);
      // A worker from before this daemon's start: it must say who it is, or its leases would be ended.
      if (!leases.beat(id, m.json<Beat>()))
        nc.publish(names.order(id), JSON.stringify({ kind: "hello" } satisfies Order));
    },
  });
  const watch = await deps.watchDisconnects((clientName) => {
    const [kind, id] = clientName.split(":");
    if ((kind === "lease" || kind === "worker") && id) leases.disconnected(id);
  });
  const offState = deps.link.onState((state) => {
    // While the broker was away nobody could be heard: each worker gets its full time again.
    if (state.kind === "connected") leases.forgive();
  });
  const timer = setInterval(() => {
    if (deps.link.state().kind === "connected") leases.tick();
  }, TICK_MS);
  await nc.flush();
  return {
    leases,
    async askHolders(taskId, queue) {
      const order = { kind: "yield", taskId } as const;
      await Promise.all(
        leases.serving(queue).map(async (id) => {
          try {
            await askWorker({ nc, names }, id, order, ASK_MS);
          } catch {
            // Ignored: a worker that does not answer is frozen or gone; the journal fences what it may still run.
          }
        }),
      );
    },
    async stop() {
      clearInterval(timer);
      offState();
      hellos.unsubscribe();
      beats.unsubscribe();
      await watch.stop();
    },
  };
}

/** `isBack`: a worker that was only cut off has come back; what it claims from then on is its own again. */
async function release(
  deps: WorkerDeskDeps,
  workerId: string,
  loss: Loss,
  isBack: () => boolean,
): Promise<void> {
  for (let round = 0; round < RELEASE_ROUNDS; round++) {
    const { lastSeq } = await streamState(deps.wire, deps.names.stream.state);
    await deps.audit.followed(lastSeq);
    const tasks = await deps.audit.running(workerId);
    if (isBack()) return;
    if (tasks.length > 0) {
      const released = await releaseLeases(deps.move, tasks, loss);
      deps.log.info("leases released", { workerId, ...released });
    }
    await new Promise((resolve) => setTimeout(resolve, round * TICK_MS));
  }
}
