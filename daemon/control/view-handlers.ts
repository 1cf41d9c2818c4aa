import * as z from "zod";
import type {
  MetricsView,
  QueueView,
  ResponseOf,
  TaskDetail,
  WhyView,
} from "../../shared/control.ts";
import { AppError } from "../../shared/errors.ts";
import { DEFAULT_LEVEL } from "../../shared/priority.ts";
import { HEADER, type Names } from "../../shared/subjects.ts";
import type { AuditStore, TaskRow } from "../audit/audit-store.ts";
import { countLanes, type LaneCount } from "../nats/streams.ts";
import type { Wire } from "../nats/wire.ts";
import { allPipelines } from "../pipelines/pipelines.ts";
import { chooseQueues } from "../queue/consume.ts";
import type { JournalEntry } from "../queue/journal.ts";
import type { LeaseWatch } from "../queue/leases.ts";
import { findMessage, type Located, locate, type MoveDeps, readRow } from "../queue/move.ts";
import type { Registry } from "../queue/registry.ts";
import { explain } from "../queue/why.ts";
import type { ProgressEvent } from "../worker/progress.ts";
import type { Handlers } from "./call.ts";
import type { CatchUp } from "./catch-up.ts";
import { rowOfRecord, toDetail } from "./views.ts";

export interface ViewHandlersDeps {
  readonly move: MoveDeps;
  readonly wire: Wire;
  readonly names: Names;
  readonly audit: AuditStore;
  readonly registry: Registry;
  readonly leases: LeaseWatch;
  readonly catchUp: CatchUp;
  progressOf(taskId: string): ProgressEvent | null;
  metrics(minutes: number): Promise<MetricsView>;
}

type ViewVerbs =
  | "get"
  | "list"
  | "why"
  | "queues"
  | "definitions"
  | "runs"
  | "run_get"
  | "result"
  | "audit_query"
  | "audit_task"
  | "audit_verify"
  | "metrics";

/**
 * The verbs that only look. What comes from the audit tells of every act that was answered before the question, unless the
 * audit is behind (`CatchUp`).
 */
export function viewHandlers(deps: ViewHandlersDeps): Pick<Handlers, ViewVerbs> {
  const { catchUp } = deps;
  const { offThread } = deps.audit;
  const reader = (): ReturnType<MoveDeps["reader"]> => deps.move.reader();
  return {
    get: (request) => detail(deps, request.id),
    async list(request) {
      await catchUp.all();
      const { where, limit, cursor, order } = request;
      return offThread.list(where, limit, cursor ?? null, order);
    },
    why: (request) => why(deps, request.id),
    async queues() {
      return { queues: await queueViews(deps) };
    },
    definitions: () => ({
      tasks: deps.registry.all().map(({ check: _, ...definition }) => definition),
      pipelines: allPipelines().map(({ name, phases, params }) => ({
        name,
        phases,
        paramsSchema: z.toJSONSchema(params, { io: "input" }),
      })),
    }),
    async runs(request) {
      await catchUp.all();
      return { runs: await offThread.runs(request.limit) };
    },
    async run_get(request) {
      await catchUp.all();
      const run = reader().run(request.id);
      if (run === null) throw new AppError("run-not-found", { id: request.id });
      return run;
    },
    result: (request) => resultOf(deps, request.id),
    metrics: (request) => deps.metrics(request.minutes),
    async audit_query(request) {
      await catchUp.all();
      return offThread.query(request.query, request.hours);
    },
    async audit_task(request) {
      await catchUpWith(deps, request.id);
      return { id: request.id, events: reader().timeline(request.id) };
    },
    async audit_verify() {
      await catchUp.all();
      return offThread.verify();
    },
  };
}

/** Waits for one task's journal; for all of it when the audit has not heard of the task, whose queue it then cannot tell. */
async function catchUpWith(deps: ViewHandlersDeps, id: string): Promise<void> {
  const row = readRow(deps.move, id);
  if (row === null) return deps.catchUp.all();
  await deps.catchUp.upTo(async () => (await deps.move.journal.read(row.queue, id))?.seq ?? 0);
}

async function rowOf(
  deps: ViewHandlersDeps,
  id: string,
): Promise<{ row: TaskRow; task: NonNullable<Awaited<ReturnType<typeof locate>>> }> {
  const task = await locate(deps.move, id);
  if (task === null) throw new AppError("task-not-found", { id });
  if (task.row !== null) return { row: task.row, task };
  const entry = task.entry ?? (await waitingEntry(deps, task));
  if (entry === null) throw new AppError("task-not-found", { id });
  return { row: rowOfRecord(id, task.queue, entry.record, entry.seq), task };
}

/** A task that the broker alone knows, accepted while the audit could not be written: as its message tells it. */
async function waitingEntry(deps: ViewHandlersDeps, task: Located): Promise<JournalEntry | null> {
  const message = await findMessage(deps.move, task, null);
  // Taken since it was located: it has a record now.
  if (message === null) return deps.move.journal.read(task.queue, task.id);
  const level = deps.names.parseTask(message.subject)?.level ?? DEFAULT_LEVEL;
  const name = message.headers.get(HEADER.name) ?? "";
  return { seq: 0, record: { s: "waiting", g: 1, a: 0, l: level, t: message.timeMs, n: name } };
}

async function detail(deps: ViewHandlersDeps, id: string): Promise<TaskDetail> {
  const { row, task } = await rowOf(deps, id);
  await deps.catchUp.upTo(task.entry?.seq ?? 0);
  // Read again: what came meanwhile is in the attempts and the changes of priority too.
  const present = readRow(deps.move, id) ?? row;
  const view = toDetail(present, task.entry, deps.move.reader(), deps.progressOf(id));
  if (view.status !== "completed" || view.resultJson !== null) return view;
  return { ...view, resultJson: await resultText(deps, id, view.generation) };
}

const decoder = new TextDecoder();

/** A large result lies in a bucket of its own, under the task's id and the generation that completed. */
async function resultText(
  deps: ViewHandlersDeps,
  id: string,
  generation: number,
): Promise<string | null> {
  const { names, wire } = deps;
  const stored = await wire.last(`KV_${names.kv.results}`, names.result(id, generation));
  return stored === null ? null : decoder.decode(stored.data);
}

async function resultOf(deps: ViewHandlersDeps, id: string): Promise<ResponseOf["result"]> {
  const { row, task } = await rowOf(deps, id);
  const record = task.entry?.record ?? null;
  const status = record?.s ?? row.status;
  const error =
    record?.e ??
    (row.error === null ? null : { code: row.errorCode ?? "handler-failed", message: row.error });
  if (status !== "completed")
    return { status, resultJson: null, error: status === "dead" ? error : null };
  if (record !== null && record.s === "completed" && record.rr === undefined)
    return { status, resultJson: JSON.stringify(record.r ?? null), error: null };
  const text = row.result ?? (await resultText(deps, id, record?.g ?? row.generation));
  return { status, resultJson: text, error: null };
}

async function why(deps: ViewHandlersDeps, id: string): Promise<WhyView> {
  const { row, task } = await rowOf(deps, id);
  const record = task.entry?.record ?? null;
  const status = record?.s ?? row.status;
  const level = record?.l ?? row.level;
  if (status === "waiting") await deps.catchUp.all();
  const workers = deps.leases.views().filter((worker) => serves(deps, worker.queues, row.queue));
  const pool = workers[0]?.queues ?? [row.queue];
  const lanes = status === "waiting" ? await countLanes(deps.wire, deps.names) : [];
  const inPool = lanes.filter((lane) => serves(deps, pool, lane.queue));
  const higher = inPool
    .filter((lane) => lane.level > level)
    .reduce((sum, lane) => sum + lane.waiting, 0);
  const due = record?.due ?? row.dueAt;
  return explain({
    id,
    name: row.name,
    queue: row.queue,
    level,
    status,
    dueInMs: due === null || due === undefined ? null : due - deps.move.now(),
    attempts: record?.a ?? row.attempts,
    maxAttempts: record?.x ?? row.maxAttempts,
    lastError: record?.e?.message ?? row.error,
    deadReason: record?.dead ?? row.deadReason,
    workers,
    nameKnown: deps.leases
      .list()
      .some(
        (hello) =>
          serves(deps, hello.queues, row.queue) &&
          hello.definitions.some((definition) => definition.name === row.name),
      ),
    ahead:
      higher +
      (status === "waiting"
        ? await deps.audit.offThread.countAhead(row.queue, level, row.createdAt)
        : 0),
    aheadHigher: higher,
    endedPerMinute:
      status === "waiting" ? await deps.audit.offThread.endedSince(deps.move.now() - 60_000) : 0,
    worker: record?.w ?? row.worker,
  });
}

/** Whether a pool with these queues serves this one; `*` is every queue that no other living pool names. */
function serves(deps: ViewHandlersDeps, queues: readonly string[], queue: string): boolean {
  const named = deps.leases.list().flatMap((hello) => hello.queues.filter((name) => name !== "*"));
  return chooseQueues(queues, named).serves(queue);
}

/** What the audit says, or `otherwise` while it cannot be read: what the broker knows is shown all the same. */
export function whenReadable<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof AppError && error.code === "audit-store-unavailable") return otherwise;
    throw error;
  }
}

export async function queueViews(deps: ViewHandlersDeps): Promise<QueueView[]> {
  await deps.catchUp.all();
  const lanes = await countLanes(deps.wire, deps.names);
  const byQueue = new Map<string, LaneCount[]>();
  for (const lane of lanes) {
    const list = byQueue.get(lane.queue);
    if (list) list.push(lane);
    else byQueue.set(lane.queue, [lane]);
  }
  for (const definition of deps.registry.all())
    if (!byQueue.has(definition.queue)) byQueue.set(definition.queue, []);
  const oldest = new Map(
    whenReadable(() => deps.move.reader().oldestWaiting(), []).map(({ queue, createdAt }) => [
      queue,
      createdAt,
    ]),
  );
  const hellos = deps.leases.list();
  return [...byQueue]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([queue, list]) => ({
      queue,
      pool: hellos.find((hello) => serves(deps, hello.queues, queue))?.pool ?? null,
      waiting: list.reduce((sum, lane) => sum + lane.waiting, 0),
      running: list.reduce((sum, lane) => sum + lane.pending, 0),
      levels: list
        .filter((lane) => lane.waiting + lane.pending > 0)
        .sort((a, b) => b.level - a.level)
        .map(({ level, waiting, pending }) => ({ level, waiting, running: pending })),
      tasks: deps.registry
        .all()
        .filter((definition) => definition.queue === queue)
        .map((definition) => definition.name),
      oldestWaitMs: oldest.has(queue) ? Math.max(0, deps.move.now() - oldest.get(queue)!) : null,
    }));
}
