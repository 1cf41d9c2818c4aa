import { describe, expect, test } from "vitest";
import {
  EMPTY_FEED,
  FEED_KEYS,
  type FeedAct,
  type FeedState,
  filterableOf,
  RING,
  reduceFeed,
  sampledOneIn,
  valuesSeen,
} from "../../webview/state/feed.ts";
import { compileFilter, parseFilter } from "../../webview/state/filter.ts";
import { exampleBatch, exampleRow } from "./support/gallery/example-feed.ts";

const run = (...acts: FeedAct[]): FeedState => acts.reduce(reduceFeed, EMPTY_FEED);
const batch = (number: number, from: number, count: number, more = {}): FeedAct => ({
  kind: "batch",
  batch: exampleBatch(number, from, count, more),
  at: number * 100,
});

describe("the feed's intake", () => {
  test("rows are kept in order, and only the newest two thousand", () => {
    const state = run(batch(1, 1, 1500), batch(2, 1501, 700));
    expect(state.rows).toHaveLength(RING);
    expect(state.rows[0]?.seq).toBe(201);
    expect(state.rows.at(-1)?.seq).toBe(2200);
  });

  test("a host that counts from the beginning again starts a new list", () => {
    const state = run(batch(1, 100, 5), batch(1, 1, 2));
    expect(state.rows.map(({ seq }) => seq)).toEqual([1, 2]);
  });

  test("a batch without rows keeps the list as it is, and tells rate and drops", () => {
    const before = run(batch(1, 1, 3));
    const after = reduceFeed(before, batch(2, 4, 0, { dropped: 7, perSecond: 0 }));
    expect(after.rows).toBe(before.rows);
    expect([after.dropped, after.perSecond, after.lastAt]).toEqual([7, 0, before.lastAt]);
  });
});

describe("pausing the feed", () => {
  test("freezes what is shown while the intake goes on and is counted", () => {
    const state = run(batch(1, 1, 3), { kind: "pause", on: true }, batch(2, 4, 10));
    expect(state.frozen?.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect([state.rows.length, state.newWhilePaused]).toEqual([13, 10]);
  });

  test("resuming shows everything that came and counts anew", () => {
    const state = run(batch(1, 1, 3), { kind: "pause", on: true }, batch(2, 4, 10), {
      kind: "pause",
      on: false,
    });
    expect([state.frozen, state.newWhilePaused, state.rows.length]).toEqual([null, 0, 13]);
  });

  test("pausing twice changes nothing", () => {
    const once = run(batch(1, 1, 3), { kind: "pause", on: true }, batch(2, 4, 1));
    expect(reduceFeed(once, { kind: "pause", on: true })).toBe(once);
  });
});

describe("following the feed", () => {
  test("selecting a row stops following, and closing it does not start it again", () => {
    const selected = run(batch(1, 1, 3), { kind: "select", seq: 2 });
    expect([selected.selected, selected.isFollowing]).toEqual([2, false]);
    expect(reduceFeed(selected, { kind: "select", seq: null }).isFollowing).toBe(false);
  });

  test("clearing empties the list and keeps the pause", () => {
    const state = run(batch(1, 1, 3), { kind: "pause", on: true }, { kind: "clear" });
    expect([state.rows, state.frozen, state.selected]).toEqual([[], [], null]);
  });
});

describe("sampling", () => {
  test("is told with its share and how long it lasts", () => {
    const state = run(
      batch(10, 1, 50, { sampledOut: 200 }),
      batch(130, 51, 50, { sampledOut: 200 }),
    );
    expect(state.sampling).toEqual({ since: 1000, until: 13_000, kept: 100, leftOut: 400 });
    expect(sampledOneIn(state.sampling!)).toBe(5);
  });

  test("ends three seconds after the last row that was left out", () => {
    const during = run(batch(10, 1, 50, { sampledOut: 200 }), batch(30, 51, 5));
    expect(during.sampling?.kept).toBe(55);
    expect(reduceFeed(during, batch(41, 56, 5)).sampling).toBeNull();
  });
});

describe("the feed's filter", () => {
  const shown = (text: string): string[] => {
    const matches = compileFilter(parseFilter(text, FEED_KEYS));
    const types = [0, 1, 2, 3, 4, 5]
      .map((seq) => exampleRow(seq))
      .filter((row) => matches(filterableOf(row)))
      .map(({ type }) => type);
    return [...new Set(types)];
  };

  test("a type also means the types below it", () => {
    expect(shown("type:events")).toEqual(["events.cls.sync.completed"]);
    expect(shown("type:events.cls")).toEqual(["events.cls.sync.completed"]);
    expect(shown("-type:task")).toEqual(["events.cls.sync.completed"]);
  });

  test("the level warning includes errors, and the level error no warnings", () => {
    expect(shown("level:warning")).toEqual(["task.retrying", "task.dead"]);
    expect(shown("level:error")).toEqual(["task.dead"]);
  });

  test("values that were seen come the most frequent first", () => {
    const rows = [1, 2, 3, 7, 13].map(exampleRow);
    expect(valuesSeen(rows, "type")[0]).toBe("task.escalated");
  });
});
