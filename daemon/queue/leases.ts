import type { WorkerView } from "../../shared/control.ts";
import type { Beat, Hello } from "../worker/protocol.ts";
import { chooseQueues } from "./consume.ts";

/** Terms of a lease, milliseconds. */
export interface LeaseTerms {
  readonly heartbeatMs: number;
  readonly missedBeats: number;
  readonly graceMs: number;
}

/**
 * A worker as the daemon sees it: `ready` → `silent` (its connection ended, or heartbeats are missing) → `gone` (it did
 * not come back in time; its leases end). `draining`: it said goodbye.
 */
export type WorkerState = "ready" | "silent" | "gone" | "draining";

interface Tracked {
  hello: Hello;
  state: WorkerState;
  /** Monotonic instants. */
  lastBeat: number;
  silentSince: number | null;
  beat: Beat;
  why: string;
  lastBeatAt: number;
}

export interface LeaseWatch {
  hello(hello: Hello): void;
  goodbye(workerId: string): void;
  /** False when the worker is not known. */
  beat(workerId: string, beat: Beat): boolean;
  /** A connection of the worker ended at the broker. */
  disconnected(workerId: string): void;
  /** The worker's process has ended, seen by its own supervisor: there is nothing to wait for. */
  exited(pid: number, why: string): void;
  /** The daemon itself was cut off: nobody is blamed for the beats it missed. */
  forgive(): void;
  /** Looks at the clock; calls `onGone` for each worker whose time is over. */
  tick(): void;
  isAlive(workerId: string): boolean;
  /** Whether a living worker can run tasks of this name. */
  knows(name: string): boolean;
  /** Living workers whose pool serves this queue. */
  serving(queue: string): readonly string[];
  views(): WorkerView[];
  list(): readonly Hello[];
}

export interface LeaseWatchDeps {
  readonly terms: LeaseTerms;
  readonly monotonic: () => number;
  readonly now: () => number;
  /** `died`: not stopped in order, so that one of its tasks may have killed it. */
  onGone(workerId: string, why: string, died: boolean): void;
}

/** Workers that are gone stay in the list for this long, so that people see what happened. */
const SHOW_GONE_MS = 60_000;

export function createLeaseWatch(deps: LeaseWatchDeps): LeaseWatch {
  const { terms } = deps;
  const workers = new Map<string, Tracked>();
  const silentAfterMs = terms.heartbeatMs * terms.missedBeats;

  const gone = (worker: Tracked, why: string, died = true): void => {
    if (worker.state === "gone") return;
    worker.state = "gone";
    worker.why = why;
    worker.silentSince ??= deps.monotonic();
    deps.onGone(worker.hello.id, why, died);
  };
  const silence = (worker: Tracked, why: string): void => {
    if (worker.state !== "ready") return;
    worker.state = "silent";
    worker.silentSince = deps.monotonic();
    worker.why = why;
  };
  const heard = (worker: Tracked): void => {
    worker.lastBeat = deps.monotonic();
    worker.lastBeatAt = deps.now();
    if (worker.state === "silent" || worker.state === "gone") {
      worker.state = "ready";
      worker.silentSince = null;
    }
  };
  return {
    hello(hello) {
      const known = workers.get(hello.id);
      if (known) {
        known.hello = hello;
        heard(known);
        return;
      }
      workers.set(hello.id, {
        hello,
        state: "ready",
        lastBeat: deps.monotonic(),
        lastBeatAt: deps.now(),
        silentSince: null,
        beat: { running: 0, blockedMs: 0 },
        why: "",
      });
    },
    goodbye(workerId) {
      const worker = workers.get(workerId);
      if (worker === undefined) return;
      worker.state = "draining";
      gone(worker, "it was stopped in order", false);
    },
    beat(workerId, beat) {
      const worker = workers.get(workerId);
      if (worker === undefined) return false;
      worker.beat = beat;
      heard(worker);
      return true;
    },
    disconnected(workerId) {
      const worker = workers.get(workerId);
      if (worker) silence(worker, "its connection ended");
    },
    exited(pid, why) {
      for (const worker of workers.values()) if (worker.hello.pid === pid) gone(worker, why);
    },
    forgive() {
      for (const worker of workers.values()) {
        if (worker.state === "gone") continue;
        worker.state = "ready";
        worker.silentSince = null;
        worker.lastBeat = deps.monotonic();
      }
    },
    tick() {
      const now = deps.monotonic();
      for (const [id, worker] of workers) {
        if (worker.state === "ready" && now - worker.lastBeat > silentAfterMs)
          silence(worker, "it sent no heartbeat");
        if (worker.state === "silent" && now - (worker.silentSince ?? now) >= terms.graceMs)
          gone(worker, worker.why);
        if (worker.state === "gone" && now - (worker.silentSince ?? now) > SHOW_GONE_MS)
          workers.delete(id);
      }
    },
    isAlive(workerId) {
      const state = workers.get(workerId)?.state;
      return state === "ready" || state === "silent";
    },
    knows: (name) =>
      [...workers.values()].some(
        ({ state, hello }) =>
          state !== "gone" && hello.definitions.some((definition) => definition.name === name),
      ),
    serving(queue) {
      const named = [...workers.values()].flatMap(({ hello }) =>
        hello.queues.filter((name) => name !== "*"),
      );
      return [...workers.values()]
        .filter(
          ({ state, hello }) => state !== "gone" && chooseQueues(hello.queues, named).serves(queue),
        )
        .map(({ hello }) => hello.id);
    },
    views: () => [...workers.values()].map(toView),
    list: () =>
      [...workers.values()]
        .filter((worker) => worker.state !== "gone")
        .map((worker) => worker.hello),
  };
}

function toView(worker: Tracked): WorkerView {
  const { hello, beat } = worker;
  const blocked =
    beat.blockedMs > 1000
      ? `its main loop has not turned for ${Math.round(beat.blockedMs / 1000)} s`
      : null;
  return {
    id: hello.id,
    pool: hello.pool,
    queues: hello.queues,
    pid: hello.pid,
    host: hello.host,
    slots: hello.slots,
    running: beat.running,
    state: worker.state,
    startedAt: hello.startedAt,
    lastBeatAt: new Date(worker.lastBeatAt).toISOString(),
    error:
      worker.state === "gone" || worker.state === "silent"
        ? worker.why
        : (hello.configError ?? blocked),
  };
}
