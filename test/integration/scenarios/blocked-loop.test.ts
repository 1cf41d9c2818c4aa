import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestDaemon } from "../../support/daemon.ts";
import { effects } from "../../support/effects.ts";
import { type Injector, inject } from "../../support/inject.ts";
import {
  completionsOf,
  enqueueAll,
  readyWorkers,
  startScenario,
  untilEnded,
  whenWorkersReady,
} from "../../support/scenario.ts";
import { until } from "../../support/until.ts";

const trace = effects();
afterAll(() => trace.remove());

describe("a handler that has always been quick", () => {
  let daemon: TestDaemon;
  let broker: Injector;

  beforeAll(async () => {
    daemon = await startScenario({ a: { slots: 1 }, b: { slots: 1 } });
    broker = await inject(daemon);
  });
  afterAll(async () => {
    await broker.close();
    await daemon.close();
  });

  it("and suddenly blocks its loop, unclaimed, keeps its message: nobody else runs the task", async () => {
    const pools = await readyWorkers(daemon);
    const other = pools.find(({ pool }) => pool === "b")?.pid ?? 0;
    process.kill(other, "SIGSTOP");
    let block: string | undefined;
    try {
      const quick = (i: number) => ({ task: "test.block", input: trace.input(`quick-${i}`) });
      // One worker alone learns that the handler is quick: fifty times in a row make it run before it is claimed.
      for (const id of await enqueueAll(
        daemon,
        Array.from({ length: 120 }, (_, i) => quick(i)),
      ))
        await untilEnded(daemon, id);
      const input = trace.input("sudden", { ms: 4000 });
      [block] = await enqueueAll(daemon, [{ task: "test.block", input }]);
      await until(() => trace.starts("sudden") === 1);
    } finally {
      process.kill(other, "SIGCONT");
    }
    // It is awake and idle, and would take the message as soon as the broker gave it away, after a second and a half.
    expect(await broker.journal.read("test", block!)).toBeNull();
    const ended = await untilEnded(daemon, block!);
    expect(ended).toMatchObject({ status: "completed", attempts: 1 });
    expect(trace.starts("sudden")).toBe(1);
    expect(await completionsOf(daemon, block!)).toBe(1);
    await whenWorkersReady(daemon, 2);
  });
});
