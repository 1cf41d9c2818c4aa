import { HEADER } from "../../shared/subjects.ts";
import { DEFAULT_RETRY } from "../../shared/task.ts";
import type { EnqueueRow } from "../audit/audit-store.ts";
import { streamState } from "../nats/streams.ts";
import type { StoredMessage } from "../nats/wire.ts";
import type { ReconcileDeps } from "./reconcile.ts";
import { parseRun } from "./task-message.ts";

/** Messages that each pass looks at: a slow walk around the whole task stream. */
const WALK = 100;

const decoder = new TextDecoder();

/**
 * Looks for waiting messages of tasks that the audit does not know: published while it could not be written, or by a
 * producer without the daemon. Each gets its row, so that people see it, and the consumer that delivers it.
 */
export function createRowlessWalk(deps: ReconcileDeps): {
  /** `whole`: all messages, not only the next few. Answers how many rows were written. */
  pass(whole: boolean): Promise<number>;
} {
  const { wire, names } = deps;
  let next = 1;
  return {
    async pass(whole) {
      const { lastSeq } = await streamState(wire, names.stream.tasks);
      if (whole) next = 1;
      let written = 0;
      for (let looked = 0; whole || looked < WALK; looked++) {
        const message = next > lastSeq ? null : await wire.from(names.stream.tasks, next);
        if (message === null) {
          next = 1;
          return written;
        }
        next = message.seq + 1;
        if (await writeRow(deps, message)) written++;
      }
      return written;
    },
  };
}

/** False: the audit knows the task, or the message is so young that its row may be on its way. */
async function writeRow(deps: ReconcileDeps, message: StoredMessage): Promise<boolean> {
  const row = toRow(deps, message);
  if (row === null || deps.now() - message.timeMs < deps.settleMs) return false;
  if (deps.reader().task(row.id) !== null) return false;
  const [outcome] = await deps.audit.journalEnqueue([row]);
  if (outcome?.kind !== "journaled") return false;
  await deps.consumers.ensure(row.queue, row.level);
  deps.audit.note({
    at: deps.now(),
    kind: "repaired",
    by: "msgsys",
    taskId: row.id,
    detail: { repair: "row written", queue: row.queue, level: row.level },
  });
  deps.log("task_repaired", { taskId: row.id, repair: "row written" });
  return true;
}

function toRow(deps: ReconcileDeps, { subject, headers, data, timeMs }: StoredMessage) {
  const where = deps.names.parseTask(subject);
  if (where === null) return null;
  const header = (name: string): string | null => headers.get(name) || null;
  return {
    id: where.taskId,
    name: header(HEADER.name) ?? where.queue,
    queue: where.queue,
    level: where.level,
    maxAttempts: DEFAULT_RETRY.retries + 1,
    status: "waiting",
    input: decoder.decode(data),
    by: header(HEADER.by) ?? "unknown",
    createdAt: timeMs,
    dueAt: null,
    key: null,
    correlationId: header(HEADER.correlation),
    traceId: header(HEADER.trace),
    category: header(HEADER.category),
    phase: header(HEADER.phase),
    run: parseRun(header(HEADER.run) ?? undefined),
  } satisfies EnqueueRow;
}
