import { AppError } from "../../shared/errors.ts";
import { HEADER } from "../../shared/subjects.ts";
import { INPUT_LIMIT_BYTES, isTerminal, type JournalRecord } from "../../shared/task.ts";
import type { StoredMessage } from "../nats/wire.ts";
import {
  type Actor,
  type Located,
  levelOf,
  locate,
  type MoveDeps,
  type Payload,
  payloadOfRow,
  publishCopy,
  removeLater,
} from "./move.ts";

export interface RedriveOrder {
  /** A corrected input as JSON text; absent: as it was. */
  readonly input?: string;
  /** Absent: the level that the task had. */
  readonly level?: number;
  readonly reason: string | null;
  readonly maxLevel: number;
  readonly act: "redrive" | "retry";
}

const MAX_TRIES = 5;
/** A dead letter that is not there so long after its record will not come: nothing was left to put into it. */
const LETTER_LATE_MS = 3000;
const LETTER_LOOK_MS = 20;

/**
 * Lets a dead or cancelled task run again with a fresh budget of attempts: copy, journal, then the dead letter goes. The
 * history stays. Throws `task-not-found`, `task-not-in-state`, `not-permitted`.
 */
export async function redrive(
  deps: MoveDeps,
  id: string,
  order: RedriveOrder,
  actor: Actor,
): Promise<{ id: string; generation: number; level: number }> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const task = await locate(deps, id);
    if (task === null) throw new AppError("task-not-found", { id });
    const status = task.entry?.record.s ?? task.row?.status ?? "waiting";
    if (status !== "dead" && status !== "cancelled") {
      throw new AppError("task-not-in-state", {
        id,
        status,
        act: order.act,
        needs: "a dead or cancelled task",
      });
    }
    const level = order.level ?? levelOf(task) ?? 5;
    if (level > order.maxLevel) {
      throw new AppError("not-permitted", {
        user: actor.by,
        role: String(actor.role),
        act: `${order.act} at level ${level}`,
        needs: level >= 10 ? "Admin" : "Manager",
        level,
      });
    }
    const moved = await move(deps, task, level, order, actor);
    if (moved !== null) return moved;
  }
  throw new AppError("task-not-in-state", {
    id,
    status: "moving",
    act: order.act,
    needs: "a task that stands still",
  });
}

async function move(
  deps: MoveDeps,
  task: Located,
  level: number,
  order: RedriveOrder,
  actor: Actor,
): Promise<{ id: string; generation: number; level: number } | null> {
  const letter = await letterOf(deps, task);
  const payload = payloadOf(task, letter, order);
  const before = task.entry?.record ?? null;
  const generation = before?.g ?? task.row?.generation ?? 1;
  const copy = await publishCopy(
    deps,
    { id: task.id, queue: task.queue, level, generation },
    payload,
  );
  const record: JournalRecord = {
    s: "waiting",
    g: copy.generation,
    a: 0,
    l: level,
    t: deps.now(),
    m: copy.seq,
    ...(before?.n === undefined && task.row === null
      ? {}
      : { n: before?.n ?? task.row?.name ?? "" }),
    ...(before?.x === undefined && task.row === null
      ? {}
      : { x: before?.x ?? task.row?.maxAttempts ?? 1 }),
    by: actor.by,
    role: actor.role,
    act: order.act,
    ...(order.input === undefined ? {} : { in: order.input }),
    ...(order.reason === null ? {} : { why: order.reason }),
  };
  const appended = await deps.journal.append(task.queue, task.id, record, task.entry?.seq ?? 0);
  if (appended.kind === "lost") {
    const now = await deps.journal.read(task.queue, task.id);
    // Taken by a worker before the journal was written: it runs, as was asked.
    if (now !== null && now.record.g === copy.generation && !isTerminal(now.record.s))
      return { id: task.id, generation: copy.generation, level };
    return null;
  }
  if (letter !== null) removeLater(deps, deps.names.stream.dead, letter.seq);
  return { id: task.id, generation: copy.generation, level };
}

/**
 * The dead letter that goes with the redrive. It follows the journal's record by a moment: a redrive that overtook it would
 * leave behind the letter of a task that lives again.
 */
async function letterOf(deps: MoveDeps, task: Located): Promise<StoredMessage | null> {
  const record = task.entry?.record;
  for (;;) {
    const letter = await deps.wire.last(
      deps.names.stream.dead,
      deps.names.dead(task.queue, task.id),
    );
    const generation = letter === null ? 0 : Number(letter.headers.get(HEADER.generation) ?? 1);
    if (record?.s !== "dead" || generation === record.g) return letter;
    if (deps.now() - record.t > LETTER_LATE_MS) return letter;
    await new Promise((resolve) => setTimeout(resolve, LETTER_LOOK_MS));
  }
}

function payloadOf(task: Located, letter: StoredMessage | null, order: RedriveOrder): Payload {
  const kept =
    letter !== null
      ? { data: letter.data, headers: letter.headers }
      : task.row === null
        ? null
        : payloadOfRow(task.row);
  if (order.input !== undefined) {
    const size = Buffer.byteLength(order.input);
    if (size > INPUT_LIMIT_BYTES)
      throw new AppError("payload-too-large", {
        name: task.row?.name ?? task.id,
        size,
        limit: INPUT_LIMIT_BYTES,
      });
    const name = kept?.headers.get(HEADER.name) ?? task.row?.name ?? "";
    return { data: order.input, headers: kept?.headers ?? new Map([[HEADER.name, name]]) };
  }
  if (kept === null) {
    throw new AppError("task-not-in-state", {
      id: task.id,
      status: "without its input",
      act: order.act,
      needs: "the input, which is not kept any more",
    });
  }
  return kept;
}
