import { Worker } from "node:worker_threads";
import { threadUrl } from "../entry.ts";

/** Counters that the worker's main thread writes and the lease keeper reads, without any message between them. */
export const SHARED_CELLS = { running: 0, tick: 1, slots: 2 } as const;

export interface LeaseKeeperStart {
  readonly servers: string;
  /** PEM file of the server's certificate; absent: none is needed. */
  readonly tlsCert: string | undefined;
  readonly seed: Uint8Array;
  readonly inboxPrefix: string;
  readonly workerId: string;
  readonly beatSubject: string;
  readonly cells: SharedArrayBuffer;
  /** Memory of the table of held messages. */
  readonly holds: SharedArrayBuffer;
  /** The parent whose end must end this process too; null: none. */
  readonly parentPid: number | null;
}

/**
 * Keeps a worker's lease from a thread with its own connection, so that a handler that blocks its loop keeps its tasks
 * and no second copy starts. The thread ends with the process, so a killed or frozen worker falls silent at once.
 */
export interface LeaseKeeper {
  /** Resolves when the thread has its connection: before that a worker that takes tasks could not keep them. */
  readonly connected: Promise<void>;
  /** Begins the heartbeats, at the pace that the daemon told. */
  beat(everyMs: number): void;
  /** Number of tasks running now, shown in the heartbeat. */
  setRunning(count: number): void;
  stop(): Promise<void>;
}

/** What the main thread tells the lease keeper. */
export type ToLeaseThread =
  | { readonly kind: "beat"; readonly everyMs: number }
  | { readonly kind: "stop" };

export function startLeaseKeeper(start: Omit<LeaseKeeperStart, "cells">): LeaseKeeper {
  const cells = new SharedArrayBuffer(4 * 4);
  const view = new Int32Array(cells);
  const thread = new Worker(threadUrl("lease-thread"), {
    workerData: { ...start, cells } satisfies LeaseKeeperStart,
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
  });
  thread.unref();
  const connected = new Promise<void>((resolve) => thread.once("message", () => resolve()));
  const tell = (message: ToLeaseThread): void => thread.postMessage(message);
  // The tick shows that the main loop still turns; the thread reports how long it has not.
  const tick = setInterval(() => Atomics.add(view, SHARED_CELLS.tick, 1), 100);
  tick.unref();
  let stopped: Promise<void> | null = null;
  return {
    connected,
    beat: (everyMs) => tell({ kind: "beat", everyMs }),
    setRunning(count) {
      view[SHARED_CELLS.running] = count;
    },
    stop() {
      stopped ??= (async () => {
        clearInterval(tick);
        const gone = new Promise<void>((resolve) => thread.once("exit", () => resolve()));
        tell({ kind: "stop" });
        const limit = setTimeout(() => void thread.terminate(), 1000);
        await gone;
        clearTimeout(limit);
      })();
      return stopped;
    },
  };
}
