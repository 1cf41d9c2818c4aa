import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFeed } from "../../../../shared/view/feed.ts";
import type { FeedBatch } from "../../../../shared/view/messages.ts";
import type { RowDraft } from "../../../../shared/view/rows.ts";

function aRow(changes: Partial<RowDraft> = {}): RowDraft {
  return {
    at: 0,
    type: "task.started",
    severity: "info",
    subject: "etl.load",
    taskId: "t1",
    runId: null,
    status: "running",
    queue: "etl",
    text: "Attempt 1 of 4 started",
    by: null,
    traceId: null,
    isKept: false,
    joinKey: null,
    ...changes,
  };
}

/** What a view may live through: events, time, batches that are asked for, and acknowledgements, true and false ones. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("hear" as const),
      isKept: fc.boolean(),
      joinKey: fc.constantFrom(null, null, "a", "b"),
      times: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 200, max: 2500 })),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("take" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("ack" as const),
      batch: fc.integer({ min: -1, max: 40 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      ms: fc.integer({ min: 0, max: 3000 }),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Lives through the steps; at the end acknowledges and takes until nothing is left. */
function live(steps: readonly Step[]) {
  const feed = createFeed();
  feed.open();
  const batches: FeedBatch[] = [];
  let now = 1_000_000;
  let heard = 0;
  let kept = 0;
  let acked = 0;
  const take = (): boolean => {
    const batch = feed.take(now);
    if (batch === null) return false;
    batches.push(batch);
    // Two on their way at most.
    expect(batch.batch - acked).toBeLessThanOrEqual(2);
    return true;
  };
  for (const one of steps) {
    if (one.kind === "wait") now += one.ms;
    else if (one.kind === "take") take();
    else if (one.kind === "ack") {
      feed.ack(one.batch);
      if (one.batch > acked && one.batch <= batches.length) acked = one.batch;
    } else
      for (let n = 0; n < one.times; n += 1) {
        heard += 1;
        const joinKey = one.isKept ? null : one.joinKey;
        if (one.isKept) kept += 1;
        const type = one.isKept ? "kept" : "plain";
        feed.hear(aRow({ type, isKept: one.isKept, joinKey }), now);
      }
  }
  do {
    acked = batches.length;
    feed.ack(acked);
  } while (take());
  return { batches, heard, kept, rows: batches.flatMap(({ rows }) => rows) };
}

describe("properties of the feed", () => {
  const steps = fc.array(step, { maxLength: 60 });

  test("every event is seen, joined into a row, sampled out or dropped, and each is counted as one of them", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const { batches, heard, rows } = live(all);
        const seen = rows.reduce((sum, row) => sum + row.times, 0);
        const sampledOut = batches.reduce((sum, batch) => sum + batch.sampledOut, 0);
        const dropped = batches.at(-1)?.dropped ?? 0;
        expect(seen + sampledOut + dropped).toBe(heard);
      }),
    );
  });

  test("rows arrive in the order of what happened, each with a higher number, and no batch has more than 200", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const { batches, rows } = live(all);
        expect(rows.every((row, i) => i === 0 || row.seq > (rows[i - 1]?.seq ?? 0))).toBe(true);
        expect(batches.every((batch) => batch.rows.length <= 200)).toBe(true);
        expect(batches.map(({ batch }) => batch)).toEqual(batches.map((_, i) => i + 1));
      }),
    );
  });

  test("a row that must be kept is lost only when 2,000 of its like wait already", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const { kept, rows } = live(all);
        const keptSeen = rows.filter(({ type }) => type === "kept").length;
        if (kept <= 2000) expect(keptSeen).toBe(kept);
        else expect(keptSeen).toBeGreaterThanOrEqual(2000);
      }),
    );
  });
});

function opened() {
  const feed = createFeed();
  feed.open();
  feed.take(0);
  feed.ack(1);
  return feed;
}

describe("what is left out", () => {
  test("above 200 rows a second the plain ones are left out and counted, the kept ones are all there", () => {
    const feed = opened();
    for (let n = 0; n < 150; n += 1) {
      feed.hear(aRow({ type: "plain" }), 5000);
      feed.hear(aRow({ type: "end", isKept: true }), 5000);
    }
    const first = feed.take(5000)!;
    feed.ack(first.batch);
    const second = feed.take(5000)!;
    const rows = [...first.rows, ...second.rows];
    expect(rows.filter(({ type }) => type === "end")).toHaveLength(150);
    expect(rows.filter(({ type }) => type === "plain")).toHaveLength(100);
    expect(first.sampledOut + second.sampledOut).toBe(50);
  });

  test("a second later there is room again", () => {
    const feed = opened();
    for (let n = 0; n < 300; n += 1) feed.hear(aRow(), 5000);
    feed.take(5000);
    feed.hear(aRow(), 6000);
    expect(feed.take(6000)).toMatchObject({ rows: [{ seq: 301 }], sampledOut: 0 });
  });

  test("a view that is slow loses the oldest plain rows first, and is told how many", () => {
    const feed = opened();
    feed.hear(aRow({ type: "end", isKept: true }), 5000);
    feed.hear(aRow({ type: "plain" }), 5000);
    for (let n = 0; n < 1999; n += 1) feed.hear(aRow({ type: "end", isKept: true }), 5000);
    const batch = feed.take(5000)!;
    expect(batch.dropped).toBe(1);
    expect(batch.rows.slice(0, 2)).toMatchObject([{ seq: 1 }, { type: "end", seq: 3 }]);
    for (let n = 0; n < 250; n += 1) feed.hear(aRow({ type: "end", isKept: true }), 5000);
    expect(feed.take(5000)?.dropped).toBe(1 + 50);
  });
});

describe("credit", () => {
  test("two batches go ahead of the acknowledgements and no third", () => {
    const feed = opened();
    const next = (): number | undefined => {
      feed.hear(aRow(), 5000);
      return feed.take(5000)?.batch;
    };
    expect([next(), next(), next()]).toEqual([2, 3, undefined]);
    feed.ack(2);
    expect([next(), next()]).toEqual([4, undefined]);
  });

  test("an acknowledgement of a batch that was never sent counts for nothing", () => {
    const feed = opened();
    for (let n = 0; n < 3; n += 1) {
      feed.hear(aRow(), 5000);
      feed.take(5000);
    }
    feed.ack(1000);
    feed.hear(aRow(), 5000);
    expect(feed.take(5000)).toBeNull();
  });

  test("opening it anew forgets what waited and gives full credit; numbers go on", () => {
    const feed = opened();
    for (let n = 0; n < 3; n += 1) {
      feed.hear(aRow(), 5000);
      feed.take(5000);
    }
    feed.open();
    feed.hear(aRow(), 5000);
    expect(feed.take(5000)).toMatchObject({ batch: 4, rows: [{ seq: 4 }], dropped: 0 });
  });
});

test("within a batch rows stand in the order in which things happened, with ascending numbers", () => {
  const feed = opened();
  feed.hear(aRow({ type: "started", at: 20 }), 5000);
  feed.hear(aRow({ type: "ended", at: 30 }), 5000);
  feed.hear(aRow({ type: "enqueued", at: 10 }), 5000);
  feed.hear(aRow({ type: "last", at: 30 }), 5000);
  expect(feed.take(5000)?.rows.map(({ seq, type }) => [seq, type])).toEqual([
    [1, "enqueued"],
    [2, "started"],
    [3, "ended"],
    [4, "last"],
  ]);
});

describe("repeats", () => {
  test("rows of one key that wait become one with the newest text and their number", () => {
    const feed = opened();
    feed.hear(aRow({ joinKey: "p", text: "10 %" }), 5000);
    feed.hear(aRow({ type: "other" }), 5000);
    feed.hear(aRow({ joinKey: "p", text: "20 %" }), 5000);
    expect(feed.take(5000)?.rows).toMatchObject([
      { seq: 1, text: "20 %", times: 2 },
      { seq: 2, type: "other", times: 1 },
    ]);
  });

  test("a row that was sent already is not joined", () => {
    const feed = opened();
    feed.hear(aRow({ joinKey: "p" }), 5000);
    feed.take(5000);
    feed.hear(aRow({ joinKey: "p" }), 5000);
    expect(feed.take(5000)?.rows).toMatchObject([{ seq: 2, times: 1 }]);
  });
});

describe("pace", () => {
  test("the events of the last second are told, and that there are none any more", () => {
    const feed = opened();
    for (let n = 0; n < 30; n += 1) feed.hear(aRow(), 5000);
    expect(feed.take(5000)).toMatchObject({ perSecond: 30, lastAt: 5000 });
    feed.ack(2);
    expect(feed.isBusy(5500)).toBe(true);
    expect(feed.take(5500)).toBeNull();
    expect(feed.take(6100)).toMatchObject({ rows: [], perSecond: 0, lastAt: 5000 });
    expect(feed.isBusy(6200)).toBe(false);
  });

  test("a closed feed hears nothing and has nothing to say", () => {
    const feed = createFeed();
    feed.hear(aRow(), 5000);
    expect([feed.take(5000), feed.isBusy(5000)]).toEqual([null, false]);
  });
});
