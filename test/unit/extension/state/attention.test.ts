import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { DeadLetterNews, RunNews, WorkSummary } from "../../../../extension/app-context.ts";
import { SETTINGS } from "../../../../extension/contributions.ts";
import { createSource } from "../../../../extension/observable.ts";
import { type AttentionApp, createAttention } from "../../../../extension/state/attention.ts";
import { createWorkSource } from "../../../../extension/state/work-source.ts";
import type { Client } from "../../../../shared/bus/client.ts";
import type { FollowEvent } from "../../../../shared/bus/follow.ts";
import type { ConnectionState } from "../../../../shared/connection.ts";
import type { RunView } from "../../../../shared/control.ts";
import {
  aFact,
  aPhase,
  aRun,
  aTask,
  NO_COUNTS,
  NOON,
  secondsAgo,
} from "../../../support/work-views.ts";

beforeEach(() => vi.useFakeTimers({ now: NOON }));
afterEach(() => vi.useRealTimers());

function rig(dead = 0) {
  let hear: (event: FollowEvent) => void = () => {};
  const told: (DeadLetterNews | RunNews)[] = [];
  const state = {
    asked: 0,
    dead,
    run: aRun(),
    isShown: false,
    seenAt: undefined as number | undefined,
  };
  const client = {
    follow(_: unknown, callback: (event: FollowEvent) => void) {
      hear = callback;
      return { stop() {} };
    },
    async status() {
      state.asked += 1;
      return { counts: { ...NO_COUNTS, dead: state.dead }, queues: [] };
    },
    async list() {
      const tasks = Array.from({ length: Math.min(100, state.dead) }, (_, at) =>
        aTask({ id: `d${at}`, status: "dead", endedAt: secondsAgo(60), error: "boom" }),
      );
      return { tasks, next: null };
    },
    getRun: async (): Promise<RunView> => state.run,
  } as unknown as Client;
  const connection = createSource<ConnectionState>({
    kind: "connected",
    since: 0,
    url: "",
    rttMs: null,
    daemonVersion: "",
    serverVersion: "",
  });
  const source = createWorkSource({ client: () => client, onClient: () => () => {}, connection });
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const app: AttentionApp = {
    identity: createSource({ user: "ada", role: "Admin" as const }),
    log,
    notifications: {
      failed() {},
      deadLetter: (letter) => void told.push(letter),
      runEnded: (run) => void told.push(run),
    },
    setContext() {},
    setting: (key) => SETTINGS[key],
    work: createSource<WorkSummary | null>(null),
  };
  const attention = createAttention({
    app,
    source,
    seenAt: () => state.seenAt,
    saveSeenAt: (at) => {
      state.seenAt = at;
    },
    isShown: () => state.isShown,
  });
  return { app, attention, connection, state, told, hear: (event: FollowEvent) => hear(event) };
}

describe("dead letters", () => {
  test("each is told with its name and cause; one that was discarded is not", () => {
    const { told, hear } = rig();
    hear(aFact("a", { s: "dead", e: { code: "timed-out", message: "no reply" } }));
    hear(aFact("b", { s: "dead", dead: "poison" }));
    hear(aFact("c", { s: "dead", act: "discard" }));
    expect(told).toEqual([
      { taskId: "a", name: "etl.load", cause: "timed-out" },
      { taskId: "b", name: "etl.load", cause: "poison" },
    ]);
  });

  test("those that came since the last look are counted until the view is opened", async () => {
    const { app, attention, state, hear } = rig(3);
    await vi.advanceTimersByTimeAsync(0);
    expect(app.work.get()).toMatchObject({ deadUnseen: 3, deadCauses: ["boom (3)"] });
    attention.lookedAtDead(true);
    attention.lookedAtDead(false);
    expect(app.work.get()?.deadUnseen).toBe(0);
    hear(aFact("a", { s: "running" }));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(app.work.get()?.deadUnseen).toBe(0);
    expect(state.seenAt).toBe(NOON);
  });
});

describe("the counts of the status bar", () => {
  test("they are asked for at most every five seconds, and never while nothing happens", async () => {
    const { state, hear } = rig();
    await vi.advanceTimersByTimeAsync(0);
    expect(state.asked).toBe(1);
    for (let i = 0; i < 100; i++) {
      hear(aFact("a", { s: "running" }));
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(state.asked).toBe(3);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(state.asked).toBe(3);
  });

  test("nobody knows them while there is no connection", async () => {
    const { app, connection } = rig();
    await vi.advanceTimersByTimeAsync(0);
    expect(app.work.get()).not.toBeNull();
    connection.set({ kind: "stopped", since: 0 });
    expect(app.work.get()).toBeNull();
  });
});

describe("a run that ended", () => {
  const end = aFact("RUN-sync", { s: "completed", n: "cls.sync" });
  const done = aRun({ status: "completed", endedAt: secondsAgo(10), createdAt: secondsAgo(70) });

  test("is told once, with how it ended and how long it took", async () => {
    const { told, hear, state } = rig();
    state.run = done;
    hear(end);
    hear(end);
    await vi.advanceTimersByTimeAsync(5000);
    hear(end);
    await vi.advanceTimersByTimeAsync(5000);
    expect(told).toEqual([
      { runId: done.id, pipeline: "cls_all", outcome: "completed", tookMs: 60_000 },
    ]);
  });

  test("is told a moment later when the daemon knows it a moment later", async () => {
    const { told, hear, state } = rig();
    state.run = aRun({ phases: [aPhase("sync", { status: "completed" })] });
    hear(end);
    await vi.advanceTimersByTimeAsync(500);
    expect(told).toEqual([]);
    state.run = done;
    await vi.advanceTimersByTimeAsync(500);
    expect(told).toHaveLength(1);
  });

  test.each([
    [
      "somebody else started it",
      (state: ReturnType<typeof rig>["state"]) => {
        state.run = { ...done, by: "grace" };
      },
    ],
    [
      "a view shows it",
      (state: ReturnType<typeof rig>["state"]) => {
        state.isShown = true;
        state.run = done;
      },
    ],
    [
      "only a phase ended",
      (state: ReturnType<typeof rig>["state"]) => {
        state.run = aRun();
      },
    ],
  ])("is not told when %s", async (_, arrange) => {
    const { told, hear, state } = rig();
    arrange(state);
    hear(end);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told).toEqual([]);
  });
});
