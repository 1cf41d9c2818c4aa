import { describe, expect, test } from "vitest";
import {
  JetStreamRefusal,
  OutcomeUnknown,
  type StoredMessage,
  type Wire,
  WRONG_LAST_SEQUENCE,
} from "../../../../daemon/nats/wire.ts";
import { createJournal } from "../../../../daemon/queue/journal.ts";
import { createNames } from "../../../../shared/subjects.ts";
import { encodeRecord, type JournalRecord } from "../../../../shared/task.ts";

const RECORD: JournalRecord = { s: "running", g: 1, a: 1, l: 5, t: 1, w: "worker-1" };
const unanswered = new OutcomeUnknown("no answer");

function stored(seq: number, record: JournalRecord): StoredMessage {
  const data = new TextEncoder().encode(encodeRecord(record));
  return { subject: "s", seq, timeMs: 0, headers: new Map(), data };
}

/** A journal whose writes are answered so, on a broker that holds `there` afterwards. */
function aJournal(
  answer: JetStreamRefusal | OutcomeUnknown | number,
  there: StoredMessage | null | Error,
) {
  const wire: Pick<Wire, "post" | "last"> = {
    post: (_subject, _data, _headers, done) =>
      typeof answer === "number" ? done(null, answer, false) : done(answer, 0, false),
    last: () => (there instanceof Error ? Promise.reject(there) : Promise.resolve(there)),
  };
  return createJournal({ wire: wire as Wire, names: createNames() });
}

describe("a write to the journal", () => {
  test("that is answered has its sequence; one that is refused was overtaken", async () => {
    expect(await aJournal(9, null).append("q", "t", RECORD, 0)).toEqual({
      kind: "appended",
      seq: 9,
    });
    const refused = new JetStreamRefusal(WRONG_LAST_SEQUENCE, 400, "wrong last sequence");
    expect(await aJournal(refused, null).append("q", "t", RECORD, 0)).toEqual({ kind: "lost" });
  });

  test("whose answer was lost was stored when the last record is this very one", async () => {
    const journal = aJournal(unanswered, stored(9, RECORD));
    expect(await journal.append("q", "t", RECORD, 3)).toEqual({ kind: "appended", seq: 9 });
  });

  test("whose answer was lost was overtaken when another record is there", async () => {
    const rival = stored(9, { ...RECORD, w: "worker-2" });
    expect(await aJournal(unanswered, rival).append("q", "t", RECORD, 3)).toEqual({ kind: "lost" });
  });

  test("whose answer was lost is unknown while the record before it stands: it may still arrive", async () => {
    const before = stored(3, { ...RECORD, s: "waiting" });
    await expect(aJournal(unanswered, before).append("q", "t", RECORD, 3)).rejects.toBe(unanswered);
    await expect(aJournal(unanswered, null).append("q", "t", RECORD, 0)).rejects.toBe(unanswered);
  });

  test("is unknown as long as the broker cannot be read either", async () => {
    const away = new OutcomeUnknown("away");
    await expect(aJournal(unanswered, away).append("q", "t", RECORD, 3)).rejects.toBe(away);
  });
});
