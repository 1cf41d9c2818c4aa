import { expect, test } from "vitest";
import { SETTINGS } from "../../../../extension/contributions.ts";
import { openBridge } from "../../../../extension/dashboard/bridge.ts";
import { createSource } from "../../../../extension/observable.ts";
import { type ConnectionState, INITIAL_CONNECTION } from "../../../../shared/connection.ts";
import type { Role } from "../../../../shared/roles.ts";
import type { ViewNotice } from "../../../../shared/view/messages.ts";

function aView(texts: Readonly<Record<string, string>> = {}) {
  const notices: ViewNotice[] = [];
  const refused: unknown[] = [];
  const listeners = new Set<(message: unknown) => void>();
  const connection = createSource<ConnectionState>(INITIAL_CONNECTION);
  const identity = createSource<{ user: string; role: Role } | null>(null);
  let followers = 0;
  const bridge = openBridge(
    {
      async postMessage(message) {
        notices.push(message as ViewNotice);
        return true;
      },
      onDidReceiveMessage(listener) {
        listeners.add(listener);
        return { dispose: () => void listeners.delete(listener) };
      },
    },
    {
      app: {
        client: () => null,
        connection,
        history: () => [],
        identity,
        setting: (key) => SETTINGS[key],
        log: { debug() {}, info() {}, error() {}, warn: (_, data) => refused.push(data) },
      },
      heard: {
        follow() {
          followers += 1;
          return {
            stop() {
              followers -= 1;
            },
          };
        },
        subscriptions: () => [],
      },
      acts: { copy: async () => {} },
      locale: "pt-br",
      texts,
    },
  );
  return {
    bridge,
    notices,
    refused,
    connection,
    identity,
    followers: () => followers,
    isListening: () => listeners.size > 0,
    send: (message: unknown) => {
      for (const listener of listeners) listener(message);
    },
  };
}

test("a view that is ready is greeted with language, texts, limits in ms and the acts of this window", () => {
  const { notices, send } = aView({ Waiting: "Aguardando" });
  expect(notices).toEqual([]);
  send({ type: "ready" });
  expect(notices[0]).toMatchObject({
    type: "hello",
    host: "vscode",
    locale: "pt-br",
    texts: { Waiting: "Aguardando" },
    acts: ["copy"],
    limits: { oldestWaitMs: 120_000, backlog: 1000 },
  });
  expect(notices[1]).toMatchObject({ type: "connection", state: { kind: "idle" } });
});

test("a view hears of every change of connection and of who is signed in", () => {
  const { notices, send, connection, identity } = aView();
  send({ type: "ready" });
  notices.length = 0;
  connection.set({ kind: "starting", since: 1 });
  identity.set({ user: "ada", role: "Operator" });
  expect(notices).toMatchObject([
    { type: "connection", state: { kind: "starting" }, identity: null },
    { type: "connection", identity: { user: "ada", role: "Operator" } },
  ]);
});

test("what a webview posts that is no command is noted and does nothing", () => {
  const { notices, send, refused } = aView();
  for (const message of [
    null,
    "ready",
    { type: "eval" },
    { type: "host", id: 1, act: { kind: "exec" } },
  ])
    send(message);
  expect(refused).toHaveLength(4);
  expect(notices.map(({ type }) => type)).toEqual(["reply"]);
});

test("a hidden view costs no subscription, and one that is shown again is told everything anew", () => {
  const { bridge, notices, send, followers } = aView();
  send({ type: "ready" });
  expect(followers()).toBe(1);
  bridge.hidden();
  expect(followers()).toBe(0);
  notices.length = 0;
  send({ type: "ready" });
  expect(followers()).toBe(1);
  expect(notices.map(({ type }) => type)).toEqual(["hello", "connection", "live"]);
});

test("a closed view leaves nothing behind", () => {
  const { bridge, notices, send, connection, followers, isListening } = aView();
  send({ type: "ready" });
  bridge.dispose();
  notices.length = 0;
  connection.set({ kind: "starting", since: 1 });
  expect(notices).toEqual([]);
  expect(followers()).toBe(0);
  expect(isListening()).toBe(false);
});
