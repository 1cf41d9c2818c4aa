import { afterAll, expect, it } from "vitest";
import { effects } from "../../support/effects.ts";
import { enqueueAll, startScenario, untilEnded } from "../../support/scenario.ts";

const trace = effects();
afterAll(() => trace.remove());

const CULPRITS = 2;
const OTHERS = 14;

it("a task that kills its worker each time ends as a dead letter; fourteen others complete, and the pool stays", async () => {
  const daemon = await startScenario({ only: { slots: 5 } });
  try {
    const work = (i: number) => ({
      task: "test.work",
      input: trace.input(`work-${i}`, { ms: 200 }),
    });
    const poison = (i: number) => ({
      task: "test.poison",
      input: trace.input(`poison-${i}`, { ms: 50 }),
    });
    // Each poisonous one begins among others.
    const items = Array.from({ length: OTHERS }, (_, i) =>
      i % 5 === 2 && i / 5 < CULPRITS ? [poison(i), work(i)] : [work(i)],
    ).flat();
    const ids = await enqueueAll(daemon, items);
    const ends = await Promise.all(ids.map((id) => untilEnded(daemon, id)));
    const poisonous = ends.filter(({ name }) => name === "test.poison");
    const others = ends.filter(({ name }) => name === "test.work");
    expect(poisonous).toHaveLength(CULPRITS);
    for (const task of poisonous)
      expect(task).toMatchObject({ status: "dead", deadReason: "poison", attempts: 3 });
    expect(others.map(({ status }) => status)).toEqual(Array(OTHERS).fill("completed"));
    const { workers } = await daemon.client.status();
    expect(workers.map(({ state }) => state)).not.toContain("given-up");
    const [after] = await enqueueAll(daemon, [{ task: "test.work", input: trace.input("after") }]);
    expect((await untilEnded(daemon, after!)).status).toBe("completed");
  } finally {
    await daemon.close();
  }
});
