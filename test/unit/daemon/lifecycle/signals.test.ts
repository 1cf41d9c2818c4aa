import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { listenForSignals } from "../../../../daemon/lifecycle/signals.ts";

function listening() {
  const source = new EventEmitter();
  const calls: string[] = [];
  let nowMs = 0;
  const dispose = listenForSignals(
    { source, clock: { now: () => nowMs, monotonic: () => nowMs } },
    {
      graceful: (signal) => calls.push(`graceful ${signal}`),
      force: (signal) => calls.push(`force ${signal}`),
    },
  );
  return {
    calls,
    dispose,
    signal(name: string, atMs: number) {
      nowMs = atMs;
      source.emit(name);
    },
    listeners: () => source.eventNames().length,
  };
}

test("the first signal asks for an orderly end, the second forces it", () => {
  const { calls, signal } = listening();
  signal("SIGTERM", 0);
  signal("SIGINT", 1000);
  expect(calls).toEqual(["graceful SIGTERM", "force SIGINT"]);
});

test("the copy of a Ctrl-C that a parent passes on counts as the same wish", () => {
  const { calls, signal } = listening();
  signal("SIGINT", 0);
  signal("SIGINT", 5);
  expect(calls).toEqual(["graceful SIGINT"]);
});

test("no listener stays behind", () => {
  const { dispose, listeners } = listening();
  dispose();
  expect(listeners()).toBe(0);
});
