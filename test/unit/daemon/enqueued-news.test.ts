import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createEnqueuedTeller } from "../../../daemon/enqueued-news.ts";
import type { EnqueuedNews } from "../../../shared/bus/follow.ts";
import { aRow } from "../../support/audit-rows.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function teller() {
  const told: EnqueuedNews[] = [];
  return { ...createEnqueuedTeller((news) => told.push(news)), news: told };
}

test("the first task after a quiet time is told at once", () => {
  const { told, news } = teller();
  told(aRow("a", { level: 8, by: "ann", createdAt: 7 }));
  vi.advanceTimersByTime(0);
  const shown = [{ id: "a", name: "etl.load", queue: "etl", level: 8, by: "ann", at: 7 }];
  expect(news).toEqual([{ tasks: 1, shown, queues: ["etl"], runs: [] }]);
});

test("of a flood it tells ten times a second, with all of them counted and some named", () => {
  const { told, news } = teller();
  for (let n = 0; n < 1000; n += 1) {
    told(aRow(`t${n}`, { queue: n % 2 === 0 ? "etl" : "cls" }));
    vi.advanceTimersByTime(1);
  }
  vi.advanceTimersByTime(1000);
  expect(news.length).toBeLessThanOrEqual(12);
  expect(news.reduce((sum, { tasks }) => sum + tasks, 0)).toBe(1000);
  expect(news.at(-1)?.shown).toHaveLength(20);
  expect(news.at(-1)?.queues.toSorted()).toEqual(["cls", "etl"]);
});

test("a run is named with its tasks", () => {
  const { told, news } = teller();
  const run = {
    id: "r1",
    pipeline: "cls_all",
    phases: ["sync"],
    phase: "sync",
    params: {},
    by: "ann",
  };
  told(aRow("r1-sync", { run }));
  vi.advanceTimersByTime(0);
  expect(news[0]?.runs).toEqual(["r1"]);
});

test("when nothing more comes no timer is left, and what waited is told at the stop", async () => {
  const { told, news, stop } = teller();
  told(aRow("a"));
  vi.advanceTimersByTime(1000);
  expect(vi.getTimerCount()).toBe(0);
  told(aRow("b"));
  vi.advanceTimersByTime(0);
  told(aRow("c"));
  await stop();
  expect(news.map(({ shown }) => shown.map(({ id }) => id))).toEqual([["a"], ["b"], ["c"]]);
  expect(vi.getTimerCount()).toBe(0);
});
