import type { AttemptError, JournalRecord } from "../../shared/task.ts";
import type { RunningTask } from "../audit/audit-store.ts";
import type { Order } from "../worker/protocol.ts";
import { publishDeadLetter } from "./dead-letter.ts";
import {
  findMessage,
  type Located,
  type MoveDeps,
  payloadOfRow,
  publishCopy,
  removeLater,
} from "./move.ts";
import { planLost } from "./retry.ts";

export interface Released {
  readonly waiting: number;
  readonly dead: number;
  /** Others were first: the task had moved on. */
  readonly moved: number;
}

/** How a worker was lost. */
export interface Loss {
  /** What is known of its end. */
  readonly why: string;
  /** Whether one of its tasks may have been the cause; else the loss counts for none of them. */
  readonly suspects: boolean;
}

const CONCURRENCY = 64;

/**
 * Ends the leases of a worker that is gone: each of its tasks waits again as a new generation (the attempt counts), or is
 * dead when its attempts or its chances are used up. `onReleased` hears of each task that was moved.
 */
export async function releaseLeases(
  deps: MoveDeps,
  tasks: readonly RunningTask[],
  loss: Loss,
  onReleased?: (task: RunningTask) => void,
): Promise<Released> {
  const count = { waiting: 0, dead: 0, moved: 0 };
  const queue = [...tasks];
  const lane = async (): Promise<void> => {
    for (let task = queue.pop(); task !== undefined; task = queue.pop()) {
      const outcome = await releaseOne(deps, task, loss);
      count[outcome]++;
      if (outcome !== "moved") {
        tellWorker(deps, task);
        onReleased?.(task);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, queue.length) }, lane));
  return count;
}

/**
 * Tells the worker, should it still be there: one that was frozen or cut off goes on with what is somebody else's now. It
 * hears this when it wakes; one whose connection ended meanwhile asks the journal when it is back.
 */
function tellWorker(deps: MoveDeps, task: RunningTask): void {
  const order: Order = { kind: "lost", taskId: task.id, claim: task.seq };
  if (!deps.wire.nc.isClosed())
    deps.wire.nc.publish(deps.names.order(task.worker), JSON.stringify(order));
}

async function releaseOne(
  deps: MoveDeps,
  task: RunningTask,
  { why, suspects }: Loss,
): Promise<"waiting" | "dead" | "moved"> {
  const { record } = task;
  const lost = (record.lost ?? 0) + (suspects ? 1 : 0);
  const error: AttemptError = {
    code: "worker-lost",
    message: `The worker ${task.worker} was lost: ${why}`,
  };
  const plan = planLost({ attempt: record.a, maxAttempts: record.x ?? 1, lostInARow: lost });
  const located: Located = {
    id: task.id,
    queue: task.queue,
    row: deps.reader().task(task.id),
    entry: { seq: task.seq, record },
  };
  const old = await findMessage(deps, located, record.l);
  const payload =
    old !== null
      ? { data: old.data, headers: old.headers }
      : located.row === null
        ? null
        : payloadOfRow(located.row);
  const common = {
    l: record.l,
    t: deps.now(),
    w: task.worker,
    ...(lost > 0 ? { lost } : {}),
    ...(record.n === undefined ? {} : { n: record.n }),
    ...(record.x === undefined ? {} : { x: record.x }),
    e: error,
    by: "msgsys",
    role: "system",
    act: "lost",
    why,
  } as const;
  if (plan.kind === "dead" || payload === null) {
    const dead: JournalRecord = {
      s: "dead",
      g: record.g,
      a: record.a,
      ...common,
      ...(record.es ? { es: record.es } : {}),
      dead: plan.kind === "dead" ? plan.reason : "invalid",
    };
    const appended = await deps.journal.append(task.queue, task.id, dead, task.seq);
    if (appended.kind === "lost") return "moved";
    if (payload !== null) {
      const data =
        typeof payload.data === "string" ? new TextEncoder().encode(payload.data) : payload.data;
      await publishDeadLetter(
        deps,
        { id: task.id, queue: task.queue, headers: payload.headers, data },
        dead,
      );
    }
    if (old !== null) removeLater(deps, deps.names.stream.tasks, old.seq);
    return "dead";
  }
  const copy = await publishCopy(
    deps,
    { id: task.id, queue: task.queue, level: record.l, generation: record.g },
    payload,
  );
  const waiting: JournalRecord = {
    s: "waiting",
    g: copy.generation,
    a: record.a,
    ...common,
    m: copy.seq,
    es: [...(record.es ?? []), error].slice(-20),
  };
  const appended = await deps.journal.append(task.queue, task.id, waiting, task.seq);
  if (appended.kind === "lost") return "moved";
  if (old !== null) removeLater(deps, deps.names.stream.tasks, old.seq);
  return "waiting";
}
