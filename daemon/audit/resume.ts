import { describe } from "../../shared/errors.ts";
import type { Names } from "../../shared/subjects.ts";
import { decodeRecord } from "../../shared/task.ts";
import type { Log } from "../log.ts";
import type { StoredMessage, Wire } from "../nats/wire.ts";
import type { DatabaseKeeper } from "./database-keeper.ts";
import { toNanos } from "./delivery.ts";
import type { StreamFacts } from "./follower.ts";
import { type JournalMemory, recordFromRow } from "./memory.ts";
import type { JournalCursor, StoredRunning } from "./writer.ts";

/**
 * How far to go back when the broker lost its newest records (a power loss between two of its syncs): more than it can
 * write in that time. What is read again is recognized, so going back too far costs only time.
 */
const REWIND_RECORDS = 200_000;

/** What the cursor says about the stream that the broker has now. */
export type Resumption =
  | { readonly kind: "go-on" }
  /** Read again everything after `seq`. */
  | { readonly kind: "rewind"; readonly seq: number; readonly why: string };

/**
 * Compares where the audit stands with the stream as it is. `timeAtCursor`: when the broker stored the record that now
 * has the cursor's sequence, in ns since 1970; null when there is none (it was purged).
 */
export function planResumption(
  cursor: JournalCursor,
  facts: StreamFacts,
  timeAtCursor: string | null,
): Resumption {
  if (cursor.seq === 0 && cursor.stream === "")
    return { kind: "rewind", seq: 0, why: "a new audit" };
  if (cursor.stream !== facts.created)
    return { kind: "rewind", seq: 0, why: "another journal stream" };
  const back = Math.max(0, Math.min(cursor.seq, facts.lastSeq) - REWIND_RECORDS);
  if (cursor.seq > facts.lastSeq)
    return { kind: "rewind", seq: back, why: "the broker lost its newest records" };
  if (cursor.seq > 0 && timeAtCursor !== null && timeAtCursor !== cursor.time)
    return { kind: "rewind", seq: back, why: "the broker wrote its newest records anew" };
  return { kind: "go-on" };
}

/** Decides where the follower begins, each time it comes to the stream; brings the memory in line with that. */
export function createArrival(deps: {
  readonly keeper: DatabaseKeeper;
  readonly memory: JournalMemory;
  readonly wire: Wire;
  readonly names: Names;
  readonly log: Log;
}): (facts: StreamFacts) => Promise<number> {
  const { keeper, memory, wire, names, log } = deps;
  const stream = names.stream.state;
  let restored = false;

  async function recordOf(task: StoredRunning): Promise<void> {
    const message = task.seq > 0 ? await wire.at(stream, task.seq) : null;
    const mine = message?.subject === names.state(task.queue, task.id);
    const record = mine && message ? tryDecode(message) : null;
    memory.restore({
      id: task.id,
      queue: task.queue,
      worker: record?.w ?? task.worker ?? "",
      seq: task.seq,
      record: record ?? recordFromRow(task),
    });
  }

  /** What ran when the audit last stopped; the records since then change it. */
  async function restore(cursor: number, tasks: readonly StoredRunning[]): Promise<void> {
    memory.reset(cursor);
    for (const task of tasks) await recordOf(task);
  }

  /** Without a database the journal's whole content tells what runs. */
  function startInMemory(facts: StreamFacts): number {
    if (facts.lastSeq < memory.followed || !restored) memory.reset(facts.firstSeq - 1);
    restored = true;
    return memory.followed + 1;
  }

  return async (facts) => {
    const writer = keeper.writer();
    if (writer === null) return startInMemory(facts);
    const cursor = writer.cursor();
    const at = cursor.seq > 0 ? await wire.at(stream, cursor.seq) : null;
    const time = at === null ? null : toNanos(at.headers.get("Nats-Time-Stamp") ?? "");
    const plan = planResumption(cursor, facts, time);
    if (plan.kind === "rewind") {
      log.info("journal is read again", { from: plan.seq, why: plan.why });
      const anew = { seq: plan.seq, time: "", stream: facts.created };
      keeper.transaction(true, (w) => w.rewind(anew, plan.why));
      if (restored && plan.seq < memory.followed && cursor.seq > 0) restored = false;
    }
    const { seq } = keeper.writer()?.cursor() ?? { seq: 0 };
    if (!restored || memory.followed < seq)
      await restore(seq, keeper.writer()?.runningTasks() ?? []);
    restored = true;
    return seq + 1;
  };
}

function tryDecode(message: StoredMessage) {
  try {
    return decodeRecord(new TextDecoder().decode(message.data));
  } catch (error) {
    throw new Error(`${message.subject}: ${describe(error)}`);
  }
}
