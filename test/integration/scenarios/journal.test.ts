import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeHeaders } from "../../../daemon/nats/wire.ts";
import { HEADER } from "../../../shared/subjects.ts";
import type { TestDaemon } from "../../support/daemon.ts";
import { effects } from "../../support/effects.ts";
import { type Injector, inject } from "../../support/inject.ts";
import {
  completionsOf,
  enqueueAll,
  holderOf,
  readyWorkers,
  startScenario,
  untilEnded,
  untilNoted,
} from "../../support/scenario.ts";
import { until } from "../../support/until.ts";

const RETENTION_MS = 1000;

describe("a task whose journal was purged", () => {
  const trace = effects();
  let daemon: TestDaemon;
  let broker: Injector;

  beforeAll(async () => {
    daemon = await startScenario(
      { a: { slots: 1 }, b: { slots: 1 } },
      { set: { "retention.journalMs": RETENTION_MS, "retention.sweepMs": 300 } },
    );
    broker = await inject(daemon);
  });
  afterAll(async () => {
    await broker.close();
    await daemon.close();
    trace.remove();
  });

  const untilPurged = (id: string): Promise<boolean> => until(() => broker.isPurged("test", id));

  /** A task that completed, and whose journal is gone. */
  async function ended(label: string): Promise<string> {
    const { id } = await daemon.client.enqueue("test.work", trace.input(label));
    await untilEnded(daemon, id);
    await untilPurged(id);
    return id;
  }

  /** The newest record of all stays on the broker: one more lets go of those before it. */
  async function pushOn(): Promise<void> {
    const { id } = await daemon.client.enqueue("test.work", trace.input("push-on"));
    await untilEnded(daemon, id);
  }

  /** Leaves a message of the task for the workers that is as old as the retention; resolves when they took it away. */
  async function leaveMessage(id: string, label: string): Promise<void> {
    const workers = await readyWorkers(daemon);
    for (const { pid } of workers) process.kill(pid, "SIGSTOP");
    const data = JSON.stringify(trace.input(label));
    await broker.putTask({ id, name: "test.work", data });
    const putAt = performance.now();
    await until(() => performance.now() - putAt > RETENTION_MS);
    for (const { pid } of workers) process.kill(pid, "SIGCONT");
    await until(async () => (await broker.messagesOf(id)) === 0);
  }

  it("still has its result, and cannot be cancelled", async () => {
    const id = await ended("kept");
    expect(await daemon.client.waitResult(id)).toEqual({ label: "kept", attempt: 1 });
    await expect(daemon.client.cancel(id)).rejects.toMatchObject({ code: "task-not-in-state" });
    expect((await daemon.client.get(id)).status).toBe("completed");
  });

  it("never comes back when a copy of its message was left over", async () => {
    const id = await ended("left-over");
    await leaveMessage(id, "left-over");
    expect(trace.starts("left-over")).toBe(1);
    expect(await completionsOf(daemon, id)).toBe(1);
  });

  it("never comes back when a copy of a later generation is left by a writer that lost", async () => {
    const id = await ended("later-generation");
    const data = JSON.stringify(trace.input("later-generation"));
    await broker.putTask({ id, name: "test.work", data, generation: 2 });
    await until(async () => (await broker.messagesOf(id)) === 0);
    expect(trace.starts("later-generation")).toBe(1);
  });

  it("never comes back when its parked message was left over", async () => {
    const id = await ended("parked");
    const { names, wire } = broker;
    const headers = encodeHeaders([
      [HEADER.name, "test.work"],
      [HEADER.due, "1"],
      [HEADER.level, "5"],
    ]);
    const data = JSON.stringify(trace.input("parked"));
    await wire.publish(names.due("test", id), data, headers);
    await until(async () => (await wire.last(names.stream.due, names.due("test", id))) === null);
    await until(async () => (await broker.messagesOf(id)) === 0);
    expect(trace.starts("parked")).toBe(1);
  });

  it("never comes back when a worker that was frozen still had its message in hand", async () => {
    const { client } = daemon;
    // Quick tasks teach the workers to take messages ahead of their slots.
    const quick = (label: string, count: number) =>
      Array.from({ length: count }, (_, i) => ({
        task: "test.work",
        input: trace.input(`${label}-${i}`),
      }));
    const idsOf = async (items: ReturnType<typeof quick>): Promise<string[]> =>
      (await client.enqueueMany(items)).map((one) =>
        "error" in one ? expect.fail(one.error.message) : one.id,
      );
    const warm = await idsOf(quick("warm", 300));
    await untilEnded(daemon, warm.at(-1)!);

    const held = await client.enqueue("test.gate", trace.gated("held", "held"));
    const holder = await holderOf(daemon, held.id);
    // Claimed is not started: a worker that is stopped in between leaves no trace of its own.
    await until(() => trace.starts("held") === 1);
    const ids = await idsOf(quick("taken", 300));
    // The other worker does its part; what stays is for a moment in the hands of this one.
    let before = -1;
    await until(() => {
      const ends = trace.all().length;
      const calm = ends === before;
      before = ends;
      return calm;
    });
    process.kill(holder.pid, "SIGSTOP");
    try {
      trace.open("held");
      for (const id of [held.id, ...ids]) await untilEnded(daemon, id);
      for (const id of [held.id, ...ids]) await untilPurged(id);
    } finally {
      process.kill(holder.pid, "SIGCONT");
    }
    await until(async () => (await readyWorkers(daemon)).length === 2);
    const last = await client.enqueue("test.work", trace.input("last"));
    await untilEnded(daemon, last.id);
    const completions = await Promise.all(ids.map((id) => completionsOf(daemon, id)));
    expect(Math.max(...completions)).toBe(1);
  });

  it("runs again when it is redriven", async () => {
    const input = trace.input("redriven", { kind: "final", times: 1 });
    const { id } = await daemon.client.enqueue("test.fail", input);
    await untilEnded(daemon, id);
    await untilPurged(id);
    await daemon.client.redrive(id, { inputJson: JSON.stringify({ ...input, times: 0 }) });
    const task = await until(
      () => daemon.client.get(id),
      ({ status }) => status === "completed",
    );
    expect(task.attempts).toBe(1);
    expect(trace.starts("redriven")).toBe(2);
  });

  it("is not mistaken for one that lives: a task that runs all the while keeps its record, and no other's", async () => {
    const { client } = daemon;
    const long = await client.enqueue("test.gate", trace.gated("long", "long"));
    await holderOf(daemon, long.id);
    const short = await client.enqueue("test.work", trace.input("short"));
    await untilEnded(daemon, short.id);
    await pushOn();
    await untilPurged(short.id);
    expect(await broker.isPurged("test", long.id)).toBe(false);
    trace.open("long");
    expect(await untilEnded(daemon, long.id)).toMatchObject({ status: "completed", attempts: 1 });
    expect(trace.starts("long")).toBe(1);
  });

  describe("while a task that was scheduled before it waits for its time", () => {
    let later: string;
    beforeAll(async () => {
      const delay = { delayMs: 3_600_000 };
      ({ id: later } = await daemon.client.enqueue("test.work", trace.input("later"), delay));
      await untilNoted(daemon, later, "task.scheduled");
    });
    // While it lives the newest record of all would stay, which other tests wait to see purged.
    afterAll(() => daemon.client.cancel(later));

    it("is gone from the journal like hundreds of others, and what is scheduled comes when it is due", async () => {
      const inputs = Array.from({ length: 300 }, (_, i) => trace.input(`many-${i}`));
      const ids = await enqueueAll(
        daemon,
        inputs.map((input) => ({ task: "test.work", input })),
      );
      for (const id of ids) await untilEnded(daemon, id);
      await pushOn();
      for (const id of ids) await untilPurged(id);
      expect(await broker.isPurged("test", later)).toBe(false);
      expect(await daemon.client.get(later)).toMatchObject({ status: "scheduled", attempts: 0 });
    });

    it("never comes back when its message is delivered again", async () => {
      const { id } = await daemon.client.enqueue("test.work", trace.input("again"));
      await untilEnded(daemon, id);
      await pushOn();
      await untilPurged(id);
      await leaveMessage(id, "again");
      expect(trace.starts("again")).toBe(1);
      expect(await completionsOf(daemon, id)).toBe(1);
      expect(await broker.isPurged("test", later)).toBe(false);
    });
  });
});
