import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestDaemon } from "../../support/daemon.ts";
import { effects } from "../../support/effects.ts";
import {
  completionsOf,
  enqueueAll,
  holderOf,
  readyWorkers,
  startScenario,
  untilEnded,
  whenWorkersReady,
} from "../../support/scenario.ts";
import { until } from "../../support/until.ts";

describe("the level of a task", () => {
  const trace = effects();
  let daemon: TestDaemon;

  beforeAll(async () => {
    daemon = await startScenario({
      strict: { queues: ["test"], slots: 1 },
      // Of a worker that has run nothing yet the order is exact: it takes nothing ahead of its slot.
      fresh: { queues: ["fresh"], slots: 1 },
      express: { queues: ["lane"], slots: 1, expressSlots: 1 },
      c: { queues: ["pair"], slots: 1, expressSlots: 1 },
      d: { queues: ["pair"], slots: 1, expressSlots: 1 },
    });
  });
  afterAll(async () => {
    await daemon.close();
    trace.remove();
  });

  /** A task that holds a slot until its gate is opened. */
  async function hold(gate: string, queue = "test", priority = 5): Promise<string> {
    const input = trace.gated(gate, gate);
    const { id } = await daemon.client.enqueue("test.gate", input, { queue, priority });
    // Claimed is not started: a worker that is stopped in between leaves no trace of its own.
    await until(() => trace.starts(gate) === 1);
    return id;
  }

  const work = (label: string, priority: number) => ({
    task: "test.work",
    input: trace.input(label),
    priority,
  });

  it("can be raised while the task waits: it starts next, its old copy never, and the history says who and why", async () => {
    await hold("raise");
    const ids = await enqueueAll(
      daemon,
      Array.from({ length: 20 }, (_, i) => work(`raise-${i}`, 3)),
    );
    await daemon.client.escalate(ids[19]!, 10, "a customer waits");
    trace.open("raise");
    for (const id of ids) await untilEnded(daemon, id);
    const started = trace.started().filter((label) => label.startsWith("raise-"));
    expect(started[0]).toBe("raise-19");
    expect(started.length).toBe(20);
    const { priorityHistory } = await daemon.client.get(ids[19]!);
    expect(priorityHistory).toMatchObject([
      {
        by: daemon.client.user,
        role: "Admin",
        from: 3,
        to: 10,
        action: "critical",
        reason: "a customer waits",
      },
    ]);
  });

  it("decides what starts next, and inside a level the first come is the first served", async () => {
    await hold("order", "fresh");
    const inFresh = (label: string, level: number) => ({ ...work(label, level), queue: "fresh" });
    const lows = Array.from({ length: 1000 }, (_, i) => inFresh(`low-${i}`, 3));
    await enqueueAll(daemon, lows);
    const levels = [0, 5, 8, 1, 10, 9, 5, 2, 10, 8, 7, 6, 9, 4];
    const mixed = levels.map((level, i) => inFresh(`l${level}-${i}`, level));
    const ids = await enqueueAll(daemon, mixed);
    trace.open("order");
    for (const id of ids) await untilEnded(daemon, id);
    const expected = [...lows, ...mixed]
      .toSorted((a, b) => b.priority - a.priority)
      .map(({ input }) => input.label);
    const started = trace.started().filter((label) => /^l(ow-|\d)/.test(label));
    const level = new Map([...lows, ...mixed].map((item) => [item.input.label, item.priority]));
    expect(started.map((label) => level.get(label))).toEqual(
      expected.map((label) => level.get(label)),
    );
    // Neighbours may change places where a worker begins to run quick tasks before it claims them.
    const shifts = expected.map((label, i) => Math.abs(started.indexOf(label) - i));
    expect(Math.max(...shifts)).toBeLessThan(20);
  });

  it("may change while a worker takes the task: it runs once, at the level that the answer says", async () => {
    const applied: string[] = [];
    const refused: string[] = [];
    // A round may be over before the first change comes; the race counts where both ends were seen.
    for (let round = 0; round < 4 || applied.length === 0; round++) {
      const gate = `race-${round}`;
      await hold(gate);
      const items = Array.from({ length: 60 }, (_, i) => ({
        ...work(`${gate}-${i}`, 3),
        input: trace.input(`${gate}-${i}`, { ms: 2 }),
      }));
      const ids = await enqueueAll(daemon, items);
      trace.open(gate);
      await until(() => trace.starts(`${gate}-0`) === 1);
      const outcome = await daemon.client.escalate({ ids: ids.toReversed() }, 9, "race");
      const no = new Map(outcome.refused.map(({ id, error }) => [id, error.code]));
      for (const code of no.values())
        expect(["already-running-task", "task-not-waiting"]).toContain(code);
      for (const id of ids) (no.has(id) ? refused : applied).push(id);
      for (const id of ids) await untilEnded(daemon, id);
    }
    expect([applied.length > 0, refused.length > 0]).toEqual([true, true]);
    const starts = trace.all().filter(({ what }) => what === "start");
    for (const id of [...applied, ...refused]) {
      const runs = starts.filter(({ taskId }) => taskId === id);
      expect(runs.map(({ level }) => level)).toEqual([applied.includes(id) ? 9 : 3]);
      expect(await completionsOf(daemon, id)).toBe(1);
    }
  });

  it("is kept by a retry, which goes before the backlog of lower levels", async () => {
    await hold("retry");
    const input = trace.input("again", { times: 1 });
    const retried = await daemon.client.enqueue("test.fail", input, { priority: 8 });
    const lows = Array.from({ length: 40 }, (_, i) => ({
      task: "test.work",
      input: trace.input(`behind-${i}`, { ms: 50 }),
      priority: 3,
    }));
    const ids = await enqueueAll(daemon, lows);
    trace.open("retry");
    await untilEnded(daemon, retried.id);
    await untilEnded(daemon, ids.at(-1)!);
    const second = trace.all().filter(({ label }) => label === "again")[1];
    expect(second).toMatchObject({ attempt: 2, level: 8 });
    const order = trace.started();
    expect(order.lastIndexOf("again")).toBeLessThan(order.indexOf("behind-39"));
  });

  it("is kept when its worker dies: the task is again ahead of lower ones", async () => {
    const high = await hold("stalled", "test", 9);
    const lows = await enqueueAll(
      daemon,
      Array.from({ length: 5 }, (_, i) => work(`after-${i}`, 5)),
    );
    process.kill((await holderOf(daemon, high)).pid, "SIGKILL");
    await until(() => trace.starts("stalled") === 2);
    trace.open("stalled");
    for (const id of [high, ...lows]) await untilEnded(daemon, id);
    const order = trace.started();
    expect(order.lastIndexOf("stalled")).toBeLessThan(order.indexOf("after-0"));
    expect(trace.all().findLast(({ label }) => label === "stalled")?.level).toBe(9);
  });

  it("of 8 or more starts at once in the reserved slot although the others are busy", async () => {
    const held = await hold("busy", "lane");
    const normal = await daemon.client.enqueue("test.work", trace.input("normal"), {
      queue: "lane",
      priority: 7,
    });
    const critical = await daemon.client.enqueue("test.work", trace.input("critical"), {
      queue: "lane",
      priority: 8,
    });
    expect((await untilEnded(daemon, critical.id)).status).toBe("completed");
    expect(trace.starts("normal")).toBe(0);
    trace.open("busy");
    for (const id of [held, normal.id]) await untilEnded(daemon, id);
  });

  it("of 8 or more makes no busy worker take tasks that it cannot start while another could", async () => {
    const workers = (await readyWorkers(daemon)).filter(({ queues }) => queues.includes("pair"));
    const low = await hold("low", "pair");
    const holder = await holderOf(daemon, low);
    const other = workers.find(({ id }) => id !== holder.id);
    process.kill(other?.pid ?? 0, "SIGSTOP");
    const criticals = await enqueueAll(
      daemon,
      ["h0", "h1", "h2"].map((label) => ({
        task: "test.gate",
        input: trace.gated(label, "low"),
        queue: "pair",
        priority: 9,
      })),
    );
    await until(() => trace.starts("h0") === 1);
    process.kill(other?.pid ?? 0, "SIGCONT");
    await until(() => trace.starts("h1") === 1 && trace.starts("h2") === 1);
    trace.open("low");
    for (const id of [low, ...criticals]) await untilEnded(daemon, id);
    await whenWorkersReady(daemon, 5);
  });

  it("aside, a quick task is not kept behind a long one while another worker is free", async () => {
    const quick = (label: string, count: number) =>
      Array.from({ length: count }, (_, i) => ({
        ...work(`${label}-${i}`, 5),
        queue: "pair",
      }));
    const warm = await enqueueAll(daemon, quick("warm", 300));
    for (const id of warm) await untilEnded(daemon, id);
    const long = await hold("long", "pair");
    const ids = await enqueueAll(daemon, quick("quick", 300));
    for (const id of ids) await untilEnded(daemon, id);
    expect(trace.ends("long")).toBe(0);
    trace.open("long");
    await untilEnded(daemon, long);
  });
});
