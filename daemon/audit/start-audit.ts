import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { AppError, describe, fromWire, type WireError } from "../../shared/errors.ts";
import type { Cell } from "../db/bulk-insert.ts";
import { pinSqlite } from "../db/pin-addon.ts";
import { threadUrl } from "../entry.ts";
import type { Log } from "../log.ts";
import type { AuditStore, EnqueueJournaled, EnqueueRow } from "./audit-store.ts";
import type { EventRow } from "./chain.ts";
import { pushEnqueueCells } from "./enqueue-cells.ts";
import {
  type AuditNats,
  type AuditState,
  BOARD,
  BOARD_BYTES,
  type FromThread,
  type QuestionKind,
  type Questions,
  type ThreadData,
  type ToThread,
} from "./messages.ts";
import { createReader } from "./reader.ts";
import { startReaderThread } from "./start-reader-thread.ts";

const RESTART_MS = 1000;

export interface AuditDeps {
  readonly dataDir: string;
  readonly nats: AuditNats;
  /** Prefix of subjects and streams. */
  readonly prefix: string;
  readonly log: Log;
  /** Hears of each task that was enqueued and was not there before. */
  readonly onEnqueued?: (row: EnqueueRow) => void;
}

interface Call {
  readonly resolve: (value: never) => void;
  readonly reject: (error: AppError) => void;
}

interface EnqueueCall {
  readonly rows: readonly EnqueueRow[];
  readonly resolve: (outcomes: EnqueueJournaled[]) => void;
}

/**
 * Starts the audit's thread. Resolves when the database was opened or found unusable for now; the broker may come later.
 * Rejects with `audit-store-corrupt` or `audit-store-newer`: a person must settle those.
 */
export async function startAudit(deps: AuditDeps): Promise<AuditStore> {
  const { log, nats, prefix } = deps;
  const file = join(deps.dataDir, "audit.db");
  pinSqlite();
  const board = new BigInt64Array(new SharedArrayBuffer(BOARD_BYTES));
  const read = (place: number): number => Number(Atomics.load(board, place));
  const calls = new Map<number, Call>();
  const enqueues = new Map<number, EnqueueCall>();
  const countSince = Date.now();
  let enqueued = 0;
  const readers = startReaderThread({
    file,
    board: board.buffer as SharedArrayBuffer,
    log,
  });
  let state: AuditState = { kind: "unavailable", cause: "it was not opened yet" };
  let thread: Worker | null = null;
  let stopping = false;
  let nextCall = 0;
  /** Facts that were told to the thread, and how many of them it is known to have written. */
  let told = 0;
  let toldWritten = 0;
  let gathered: { calls: number[]; sizes: number[]; cells: Cell[] } | null = null;

  const start = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const workerData: ThreadData = {
        file,
        prefix,
        nats,
        board: board.buffer as SharedArrayBuffer,
        countSince,
      };
      const worker = new Worker(threadUrl("audit-thread"), {
        workerData,
        name: "audit",
      });
      worker.on("message", (message: FromThread) => {
        if (message.kind === "ready") resolve();
        if (message.kind === "failed") reject(fromWire(message.error));
        hear(message);
      });
      worker.on("error", (error) => log.error("audit thread failed", { why: describe(error) }));
      worker.on("exit", () => {
        reject(new AppError("internal", { what: "The audit thread ended." }));
        lost();
      });
      thread = worker;
    });

  function hear(message: FromThread): void {
    switch (message.kind) {
      case "enqueued":
        for (const [i, call] of message.calls.entries())
          settle(call, message.outcomes?.[i] ?? null);
        return;
      case "unavailable":
        for (const call of message.calls) settle(call, message.what);
        return;
      case "answer":
        calls.get(message.call)?.resolve(message.value as never);
        calls.delete(message.call);
        return;
      case "refusal":
        calls.get(message.call)?.reject(fromWire(message.error));
        calls.delete(message.call);
        return;
      case "ready":
      case "state":
        state = message.state;
        if (state.kind === "ok") log.info("audit database opened", { file });
        else log.warn("audit database unavailable", { file, cause: state.cause });
        return;
      case "log":
        log[message.level](message.event, message.data);
        return;
      case "failed":
        return;
      default:
        message satisfies never;
    }
  }

  function settle(number: number, outcome: readonly EnqueueJournaled[] | string | null): void {
    const call = enqueues.get(number);
    enqueues.delete(number);
    if (call === undefined) return;
    if (outcome !== null && typeof outcome !== "string") {
      added(call.rows.filter((_, i) => outcome[i]?.kind === "journaled"));
      call.resolve([...outcome]);
      return;
    }
    // On the broker's word alone a task is there as well.
    added(call.rows);
    const each: EnqueueJournaled =
      outcome === null ? { kind: "journaled" } : { kind: "unavailable", what: outcome };
    call.resolve(Array<EnqueueJournaled>(call.rows.length).fill(each));
  }

  function added(rows: readonly EnqueueRow[]): void {
    enqueued += rows.length;
    if (deps.onEnqueued !== undefined) for (const row of rows) deps.onEnqueued(row);
  }

  /** The thread ended: nobody may wait for it. Unless that was wanted, another takes its place. */
  function lost(): void {
    thread = null;
    state = { kind: "unavailable", cause: "its thread ended" };
    const error: WireError = new AppError("audit-store-unavailable", {
      what: state.cause,
      file,
    }).toWire();
    for (const number of enqueues.keys()) settle(number, error.message);
    for (const call of calls.values()) call.reject(fromWire(error));
    calls.clear();
    if (!stopping && started) setTimeout(restart, RESTART_MS);
  }

  function restart(): void {
    if (stopping) return;
    log.warn("audit thread started again");
    start().catch((error: unknown) => {
      const cause = describe(error);
      state = { kind: "unavailable", cause };
      log.error("audit thread not started", { why: cause });
    });
  }

  const post = (message: ToThread): void => thread?.postMessage(message);

  function ask<K extends QuestionKind>(
    question: K,
    value: Questions[K]["ask"],
  ): Promise<Questions[K]["answer"]> {
    return new Promise((resolve, reject) => {
      if (thread === null)
        return reject(new AppError("audit-store-unavailable", { what: "its thread ended", file }));
      nextCall += 1;
      const call = nextCall;
      calls.set(call, { resolve, reject });
      post({ kind: "ask", call, question, ask: value } as ToThread);
    });
  }

  /** Calls of one turn cross to the thread together. */
  function sendGathered(): void {
    const batch = gathered;
    gathered = null;
    if (batch === null) return;
    if (thread !== null) post({ kind: "enqueue", ...batch });
    else for (const call of batch.calls) settle(call, "its thread ended");
  }

  /** What has no record in the journal: there is no sequence to wait for. */
  function tell(fact: ToThread & { kind: "event" | "priority" }): void {
    told += 1;
    post(fact);
  }

  function event(row: EventRow): void {
    tell({ kind: "event", row });
  }

  let started = false;
  try {
    await start();
    started = true;
  } catch (error) {
    await readers.stop();
    throw error;
  }

  return {
    get state() {
      return state;
    },
    file,
    journalEnqueue(rows: readonly EnqueueRow[]) {
      return new Promise((resolve) => {
        if (rows.length === 0) return resolve([]);
        nextCall += 1;
        const call = nextCall;
        enqueues.set(call, { rows, resolve });
        if (gathered === null) {
          gathered = { calls: [], sizes: [], cells: [] };
          queueMicrotask(sendGathered);
        }
        const before = gathered.cells.length;
        for (const row of rows) pushEnqueueCells(gathered.cells, row);
        gathered.calls.push(call);
        gathered.sizes.push(gathered.cells.length - before);
      });
    },
    async withdraw(ids) {
      if (ids.length > 0) await ask("withdraw", ids);
    },
    priorityChanged: (change) => tell({ kind: "priority", change }),
    refused: (entry) =>
      event({
        at: entry.at,
        kind: "refused",
        taskId: entry.target,
        by: entry.user,
        role: entry.role,
        detail: JSON.stringify({ verb: entry.verb, what: entry.what }),
      }),
    note: (entry) =>
      event({
        at: entry.at,
        kind: entry.kind,
        taskId: entry.taskId,
        by: entry.by,
        role: null,
        detail: JSON.stringify(entry.detail),
      }),
    async followed(seq) {
      if (read(BOARD.followed) < seq) await ask("followed", seq);
    },
    async written(seq) {
      if (read(BOARD.written) >= seq && toldWritten === told) return;
      const toldBefore = told;
      await ask("written", seq);
      toldWritten = Math.max(toldWritten, toldBefore);
    },
    get lagRecords() {
      return Math.max(0, read(BOARD.last) - read(BOARD.written));
    },
    countSince,
    flows: () => ({
      enqueued,
      completed: read(BOARD.completed),
      failed: read(BOARD.failed),
      dead: read(BOARD.dead),
      cancelled: read(BOARD.cancelled),
    }),
    running: (worker) => ask("running", worker ?? null),
    purgeFloor: (retentionMs) => ask("purgeFloor", retentionMs),
    purgeable: (retentionMs, done) => ask("purgeable", { retentionMs, done }),
    async putUser(user) {
      await ask("putUser", user);
    },
    async removeUser(name) {
      await ask("removeUser", name);
    },
    backup: readers.backup,
    offThread: readers.reads,
    reader: () => createReader({ file, epoch: () => read(BOARD.opened) }),
    async stop() {
      if (stopping) return;
      stopping = true;
      sendGathered();
      await readers.stop();
      // Ignored: a thread that cannot answer any more is ended below.
      if (thread !== null) await ask("stop", null).catch(() => {});
      await thread?.terminate();
    },
  };
}
