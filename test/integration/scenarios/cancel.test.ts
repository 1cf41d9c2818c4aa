import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestDaemon } from "../../support/daemon.ts";
import { effects } from "../../support/effects.ts";
import { type Injector, inject } from "../../support/inject.ts";
import {
  holderOf,
  notesOf,
  startScenario,
  untilEnded,
  untilNoted,
  untilStatus,
} from "../../support/scenario.ts";
import { until } from "../../support/until.ts";

describe("a task that is to stop", () => {
  const trace = effects();
  let daemon: TestDaemon;
  let broker: Injector;

  beforeAll(async () => {
    daemon = await startScenario({
      one: { queues: ["test"], slots: 1 },
      jam: { queues: ["jam"], slots: 1 },
    });
    broker = await inject(daemon);
  });
  afterAll(async () => {
    await broker.close();
    await daemon.close();
    trace.remove();
  });

  /** The only slot serves again. */
  async function slotServes(label: string): Promise<void> {
    const { id } = await daemon.client.enqueue("test.work", trace.input(label));
    expect((await untilEnded(daemon, id)).status).toBe("completed");
  }

  it("and still waits never runs", async () => {
    const { client } = daemon;
    const held = await client.enqueue("test.gate", trace.gated("held", "held"));
    await holderOf(daemon, held.id);
    const waiting = await client.enqueue("test.work", trace.input("waiting"));
    await client.cancel(waiting.id, { reason: "not wanted" });
    trace.open("held");
    await untilEnded(daemon, held.id);
    await slotServes("after-waiting");
    expect(trace.starts("waiting")).toBe(0);
    const cancelled = await client.get(waiting.id);
    expect(cancelled.status).toBe("cancelled");
    const [note] = await notesOf(daemon, waiting.id, "task.cancelled");
    expect(note).toMatchObject({ by: client.user, detail: { why: "not wanted" } });
    expect(await broker.messagesOf(waiting.id)).toBe(0);
  });

  it("while it runs elsewhere gets its signal, ends as cancelled, and is not tried again", async () => {
    const { client } = daemon;
    const running = await client.enqueue("test.work", trace.input("running", { ms: 60_000 }));
    await holderOf(daemon, running.id);
    // Claimed is not started: a task that is stopped in between leaves no trace.
    await until(() => trace.starts("running") === 1);
    await client.cancel(running.id, { reason: "stop it" });
    const ended = await untilEnded(daemon, running.id);
    expect(ended).toMatchObject({ status: "cancelled", attempts: 1 });
    expect(ended.attemptHistory.map(({ outcome }) => outcome)).toEqual(["cancelled"]);
    await slotServes("after-running");
    expect(trace.starts("running")).toBe(1);
    expect(trace.ends("running")).toBe(0);
  });

  it("although its handler blocks its loop ends as cancelled, and what it returns is discarded", async () => {
    const { client } = daemon;
    const input = trace.gated("jam", "jam", { ms: 60_000 });
    const jam = await client.enqueue("test.jam", input, { queue: "jam" });
    await until(() => trace.starts("jam") === 1);
    await client.cancel(jam.id);
    expect((await client.get(jam.id)).status).toBe("cancelled");
    trace.open("jam");
    await untilNoted(daemon, jam.id, "stale-completion");
    expect((await client.get(jam.id)).status).toBe("cancelled");
  });

  it("is refused when it has ended", async () => {
    const { client } = daemon;
    const { id } = await client.enqueue("test.work", trace.input("over"));
    await untilEnded(daemon, id);
    await expect(client.cancel(id)).rejects.toMatchObject({ code: "task-not-in-state" });
    expect((await client.get(id)).status).toBe("completed");
  });

  it("never starts when it was cancelled before its time or between two attempts", async () => {
    const { client } = daemon;
    // Long enough to cancel both before.
    const soonMs = 4000;
    const scheduled = await client.enqueue("test.work", trace.input("later"), {
      delayMs: soonMs,
    });
    const limited = await client.enqueue("test.limited", trace.input("limited", { ms: soonMs }));
    await untilStatus(daemon, limited.id, "retrying");
    for (const { id } of [scheduled, limited]) await client.cancel(id);
    const cancelledAt = Date.now();
    await until(() => Date.now() > cancelledAt + soonMs);
    await slotServes("after-later");
    expect(trace.starts("later")).toBe(0);
    expect(trace.starts("limited")).toBe(1);
    for (const { id } of [scheduled, limited])
      expect((await client.get(id)).status).toBe("cancelled");
  });

  it("because its time is over gets its signal, fails as timed out, and leaves its slot to the next", async () => {
    const { id } = await daemon.client.enqueue("test.slow", trace.input("slow", { ms: 60_000 }));
    const next = await daemon.client.enqueue("test.work", trace.input("next"));
    const ended = await untilEnded(daemon, id);
    expect(ended).toMatchObject({ status: "dead", deadReason: "attempts-exhausted" });
    expect(ended.attemptHistory[0]?.error?.code).toBe("timed-out");
    await untilStatus(daemon, next.id, "completed");
  });

  it("and ignores its signal loses its slot after the grace, and its late end is discarded", async () => {
    const { id } = await daemon.client.enqueue("test.deaf-gate", trace.gated("deaf", "deaf"));
    const next = await daemon.client.enqueue("test.work", trace.input("after-deaf"));
    await untilStatus(daemon, next.id, "completed");
    expect(trace.ends("deaf")).toBe(0);
    const ended = await untilEnded(daemon, id);
    expect(ended.attemptHistory[0]?.error?.code).toBe("timed-out");
    expect(await notesOf(daemon, id, "stale-completion")).toEqual([]);
    trace.open("deaf");
    await untilNoted(daemon, id, "stale-completion");
    expect((await daemon.client.get(id)).status).toBe("dead");
  });
});
