import { HEADER, type Names } from "../../shared/subjects.ts";
import { decodeRecord, encodeRecord, type JournalRecord } from "../../shared/task.ts";
import type { Group } from "../nats/group.ts";
import {
  type EncodedHeaders,
  encodeHeaders,
  OutcomeUnknown,
  type Wire,
  WRONG_LAST_SEQUENCE,
} from "../nats/wire.ts";

/** The last record of a task with its sequence: what the next compare-and-swap must expect. */
export interface JournalEntry {
  readonly seq: number;
  readonly record: JournalRecord;
}

/** `lost`: another writer was first; read again and decide anew. */
export type Appended =
  | { readonly kind: "appended"; readonly seq: number }
  | { readonly kind: "lost" };

/**
 * The journal of every task: the only arbiter. An acknowledgement of a message is no fence (a stale one succeeds too);
 * the compare-and-swap here is.
 */
export interface Journal {
  /** Appends when the last record of the task has sequence `expect` (0: no record). Rejects with OutcomeUnknown only when the broker stays away. */
  append(queue: string, taskId: string, record: JournalRecord, expect: number): Promise<Appended>;
  /** The same for a record that is text already, without a promise. `done` gets the outcome, or the error that `append` would throw. */
  submit(
    queue: string,
    taskId: string,
    text: string,
    expect: number,
    done: (outcome: Appended | Error) => void,
  ): void;
  read(queue: string, taskId: string): Promise<JournalEntry | null>;
}

const decoder = new TextDecoder();
const LOST: Appended = { kind: "lost" };
const EXPECT_NONE = encodeHeaders([[HEADER.expectLast, "0"]]);

function expectHeader(seq: number): EncodedHeaders {
  return seq === 0 ? EXPECT_NONE : encodeHeaders([[HEADER.expectLast, String(seq)]]);
}

/** `group`: records travel in atomic batches, for a broker that syncs every write to disk. */
export function createJournal(deps: { wire: Wire; names: Names; group?: Group }): Journal {
  const { wire, names, group } = deps;
  const stream = names.stream.state;

  const read = async (queue: string, taskId: string): Promise<JournalEntry | null> => {
    const m = await wire.last(stream, names.state(queue, taskId));
    return m === null ? null : { seq: m.seq, record: decodeRecord(decoder.decode(m.data)) };
  };

  /** The write may have been stored before the answer was lost: only the record itself tells. */
  const confirm = async (
    queue: string,
    taskId: string,
    text: string,
    expect: number,
    unknown: Error,
  ): Promise<Appended> => {
    const entry = await read(queue, taskId);
    if ((entry?.seq ?? 0) === expect) throw unknown;
    return entry !== null && encodeRecord(entry.record) === text
      ? { kind: "appended", seq: entry.seq }
      : LOST;
  };

  const submit: Journal["submit"] = (queue, taskId, text, expect, done) => {
    wire.post(names.state(queue, taskId), text, expectHeader(expect), (error, seq) => {
      if (error === null) done({ kind: "appended", seq });
      else if (error instanceof OutcomeUnknown)
        confirm(queue, taskId, text, expect, error).then(done, done);
      else if (error.errCode === WRONG_LAST_SEQUENCE) done(LOST);
      else done(error);
    });
  };

  const submitGrouped: Journal["submit"] = (queue, taskId, text, expect, done) => {
    const headers = [[HEADER.expectLast, String(expect)]] as const;
    group?.submit(names.state(queue, taskId), text, headers, (error, seq, again) => {
      if (error === null) done({ kind: "appended", seq });
      else if (error instanceof OutcomeUnknown)
        confirm(queue, taskId, text, expect, error).then(done, done);
      else if (error.errCode !== WRONG_LAST_SEQUENCE) done(error);
      // The batch it first travelled in may have been stored although its answer was lost.
      else if (again) confirm(queue, taskId, text, expect, error).then(done, () => done(LOST));
      else done(LOST);
    });
  };
  const write = group === undefined ? submit : submitGrouped;

  return {
    read,
    submit: write,
    append: (queue, taskId, record, expect) =>
      new Promise((resolve, reject) => {
        write(queue, taskId, encodeRecord(record), expect, (outcome) => {
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome);
        });
      }),
  };
}
