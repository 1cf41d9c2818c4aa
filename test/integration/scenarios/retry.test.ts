import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TASK_STATUSES } from "../../../shared/task.ts";
import type { TestDaemon } from "../../support/daemon.ts";
import { effects } from "../../support/effects.ts";
import { type Injector, inject } from "../../support/inject.ts";
import {
  completionsOf,
  enqueueAll,
  notesOf,
  startScenario,
  untilEnded,
  untilStatus,
} from "../../support/scenario.ts";
import { until } from "../../support/until.ts";

const trace = effects();
afterAll(() => trace.remove());

describe("a task that fails", () => {
  let daemon: TestDaemon;
  let broker: Injector;

  beforeAll(async () => {
    daemon = await startScenario({ a: { slots: 4, expressSlots: 1 } });
    broker = await inject(daemon);
  });
  afterAll(async () => {
    await broker.close();
    await daemon.close();
  });

  const letterOf = (id: string) =>
    broker.wire.last(broker.names.stream.dead, broker.names.dead("test", id));

  it("is retried, then becomes a dead letter with every error, and a redrive runs it anew with a corrected input", async () => {
    const { client } = daemon;
    const input = trace.input("letter", { times: 9 });
    const { id } = await client.enqueue("test.fail", input, { priority: 6, traceId: "trace-62" });
    const dead = await untilEnded(daemon, id);
    expect(dead).toMatchObject({ status: "dead", deadReason: "attempts-exhausted", attempts: 4 });
    expect(dead.attemptHistory.map(({ error }) => error?.message)).toEqual(
      [1, 2, 3, 4].map((attempt) => `failed on attempt ${attempt}`),
    );
    expect(dead.attemptHistory.every(({ error }) => error?.stack?.includes("msgsys.config"))).toBe(
      true,
    );
    expect(trace.starts("letter")).toBe(4);

    // It is published after the record that says dead.
    const letter = await until(() => letterOf(id));
    expect(JSON.parse(new TextDecoder().decode(letter?.data))).toEqual(input);
    expect(letter?.headers.get("Ms-Trace")).toBe("trace-62");
    const why = JSON.parse(letter?.headers.get("Ms-Dead") ?? "");
    expect(why).toMatchObject({ reason: "attempts-exhausted", attempts: 4, level: 6 });
    expect(why.errors.length).toBe(4);

    const inputJson = JSON.stringify({ ...input, times: 0 });
    await client.redrive(id, { inputJson, reason: "corrected" });
    const again = await untilStatus(daemon, id, "completed");
    expect(again).toMatchObject({ attempts: 1, priority: 6, inputJson });
    expect(trace.starts("letter")).toBe(5);
    await until(async () => (await letterOf(id)) === null);
    await expect(client.redrive(id)).rejects.toMatchObject({ code: "task-not-in-state" });
  });

  it("may be redriven with a hundred others, and none of them is left without its message", async () => {
    const items = Array.from({ length: 100 }, (_, i) => ({
      task: "test.fail",
      input: trace.input(`mass-${i}`, { kind: "final" }),
    }));
    const ids = await enqueueAll(daemon, items);
    for (const id of ids) await untilStatus(daemon, id, "dead");
    const outcome = await daemon.client.redrive({ ids });
    expect(outcome).toMatchObject({ applied: 100, refusedCount: 0 });
    await until(() => ids.every((_, i) => trace.starts(`mass-${i}`) === 2));
    for (const id of ids) {
      await untilStatus(daemon, id, "dead");
      expect(await notesOf(daemon, id, "repaired")).toEqual([]);
    }
  });

  it("for good says so and is not tried again", async () => {
    const input = trace.input("final", { kind: "final" });
    const { id } = await daemon.client.enqueue("test.fail", input);
    const dead = await untilEnded(daemon, id);
    expect(dead).toMatchObject({ status: "dead", deadReason: "non-retryable", attempts: 1 });
  });

  it.each([
    ["test.fail", "string", "thrown as text"],
    ["test.fail", "circular", "[object Object]"],
    ["test.odd", undefined, "undefined"],
  ])(
    "by throwing what is no Error keeps what can be said of it (%s %s)",
    async (task, kind, said) => {
      const label = `odd-${kind}`;
      const { id } = await daemon.client.enqueue(task, trace.input(label, kind ? { kind } : {}));
      const dead = await untilEnded(daemon, id);
      expect(dead).toMatchObject({ status: "dead", error: said });
      expect(dead.attemptHistory.every(({ error }) => error?.code === "handler-failed")).toBe(true);
    },
  );

  it("starts its follow-up once and publishes its events only when it completes", async () => {
    const { client } = daemon;
    const told: unknown[] = [];
    const listening = client.nc.subscribe("events.test.told", {
      callback: (_error, message) => {
        told.push(message.json());
      },
    });
    await client.nc.flush();
    const { id } = await client.enqueue("test.tell", trace.input("tell"));
    await untilStatus(daemon, id, "completed");
    await until(() => told.length > 0);
    await untilStatus(daemon, `${id}-0`, "completed");
    expect(trace.starts("tell")).toBe(2);
    expect(trace.starts("tell-next")).toBe(1);
    expect(told).toEqual([{ label: "tell", attempt: 2 }]);
    const follower = await client.get(`${id}-0`);
    expect(follower.correlationId).toBe(id);
    listening.unsubscribe();
  });

  it("is not one whose result is large: over 256 KiB it comes by reference, over 5 MB it is refused", async () => {
    const { client } = daemon;
    const large = await client.enqueue("test.large", { bytes: 400_000 });
    expect(await client.waitResult(large.id)).toEqual({ text: "x".repeat(400_000) });
    expect((await client.get(large.id)).resultJson?.length).toBe(400_011);
    const entry = await broker.journal.read("test", large.id);
    expect(entry?.record).toMatchObject({ s: "completed", rr: 400_011 });
    expect(entry?.record.r).toBeUndefined();

    const tooLarge = await client.enqueue("test.large", { bytes: 5_300_000 });
    const dead = await untilEnded(daemon, tooLarge.id);
    expect(dead).toMatchObject({ status: "dead", attempts: 1 });
    expect(dead.attemptHistory[0]?.error?.code).toBe("result-too-large");
  });

  it("and every other task stands in exactly one state", async () => {
    const { counts } = await daemon.client.status();
    const listed = await Promise.all(
      TASK_STATUSES.map(async (status) => {
        const { tasks } = await daemon.client.list({ where: { status: [status] }, limit: 1000 });
        return [status, tasks.length] as const;
      }),
    );
    expect(Object.fromEntries(listed)).toEqual(counts);
  });
});

describe("a scheduled task", () => {
  it("does not start before its time, survives the death of the daemon, and starts at once when it is overdue", async () => {
    let daemon = await startScenario({ a: { slots: 4 } });
    try {
      const { client } = daemon;
      const soonAt = Date.now() + 5000;
      const laterAt = Date.now() + 9000;
      const soon = await client.enqueue("test.work", trace.input("soon"), { runAt: soonAt });
      const later = await client.enqueue("test.work", trace.input("later"), { runAt: laterAt });
      const retried = await client.enqueue("test.work", trace.input("early"), {
        runAt: Date.now() + 3_600_000,
      });
      expect(soon.status).toBe("scheduled");
      await daemon.kill();
      await until(() => Date.now() > soonAt);
      expect(trace.starts("soon")).toBe(0);
      daemon = await daemon.restart();

      expect((await untilEnded(daemon, soon.id)).status).toBe("completed");
      const ended = await untilEnded(daemon, later.id);
      expect(Date.parse(ended.startedAt ?? "")).toBeGreaterThanOrEqual(laterAt);
      for (const [label, { id }] of [["soon", soon] as const, ["later", later] as const]) {
        expect(trace.starts(label)).toBe(1);
        expect(await completionsOf(daemon, id)).toBe(1);
      }
      await daemon.client.retry(retried.id, "now");
      await untilEnded(daemon, retried.id);
      expect(trace.starts("early")).toBe(1);
    } finally {
      await daemon.close();
    }
  });
});
