import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isProcessAlive } from "../../../daemon/lifecycle/process-alive.ts";
import type { TestDaemon } from "../../support/daemon.ts";
import { effects } from "../../support/effects.ts";
import {
  completionsOf,
  descendantsOf,
  holderOf,
  startScenario,
  untilEnded,
  whenWorkersReady,
} from "../../support/scenario.ts";
import { until } from "../../support/until.ts";

const trace = effects();
afterAll(() => trace.remove());

describe("a worker that is told to stop", () => {
  let daemon: TestDaemon;

  beforeAll(async () => {
    daemon = await startScenario(
      { a: { slots: 2 }, b: { slots: 2 } },
      { set: { "workers.drainMs": 600 } },
    );
  });
  afterAll(() => daemon.close());

  it("gives a long task back: it starts elsewhere, and neither an error nor an attempt is counted", async () => {
    const task = await daemon.client.enqueue("test.gate", trace.gated("long", "long"));
    const holder = await holderOf(daemon, task.id);
    // Claimed is not started: a worker that is stopped in between leaves no trace of its own.
    await until(() => trace.starts("long") === 1);
    process.kill(holder.pid, "SIGTERM");
    await until(() => trace.starts("long") === 2);
    trace.open("long");
    const ended = await untilEnded(daemon, task.id);
    expect(ended).toMatchObject({ status: "completed", attempts: 1, error: null });
    expect(ended.attemptHistory.map(({ outcome }) => outcome)).toEqual([
      "interrupted",
      "completed",
    ]);
    expect(trace.all().map(({ attempt }) => attempt)).not.toContain(2);
    await whenWorkersReady(daemon, 2);
  });
});

describe("a worker that is told to stop and may take its time", () => {
  let daemon: TestDaemon;

  beforeAll(async () => {
    daemon = await startScenario({ a: { slots: 2 } }, { set: { "workers.drainMs": 60_000 } });
  });
  afterAll(() => daemon.close());

  it("lets a task end that takes less", async () => {
    const task = await daemon.client.enqueue("test.work", trace.input("short", { ms: 3000 }));
    const holder = await holderOf(daemon, task.id);
    // Claimed is not started: a worker that is stopped in between leaves no trace of its own.
    await until(() => trace.starts("short") === 1);
    process.kill(holder.pid, "SIGTERM");
    const ended = await untilEnded(daemon, task.id);
    expect(ended.attemptHistory.map(({ outcome }) => outcome)).toEqual(["completed"]);
    expect(trace.starts("short")).toBe(1);
    await whenWorkersReady(daemon, 1);
  });
});

describe("a daemon that is told to stop", () => {
  it("ends with exit code 0 and leaves no process behind; its unfinished tasks go on after the next start", async () => {
    let daemon = await startScenario({ a: { slots: 1 } }, { set: { "workers.drainMs": 300 } });
    try {
      const { client } = daemon;
      const running = await client.enqueue("test.gate", trace.gated("stopped", "stopped"));
      await holderOf(daemon, running.id);
      const waiting = await client.enqueue("test.work", trace.input("left"));
      const processes = descendantsOf(daemon.child.pid ?? 0);
      const gone = once(daemon.child, "exit");
      daemon.child.kill("SIGTERM");
      expect(await gone).toEqual([0, null]);
      expect(processes.filter(isProcessAlive)).toEqual([]);
      await client.close();

      trace.open("stopped");
      daemon = await daemon.restart();
      for (const id of [running.id, waiting.id]) {
        expect((await untilEnded(daemon, id)).status).toBe("completed");
        expect(await completionsOf(daemon, id)).toBe(1);
      }
      expect((await daemon.client.get(running.id)).attempts).toBe(1);
      expect(trace.starts("left")).toBe(1);
    } finally {
      await daemon.close();
    }
  });

  it("twice ends at once, and still leaves no process behind", async () => {
    const daemon = await startScenario({ a: { slots: 1 } }, { set: { "workers.drainMs": 60_000 } });
    try {
      const task = await daemon.client.enqueue("test.gate", trace.gated("twice", "never"));
      await holderOf(daemon, task.id);
      const processes = descendantsOf(daemon.child.pid ?? 0);
      daemon.child.kill("SIGTERM");
      await until(async () => (await daemon.client.status()).daemon.state === "stopping");
      // Two signals in quick succession are one wish, so it is repeated until it is heard.
      await until(() => {
        daemon.child.kill("SIGTERM");
        return daemon.child.exitCode !== null;
      });
      expect(daemon.child.exitCode).toBe(1);
      await until(() => processes.filter(isProcessAlive).length === 0);
    } finally {
      daemon.child.kill("SIGKILL");
      await daemon.close();
    }
  });
});
