import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { WebSocket } from "ws";
import type { RawRequest } from "../../../../daemon/control/call.ts";
import type { Hub } from "../../../../daemon/dashboard/hub.ts";
import { serveSocket } from "../../../../daemon/dashboard/socket.ts";
import { noLog } from "../../../../daemon/log.ts";
import type { FollowEvent } from "../../../../shared/bus/follow.ts";
import type { ViewNotice } from "../../../../shared/view/messages.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A socket whose reader takes what was sent only when the test says so. */
class SlowSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  readonly sent: ViewNotice[] = [];
  readonly ends: string[] = [];
  readonly #taken: (() => void)[] = [];

  send(text: string, taken: () => void): void {
    this.sent.push(JSON.parse(text) as ViewNotice);
    this.bufferedAmount += text.length;
    this.#taken.push(taken);
  }
  /** The reader takes everything. */
  read(): void {
    this.bufferedAmount = 0;
    for (const taken of this.#taken.splice(0)) taken();
  }
  pings = 0;
  ping(): void {
    this.pings += 1;
  }
  close(code: number): void {
    this.ends.push(`close ${code}`);
    this.readyState = 2;
  }
  terminate(): void {
    this.ends.push("terminate");
    this.readyState = 3;
  }
  post(command: object): void {
    this.emit("message", Buffer.from(JSON.stringify(command)), false);
  }
}

function open(options: { answerBytes?: number; isValid?: () => boolean } = {}) {
  const socket = new SlowSocket();
  const asked: RawRequest[] = [];
  const listeners = new Set<(event: FollowEvent) => void>();
  const hub: Hub = {
    follow(callback) {
      listeners.add(callback);
      return { stop: () => listeners.delete(callback) };
    },
    connection: () => ({ state: { kind: "idle" }, history: [], subscriptions: [] }),
    measure: async () => {},
    onConnection: () => () => {},
    stop: async () => {},
  };
  const served = serveSocket({
    socket: socket as unknown as WebSocket,
    session: { user: "ann", role: "Manager", expiresAt: 0 },
    control: async (request) => {
      asked.push(request);
      return { ok: true, value: "x".repeat(options.answerBytes ?? 1) };
    },
    hub,
    isValid: options.isValid ?? (() => true),
    locale: "en",
    texts: {},
    now: Date.now,
    log: noLog,
  });
  return { socket, asked, served, listeners };
}

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

test("a request is made in the name of who signed in, with the level that it sets", async () => {
  const { socket, asked } = open();
  const body = { items: [{ name: "etl.load", input: "{}", priority: 8 }] };
  socket.post({ type: "request", id: 1, verb: "enqueue", body });
  await settle();
  expect(asked[0]).toMatchObject({ user: "ann", verb: "enqueue", level: 8 });
});

test("a slow reader is asked for no more than a few answers ahead, and gets all of them when it reads", async () => {
  const { socket, asked } = open({ answerBytes: 1_000_000 });
  for (let id = 0; id < 100; id += 1)
    socket.post({ type: "request", id, verb: "status", body: {} });
  await settle();
  const before = asked.length;
  expect(before).toBeLessThan(10);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked.length).toBe(before);
  for (let n = 0; n < 100; n += 1) {
    socket.read();
    await settle();
    expect(socket.bufferedAmount).toBeLessThan(10_000_000);
  }
  const replies = socket.sent.filter(({ type }) => type === "reply");
  expect(replies).toHaveLength(100);
});

test("changes are not piled up for a slow reader: it gets one word when it has caught up", async () => {
  const { socket, listeners } = open({ answerBytes: 2_000_000 });
  socket.post({ type: "ready" });
  socket.post({ type: "request", id: 1, verb: "status", body: {} });
  await settle();
  const data = { taskId: "a", runId: null };
  for (let n = 0; n < 50; n += 1) {
    for (const listener of listeners)
      listener({ kind: "system", at: "2026-05-01T08:00:00.000Z", event: "task.progress.a", data });
    await vi.advanceTimersByTimeAsync(300);
  }
  expect(socket.sent.filter(({ type }) => type === "changed")).toEqual([]);
  socket.read();
  expect(socket.sent.filter(({ type }) => type === "changed")).toMatchObject([
    { changed: { queues: true, dead: true, tasks: null } },
  ]);
});

test("a reader that takes nothing for half a minute is cut", async () => {
  const { socket, served } = open({ answerBytes: 2_000_000 });
  socket.post({ type: "request", id: 1, verb: "status", body: {} });
  await settle();
  await vi.advanceTimersByTimeAsync(29_000);
  served.look();
  expect(socket.ends).toEqual([]);
  await vi.advanceTimersByTimeAsync(2000);
  served.look();
  expect(socket.ends).toEqual(["terminate"]);
});

test("a peer that answers no ping is cut, one that does stays", async () => {
  const gone = open();
  const there = open();
  for (let n = 0; n < 3; n += 1) {
    await vi.advanceTimersByTimeAsync(31_000);
    gone.served.look();
    there.served.look();
    there.socket.emit("pong");
  }
  expect([gone.socket.ends[0], there.socket.ends, there.socket.pings]).toEqual([
    "terminate",
    [],
    3,
  ]);
});

test("a session that does not hold any more is signed out, at the next look and at the next word", async () => {
  let holds = true;
  const looked = open({ isValid: () => holds });
  const spoke = open({ isValid: () => holds });
  holds = false;
  looked.served.look();
  spoke.socket.post({ type: "request", id: 1, verb: "status", body: {} });
  await settle();
  expect([looked.socket.ends, spoke.socket.ends]).toEqual([["close 4401"], ["close 4401"]]);
  expect(spoke.asked).toEqual([]);
});

test.each([["not json"], ['{"type":"request"'], ["[]"], ["null"], ['"x"']])(
  "the message %j changes nothing",
  async (text) => {
    const { socket, asked } = open();
    socket.emit("message", Buffer.from(text), false);
    await settle();
    expect([socket.sent, asked, socket.ends]).toEqual([[], [], []]);
  },
);

test("bytes that are no text end the conversation", () => {
  const { socket } = open();
  socket.emit("message", Buffer.from([1, 2, 3]), true);
  expect(socket.ends).toEqual(["close 1003"]);
});

test("a dashboard that is closed listens to nothing", () => {
  const { socket, listeners } = open();
  socket.post({ type: "ready" });
  expect(listeners.size).toBe(1);
  socket.emit("close");
  expect(listeners.size).toBe(0);
});
