import { afterAll, describe, expect, it } from "vitest";
import { effects } from "../../support/effects.ts";
import { enqueueAll, startScenario, untilEnded } from "../../support/scenario.ts";

const trace = effects();
afterAll(() => trace.remove());

describe("a task that kills its worker each time", () => {
  it.each([
    ["one", 1],
    ["two", 2],
  ])(
    "(%s among thirty others) ends as a dead letter; the others complete, and the pool stays",
    async (label, count) => {
      const daemon = await startScenario({ only: { slots: 10 } });
      try {
        const work = (i: number) => ({
          task: "test.work",
          input: trace.input(`${label}-work-${i}`, { ms: 200 }),
        });
        const poison = (i: number) => ({
          task: "test.poison",
          input: trace.input(`${label}-poison-${i}`, { ms: 50 }),
        });
        // Each poisonous one begins among nine others.
        const items = Array.from({ length: 30 }, (_, i) =>
          i % 10 === 4 && i / 10 < count ? [poison(i), work(i)] : [work(i)],
        ).flat();
        const ids = await enqueueAll(daemon, items);
        const ends = await Promise.all(ids.map((id) => untilEnded(daemon, id)));
        const poisonous = ends.filter(({ name }) => name === "test.poison");
        const others = ends.filter(({ name }) => name === "test.work");
        expect(poisonous).toHaveLength(count);
        for (const task of poisonous)
          expect(task).toMatchObject({ status: "dead", deadReason: "poison", attempts: 3 });
        expect(others.map(({ status }) => status)).toEqual(Array(30).fill("completed"));
        const { workers } = await daemon.client.status();
        expect(workers.map(({ state }) => state)).not.toContain("given-up");
        const [after] = await enqueueAll(daemon, [
          { task: "test.work", input: trace.input(`${label}-after`) },
        ]);
        expect((await untilEnded(daemon, after!)).status).toBe("completed");
      } finally {
        await daemon.close();
      }
    },
  );
});
