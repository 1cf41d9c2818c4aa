import { AppError, describe, fromUnknown } from "../../shared/errors.ts";
import type { Names } from "../../shared/subjects.ts";
import type { Log } from "../log.ts";
import type { NatsLink } from "../nats/connect.ts";
import { createWire } from "../nats/wire.ts";
import type { Purgeable, RunningTask } from "./audit-store.ts";
import { createDatabaseKeeper } from "./database-keeper.ts";
import type { FollowedRecord } from "./followed-record.ts";
import { createFollower, type Follower } from "./follower.ts";
import { createJobQueue, type JobQueue } from "./job-queue.ts";
import { createJournalMemory } from "./memory.ts";
import type { AuditState } from "./messages.ts";
import { createOutbox, type Outbox } from "./outbox.ts";
import { createRecordQueue } from "./record-queue.ts";
import { createArrival } from "./resume.ts";
import { createWaiters } from "./waiters.ts";
import type { Writer } from "./writer.ts";

const RETRY_MS = 1000;
/** After this long without a write the log of changes is moved into the database file. */
const IDLE_MS = 2000;

/** Numbers for other threads. */
interface Board {
  followed(seq: number): void;
  written(seq: number): void;
  last(seq: number): void;
  opened(): unknown;
  /** Counts a record; one that was counted before is not counted again. */
  count(followed: FollowedRecord): void;
  /** The follower came to a stream that ends here. */
  arrived(last: number): void;
}

export interface ServiceDeps {
  readonly file: string;
  readonly names: Names;
  readonly inbox: string;
  readonly log: Log;
  readonly board: Board;
  readonly now: () => number;
  readonly onState: (state: AuditState) => void;
}

/** The audit inside its thread: one writer, one follower. */
export interface AuditService {
  readonly jobs: JobQueue;
  state(): AuditState;
  /** From here on the journal is followed. */
  connected(link: NatsLink): void;
  followed(seq: number): Promise<void>;
  written(seq: number): Promise<void>;
  running(worker: string | null): Promise<RunningTask[]>;
  purgeFloor(retentionMs: number): number;
  purgeable(retentionMs: number, done: number): Purgeable;
  stop(): Promise<void>;
}

/** Opens the database. Throws `audit-store-corrupt` and `audit-store-newer`. */
export function createAuditService(deps: ServiceDeps): AuditService {
  const { names, log, board, now } = deps;
  const memory = createJournalMemory();
  const followed = createWaiters();
  const written = createWaiters();
  let follower: Follower | null = null;
  let outbox: Outbox | null = null;
  /** Set when what runs is known: from the database and the records since, or from the whole journal. */
  const arrived = Promise.withResolvers<void>();

  const keeper = createDatabaseKeeper({
    file: deps.file,
    now,
    onState(state) {
      deps.onState(state);
      if (state.kind === "unavailable")
        written.failAll(
          new AppError("audit-store-unavailable", { what: state.cause, file: deps.file }),
        );
    },
    onOpened(writer) {
      board.opened();
      tellWritten(writer.cursor().seq, true);
      // What was followed in memory alone is read again, from where this database stands.
      reread();
    },
  });
  const jobs = createJobQueue(keeper);

  function tellWritten(seq: number, anew: boolean): void {
    if (anew) written.reset(seq);
    board.written(seq);
    written.reached(seq);
  }

  function reread(): void {
    if (follower === null) return;
    queue.clear();
    follower.restart();
  }

  async function work(batch: readonly FollowedRecord[], isCurrent: () => boolean): Promise<void> {
    const published = await outbox?.publish(batch);
    if (published === true && isCurrent() && keeper.state.kind === "ok") {
      try {
        writeBatch(batch, isCurrent);
      } catch (error) {
        // Ignored here when the database cannot be written: the keeper has said so and the journal is read again later.
        if (fromUnknown(error).code !== "audit-store-unavailable")
          writeSingly(batch, isCurrent, error);
      }
    }
    follower?.refill();
  }

  function writeBatch(batch: readonly FollowedRecord[], isCurrent: () => boolean): void {
    const last = batch.at(-1);
    if (last === undefined) return;
    const seq = keeper.transaction(false, (writer) => {
      const { seq: before, stream } = writer.cursor();
      // The file was found replaced just now: these records are not the ones that follow what the new one holds.
      if (!isCurrent()) return before;
      writer.records(batch, { seq: last.seq, time: last.time, stream });
      return last.seq;
    });
    tellWritten(seq, false);
  }

  /** A record that cannot be written must not stop the others: it is named in the timeline and passed over. */
  function writeSingly(
    batch: readonly FollowedRecord[],
    isCurrent: () => boolean,
    error: unknown,
  ): void {
    log.error("batch not written, trying its records singly", { why: describe(error) });
    for (const record of batch) {
      try {
        writeBatch([record], isCurrent);
      } catch (failure) {
        if (fromUnknown(failure).code === "audit-store-unavailable") return;
        log.error("record not written", {
          taskId: record.id,
          seq: record.seq,
          why: describe(failure),
        });
        try {
          writeBatch([{ ...record, record: null }], isCurrent);
        } catch (last) {
          log.error("record lost to the audit", { seq: record.seq, why: describe(last) });
        }
      }
    }
  }

  const queue = createRecordQueue(work, () => jobs.busy());

  const retry = setInterval(() => {
    if (keeper.state.kind === "unavailable" && keeper.retry()) jobs.flush();
    else keeper.checkpointWhenIdle(IDLE_MS);
  }, RETRY_MS);

  return {
    jobs,
    state: () => keeper.state,
    connected(link) {
      follower?.stop();
      outbox?.stop();
      queue.clear();
      const wire = createWire(link.nc, { inbox: `${deps.inbox}.wire` });
      outbox = createOutbox({
        wire,
        prefix: names.prefix,
        onRefused: (taskId, subject, why) => {
          const detail = JSON.stringify({ subject, why });
          const at = now();
          jobs.addEvent((writer) =>
            writer.event({
              at,
              kind: "event.refused",
              taskId,
              by: "system",
              role: "system",
              detail,
            }),
          );
        },
      });
      const startAt = createArrival({ keeper, memory, wire, names, log });
      follower = createFollower({
        nc: link.nc,
        wire,
        names,
        inbox: deps.inbox,
        log,
        async startAt(facts) {
          const start = await startAt(facts);
          // What was purged before it was read will never come: nobody may wait for it.
          const gone = facts.firstSeq - 1;
          const followedSeq = Math.max(memory.followed, gone);
          followed.reset(followedSeq);
          board.followed(followedSeq);
          const cursor = keeper.writer()?.cursor().seq;
          if (cursor !== undefined) tellWritten(Math.max(cursor, gone), true);
          followed.reached(followedSeq);
          return start;
        },
        onLast(last) {
          board.last(last);
          board.arrived(last);
          arrived.resolve();
        },
        onRecord(record, last) {
          memory.follow(record);
          board.count(record);
          board.followed(memory.followed);
          board.last(last);
          followed.reached(memory.followed);
          queue.push(record);
          if (record.seq >= written.lowest) queue.hurry();
        },
        hasRoom: queue.hasRoom,
      });
    },
    followed: (seq) => followed.wait(seq),
    written(seq) {
      // Facts that came before this question wait for the end of the turn.
      jobs.flush();
      const { state } = keeper;
      if (state.kind === "unavailable")
        return Promise.reject(
          new AppError("audit-store-unavailable", { what: state.cause, file: deps.file }),
        );
      const reached = written.wait(seq);
      if (seq <= memory.followed) queue.hurry();
      return reached;
    },
    async running(worker) {
      await arrived.promise;
      return memory.running(worker);
    },
    purgeFloor: (retentionMs) =>
      keeper.transaction(true, (writer: Writer) => writer.purgeFloor(retentionMs)),
    purgeable: (retentionMs, done) =>
      keeper.transaction(true, (writer: Writer) => writer.purgeable(retentionMs, done)),
    async stop() {
      clearInterval(retry);
      follower?.stop();
      const limit = setTimeout(() => outbox?.stop(), IDLE_MS);
      await queue.idle();
      clearTimeout(limit);
      outbox?.stop();
      queue.stop();
      jobs.flush();
      keeper.checkpointWhenIdle(0);
      keeper.close();
    },
  };
}
