import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createSource } from "../../../../extension/observable.ts";
import { createLiveModel, type Loaded } from "../../../../extension/state/live-model.ts";
import { createWorkSource } from "../../../../extension/state/work-source.ts";
import type { Client } from "../../../../shared/bus/client.ts";
import type { FollowEvent } from "../../../../shared/bus/follow.ts";
import type { ConnectionState } from "../../../../shared/connection.ts";
import { AppError } from "../../../../shared/errors.ts";
import { aFact } from "../../../support/work-views.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const CONNECTED: ConnectionState = {
  kind: "connected",
  since: 0,
  url: "",
  rttMs: null,
  daemonVersion: "",
  serverVersion: "",
};
const LOST: ConnectionState = {
  kind: "reconnecting",
  since: 0,
  attempt: 1,
  url: "",
  cause: { code: "closed", detail: "" },
  nextTryAt: null,
};

/** A daemon that counts how often it is asked; each answer takes `tookMs`. */
function rig({ tookMs = 0, isBehind = false } = {}) {
  let hear: (event: FollowEvent) => void = () => {};
  let followed = 0;
  const client = {
    follow(_: unknown, callback: (event: FollowEvent) => void) {
      hear = callback;
      followed += 1;
      return { stop() {} };
    },
  } as unknown as Client;
  const connection = createSource<ConnectionState>(CONNECTED);
  const source = createWorkSource({ client: () => client, onClient: () => () => {}, connection });
  const state = { asked: 0, answer: async (): Promise<void> => {}, isBehind };
  const model = createLiveModel<{ readonly answer: number; readonly events: number }>({
    source,
    async load(): Promise<Loaded<{ answer: number; events: number }>> {
      state.asked += 1;
      const answer = state.asked;
      if (tookMs > 0) await new Promise((resolve) => setTimeout(resolve, tookMs));
      await state.answer();
      return { value: { answer, events: 0 }, isBehind: state.isBehind };
    },
    reduce: (value, event) =>
      event.kind === "task" ? { ...value, events: value.events + 1 } : value,
    concerns: (event) => event.kind === "task",
  });
  return {
    model,
    state,
    connection,
    followed: () => followed,
    event: () => hear(aFact("t", { s: "running" })),
  };
}

test("nothing is asked before somebody looks, however much happens", async () => {
  const { model, state, event } = rig();
  for (let i = 0; i < 100; i++) event();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(state.asked).toBe(0);
  model.setVisible(true);
  await vi.advanceTimersByTimeAsync(0);
  expect([state.asked, model.get().value?.answer]).toEqual([1, 1]);
});

test("nothing is asked again while nothing happens", async () => {
  const { model, state } = rig();
  model.setVisible(true);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(state.asked).toBe(1);
});

test("a thousand events a second are four answers a second, and listeners hear no more often", async () => {
  const { model, state, event } = rig();
  model.setVisible(true);
  await vi.advanceTimersByTimeAsync(0);
  let heard = 0;
  model.onChange(() => {
    heard += 1;
  });
  for (let ms = 0; ms < 1000; ms++) {
    event();
    await vi.advanceTimersByTimeAsync(1);
  }
  expect(state.asked).toBeLessThanOrEqual(5);
  expect(state.asked).toBeGreaterThan(2);
  expect(heard).toBeLessThanOrEqual(10);
});

test("a daemon that answers slowly is asked no more than a fifth of the time", async () => {
  const { model, state, event } = rig({ tookMs: 1000 });
  model.setVisible(true);
  for (let i = 0; i < 195; i++) {
    await vi.advanceTimersByTimeAsync(100);
    event();
  }
  expect(state.asked).toBe(4);
});

test("an event shows before the next answer, and one that came during an answer is not lost", async () => {
  const { model, event } = rig({ tookMs: 100 });
  model.setVisible(true);
  await vi.advanceTimersByTimeAsync(50);
  event();
  await vi.advanceTimersByTimeAsync(50);
  expect(model.get().value).toEqual({ answer: 1, events: 1 });
  event();
  await vi.advanceTimersByTimeAsync(250);
  expect(model.get().value).toEqual({ answer: 1, events: 2 });
});

test("hidden it rests; shown again it asks for what it missed", async () => {
  const { model, state, event } = rig();
  model.setVisible(true);
  await vi.advanceTimersByTimeAsync(1000);
  model.setVisible(false);
  event();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([state.asked, model.get().value?.events]).toEqual([1, 0]);
  model.setVisible(true);
  await vi.advanceTimersByTimeAsync(0);
  expect(state.asked).toBe(2);
});

test("what is shown is stale while the connection is gone, and asked for anew when it is back", async () => {
  const { model, state, connection, event, followed } = rig();
  model.setVisible(true);
  await vi.advanceTimersByTimeAsync(0);
  connection.set(LOST);
  expect(model.get()).toMatchObject({ isStale: true, value: { answer: 1 } });
  event();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(state.asked).toBe(1);
  connection.set(CONNECTED);
  await vi.advanceTimersByTimeAsync(0);
  expect(model.get()).toMatchObject({ isStale: false, value: { answer: 2 } });
  expect(followed()).toBe(1);
});

test("a question that failed is told and asked again later, and what was known stays", async () => {
  const { model, state, event } = rig();
  model.setVisible(true);
  await vi.advanceTimersByTimeAsync(0);
  state.answer = () =>
    Promise.reject(new AppError("audit-store-unavailable", { what: "x", file: "y" }));
  event();
  await vi.advanceTimersByTimeAsync(300);
  expect(model.get()).toMatchObject({
    error: { code: "audit-store-unavailable" },
    value: { answer: 1 },
  });
  state.answer = async () => {};
  await vi.advanceTimersByTimeAsync(5000);
  expect(model.get()).toMatchObject({ error: null, value: { answer: 3 } });
});

test("a daemon that is behind with writing is asked again until it is not", async () => {
  const { model, state } = rig({ isBehind: true });
  model.setVisible(true);
  await vi.advanceTimersByTimeAsync(1000);
  expect(state.asked).toBeGreaterThan(2);
  state.isBehind = false;
  await vi.advanceTimersByTimeAsync(500);
  const asked = state.asked;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(state.asked).toBe(asked);
});

test("a refresh asks although nothing happened, and is done when the answer is there", async () => {
  const { model, state } = rig({ tookMs: 10 });
  const done = model.refresh();
  await vi.advanceTimersByTimeAsync(10);
  await done;
  expect([state.asked, model.get().value?.answer]).toEqual([1, 1]);
});
