import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { streamState } from "../../../daemon/nats/streams.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { inject } from "../../support/inject.ts";
import { until } from "../../support/until.ts";

/** The strict profile: every write synced, grouped in atomic batches, tasks on a limits stream. */
let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await startDaemon({ set: { "nats.durability": "strict" } });
});
afterAll(() => daemon?.close());

function effects(file: string, kind: "start" | "end"): string[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.startsWith(`${kind} `))
    .map((line) => line.split(" ")[1] ?? "");
}

test("strict profile: every accepted task runs exactly once on a quiet system", async () => {
  const file = join(daemon.dataDir, "strict-many");
  const labels = Array.from({ length: 400 }, (_, i) => `t${i}`);
  const outcomes = await daemon.client.enqueueMany(
    labels.map((label) => ({ task: "test.work", input: { file, label } })),
  );
  expect(
    outcomes.every((outcome) => !("error" in outcome) && outcome.durability === "journaled"),
  ).toBe(true);
  for (const outcome of outcomes) {
    if ("error" in outcome) throw outcome.error;
    await daemon.client.waitResult(outcome.id);
  }
  expect(effects(file, "end").sort()).toEqual([...labels].sort());
});

test("strict profile: a repeated enqueue of the same id inside a batch is one task, and its neighbours are accepted", async () => {
  const file = join(daemon.dataDir, "strict-repeat");
  const item = (id: string) => ({ task: "test.work", input: { file, label: id }, id });
  await daemon.client.enqueueMany([item("same-1"), item("other-1")]);
  const again = await daemon.client.enqueueMany([item("same-1"), item("other-2"), item("other-3")]);
  expect(again.map((outcome) => ("error" in outcome ? "error" : outcome.deduplicated))).toEqual([
    true,
    false,
    false,
  ]);
  for (const id of ["same-1", "other-1", "other-2", "other-3"]) await daemon.client.waitResult(id);
  expect(effects(file, "end").sort()).toEqual(["other-1", "other-2", "other-3", "same-1"]);
});

test("strict profile: acknowledged messages leave the task stream", async () => {
  const injector = await inject(daemon);
  try {
    const { messages } = await until(
      () => streamState(injector.wire, injector.names.stream.tasks),
      (state) => state.messages === 0,
    );
    expect(messages).toBe(0);
  } finally {
    await injector.close();
  }
});

test("strict profile: a daemon that is killed loses nothing that it answered", async () => {
  const file = join(daemon.dataDir, "strict-kill");
  const outcomes = await daemon.client.enqueueMany(
    Array.from({ length: 60 }, (_, i) => ({
      task: "test.work",
      input: { file, label: `k${i}`, ms: 30 },
    })),
  );
  await until(() => effects(file, "start").length > 5);
  await daemon.kill();
  daemon = await daemon.restart();
  for (const outcome of outcomes) {
    if ("error" in outcome) throw outcome.error;
    await daemon.client.waitResult(outcome.id);
  }
  expect(new Set(effects(file, "end")).size).toBe(60);
});
