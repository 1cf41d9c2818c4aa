import { HEADER } from "../../shared/subjects.ts";
import { isTerminal, type JournalRecord } from "../../shared/task.ts";
import type { AuditStore, RunningTask, TaskRow } from "../audit/audit-store.ts";
import { streamState } from "../nats/streams.ts";
import { encodeHeaders } from "../nats/wire.ts";
import { carried, findMessage, locate, type MoveDeps, payloadOfRow, publishCopy } from "./move.ts";
import { releaseLeases } from "./release-leases.ts";
import { createRowlessWalk } from "./rowless.ts";
import { clearStrayLetters } from "./stray-letters.ts";
import { copyHeaders } from "./task-message.ts";

/**
 * The invariant: every task is terminal, or has a message among the waiting or the parked ones, or is held by a live
 * worker. The reconciler looks for what broke it, repairs it, and writes each repair to the audit.
 */
export interface ReconcileDeps extends MoveDeps {
  readonly audit: AuditStore;
  isAlive(workerId: string): boolean;
  /** Tasks younger than this may still be on their way. */
  readonly settleMs: number;
}

export interface Reconciled {
  readonly checked: number;
  readonly repaired: number;
}

const PAGE = 500;
const CONCURRENCY = 32;

/**
 * Running tasks whose worker is not there (a daemon that was killed cannot see its workers go) get their leases ended. A
 * task must look so in two passes, because a record may be older than its worker's first word.
 */
export function createOrphanWatch(deps: ReconcileDeps): { pass(): Promise<number> } {
  let suspects = new Set<string>();
  const key = (task: RunningTask): string => `${task.id}:${task.seq}`;
  return {
    async pass() {
      const orphans = (await deps.audit.running()).filter((task) => !deps.isAlive(task.worker));
      const twice = orphans.filter((task) => suspects.has(key(task)));
      suspects = new Set(orphans.map(key));
      if (twice.length === 0) return 0;
      // Most likely it went with its daemon: no task is blamed.
      const loss = { why: "it is not there any more", suspects: false };
      const released = await releaseLeases(deps, twice, loss, (task) =>
        deps.audit.note({
          at: deps.now(),
          kind: "repaired",
          by: "msgsys",
          taskId: task.id,
          detail: { repair: "lease ended", worker: task.worker },
        }),
      );
      deps.log("orphans_released", { ...released });
      return released.waiting + released.dead;
    },
  };
}

/** Rows that each pass looks at, whatever the counts say: a slow walk around all unfinished tasks. */
const WALK = 200;

/**
 * The periodic look: a part of all unfinished tasks and of all messages each time; every one of them when the broker holds
 * fewer or more messages than the audit has unfinished tasks, twice in a row.
 */
export function createReconciler(deps: ReconcileDeps): {
  pass(force?: boolean): Promise<Reconciled>;
} {
  const rowless = createRowlessWalk(deps);
  let after = "";
  let before: Balance = "even";
  return {
    async pass(force = false) {
      const balance = await weigh(deps);
      const sure = force || balance === before;
      before = balance;
      const written =
        (await rowless.pass(sure && balance === "messages-over")) + (await clearStrayLetters(deps));
      if (force || (sure && balance === "messages-short")) {
        const { checked, repaired } = await reconcileAll(deps);
        return { checked, repaired: repaired + written };
      }
      const rows = deps.reader().unfinished(after, WALK);
      after = rows.length < WALK ? "" : rows.at(-1)!.id;
      const { checked, repaired } = await repairRows(deps, rows);
      return { checked, repaired: repaired + written };
    },
  };
}

type Balance = "even" | "messages-short" | "messages-over";

/** Messages against unfinished tasks. A running task has its message until it ends, but may have lost it without harm. */
async function weigh(deps: ReconcileDeps): Promise<Balance> {
  const { names, wire, audit } = deps;
  const { lastSeq } = await streamState(wire, names.stream.state);
  await audit.written(lastSeq);
  const counts = deps.reader().counts();
  const tasks = await streamState(wire, names.stream.tasks);
  const due = await streamState(wire, names.stream.due);
  const messages = tasks.messages + due.messages;
  const still = counts.waiting + counts.scheduled + counts.retrying;
  if (messages < still) return "messages-short";
  return messages > still + counts.running ? "messages-over" : "even";
}

async function repairRows(deps: ReconcileDeps, rows: readonly TaskRow[]): Promise<Reconciled> {
  const old = rows.filter((row) => deps.now() - row.createdAt >= deps.settleMs);
  let repaired = 0;
  for (let i = 0; i < old.length; i += CONCURRENCY) {
    const outcomes = await Promise.all(
      old.slice(i, i + CONCURRENCY).map((row) => repairSafely(deps, row)),
    );
    repaired += outcomes.filter((outcome) => outcome !== null).length;
  }
  return { checked: old.length, repaired };
}

/** Every unfinished task of the audit against the broker. */
async function reconcileAll(deps: ReconcileDeps): Promise<Reconciled> {
  let checked = 0;
  let repaired = 0;
  const { lastSeq } = await streamState(deps.wire, deps.names.stream.state);
  await deps.audit.written(lastSeq);
  for (let after = ""; ; ) {
    const rows = deps.reader().unfinished(after, PAGE);
    if (rows.length === 0) return { checked, repaired };
    after = rows.at(-1)!.id;
    const part = await repairRows(deps, rows);
    checked += part.checked;
    repaired += part.repaired;
  }
}

async function repairSafely(deps: ReconcileDeps, row: TaskRow): Promise<string | null> {
  try {
    const repair = await repairOne(deps, row);
    if (repair !== null) {
      deps.audit.note({
        at: deps.now(),
        kind: "repaired",
        by: "msgsys",
        taskId: row.id,
        detail: { repair, queue: row.queue, level: row.level },
      });
      deps.log("task_repaired", { taskId: row.id, repair });
    }
    return repair;
  } catch (error) {
    deps.log("task_not_repaired", { taskId: row.id, error: String(error) });
    return null;
  }
}

/** Null: the invariant holds for it. Otherwise what was done. */
async function repairOne(deps: ReconcileDeps, row: TaskRow): Promise<string | null> {
  const task = await locate(deps, row.id);
  if (task === null) return null;
  const record = task.entry?.record ?? null;
  if (record !== null && (isTerminal(record.s) || record.s === "running")) return null;
  const status = record?.s ?? row.status;
  if (status === "scheduled" || status === "retrying")
    return repairParked(deps, task.queue, row, record);
  const message = await findMessage(deps, task, record?.l ?? row.level);
  if (message !== null) {
    await deps.consumers.ensure(
      task.queue,
      deps.names.parseTask(message.subject)?.level ?? row.level,
    );
    return null;
  }
  // Looked at again: between the two reads a worker may have taken it or an escalation moved it.
  const again = await deps.journal.read(task.queue, row.id);
  if ((again?.seq ?? 0) !== (task.entry?.seq ?? 0)) return null;
  const payload = payloadOfRow(row);
  if (payload === null) return null;
  const level = record?.l ?? row.level;
  const copy = await publishCopy(
    deps,
    { id: row.id, queue: task.queue, level, generation: record?.g ?? 1 },
    payload,
  );
  const next: JournalRecord = {
    s: "waiting",
    g: copy.generation,
    ...carried(record, row),
    l: level,
    t: deps.now(),
    m: copy.seq,
    by: "msgsys",
    role: "system",
    act: "repair",
    why: "its message was missing",
  };
  await deps.journal.append(task.queue, row.id, next, task.entry?.seq ?? 0);
  return "published again";
}

async function repairParked(
  deps: ReconcileDeps,
  queue: string,
  row: TaskRow,
  record: JournalRecord | null,
): Promise<string | null> {
  const { names, wire } = deps;
  if ((await wire.last(names.stream.due, names.due(queue, row.id))) !== null) return null;
  const task = { id: row.id, queue, row, entry: null };
  if ((await findMessage(deps, task, record?.l ?? row.level)) !== null) return null;
  const now = await deps.journal.read(queue, row.id);
  if (now !== null && now.record.s !== "scheduled" && now.record.s !== "retrying") return null;
  const payload = payloadOfRow(row);
  if (payload === null) return null;
  const generation = now?.record.g ?? 1;
  const due = now?.record.due ?? row.dueAt ?? deps.now();
  const headers = copyHeaders(payload.headers, row.id, generation).filter(
    ([name]) => name !== HEADER.msgId,
  );
  headers.push([HEADER.due, String(due)], [HEADER.level, String(now?.record.l ?? row.level)]);
  await wire.publish(names.due(queue, row.id), payload.data, encodeHeaders(headers));
  return "parked again";
}
