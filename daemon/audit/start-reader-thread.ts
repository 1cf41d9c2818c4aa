import { Worker } from "node:worker_threads";
import { AppError, describe, fromWire } from "../../shared/errors.ts";
import { threadUrl } from "../entry.ts";
import type { Log } from "../log.ts";
import type { AuditReads } from "./audit-store.ts";
import type { ReadAnswer, ReadCall, ReaderThreadData } from "./reader-thread.ts";

/** Reads that take their time, and backups, away from the caller's thread. */
export interface ReaderThread {
  readonly reads: AuditReads;
  backup(path: string): Promise<{ bytes: number }>;
  stop(): Promise<void>;
}

const STOP_LIMIT_MS = 1000;

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: AppError) => void;
}

/** The thread starts with the first call, and again after it failed. */
export function startReaderThread(deps: {
  readonly file: string;
  readonly board: SharedArrayBuffer;
  readonly log: Log;
}): ReaderThread {
  const { file, board, log } = deps;
  const pending = new Map<number, Pending>();
  let thread: Worker | null = null;
  let next = 0;

  function open(): Worker {
    const workerData: ReaderThreadData = { file, board };
    const worker = new Worker(threadUrl("audit-reader-thread"), {
      workerData,
      name: "audit-reads",
    });
    worker.on("message", (answer: ReadAnswer) => {
      const call = pending.get(answer.call);
      pending.delete(answer.call);
      if ("error" in answer) call?.reject(fromWire(answer.error));
      else call?.resolve(answer.value as never);
    });
    worker.on("error", (error) => log.error("audit reads failed", { why: describe(error) }));
    worker.on("exit", () => {
      if (thread === worker) thread = null;
      const what = "its reading thread ended";
      for (const { reject } of pending.values())
        reject(new AppError("audit-store-unavailable", { what, file }));
      pending.clear();
    });
    // Waiting for questions must not keep the process alive.
    worker.unref();
    return worker;
  }

  const ask =
    (method: ReadCall["method"]) =>
    (...args: readonly unknown[]): Promise<never> =>
      new Promise((resolve, reject) => {
        thread ??= open();
        next += 1;
        const call = next;
        pending.set(call, { resolve, reject });
        thread.postMessage({ call, method, args } satisfies ReadCall);
      });

  return {
    reads: {
      task: ask("task"),
      attempts: ask("attempts"),
      priorityHistory: ask("priorityHistory"),
      list: ask("list"),
      ids: ask("ids"),
      counts: ask("counts"),
      timeline: ask("timeline"),
      query: ask("query"),
      verify: ask("verify"),
      runs: ask("runs"),
      run: ask("run"),
      terminal: ask("terminal"),
      unfinished: ask("unfinished"),
      countAhead: ask("countAhead"),
      endedSince: ask("endedSince"),
      oldestWaiting: ask("oldestWaiting"),
      users: ask("users"),
      waits: ask("waits"),
      endsByMinute: ask("endsByMinute"),
    },
    backup: ask("backup"),
    async stop() {
      const worker = thread;
      if (worker === null) return;
      const gone = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
      worker.postMessage({ call: 0, method: "close", args: [] } satisfies ReadCall);
      // A read that takes long is not waited for.
      const limit = setTimeout(() => void worker.terminate(), STOP_LIMIT_MS);
      await gone;
      clearTimeout(limit);
    },
  };
}
