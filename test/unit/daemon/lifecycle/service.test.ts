import { expect, test } from "vitest";
import { systemClock } from "../../../../daemon/clock.ts";
import {
  type Add,
  createServiceStack,
  StoppedWhileStarting,
} from "../../../../daemon/lifecycle/service.ts";
import { noLog } from "../../../../daemon/log.ts";
import { until } from "../../../support/until.ts";

const BUDGET_MS = 1000;

function stackWithJournal() {
  const journal: string[] = [];
  const stack = createServiceStack({ log: noLog, clock: systemClock });
  const add = (into: Add, name: string, stop: () => Promise<void> = async () => {}) =>
    into(name, BUDGET_MS, () => {
      journal.push(`start ${name}`);
      return {
        stop: () => {
          journal.push(`stop ${name}`);
          return stop();
        },
      };
    });
  return { journal, stack, add };
}

test("services stop in the reverse order of their start", async () => {
  const { journal, stack, add } = stackWithJournal();
  await stack.start(async (into) => {
    await add(into, "a");
    await add(into, "b");
  });
  expect(stack.state()).toEqual({ kind: "running" });
  await stack.stop("test");
  expect(journal).toEqual(["start a", "start b", "stop b", "stop a"]);
});

test("a start that fails stops what was started and throws the failure", async () => {
  const { journal, stack, add } = stackWithJournal();
  const start = stack.start(async (into) => {
    await add(into, "a");
    throw new Error("no b");
  });
  await expect(start).rejects.toThrow("no b");
  expect(journal).toEqual(["start a", "stop a"]);
  expect(stack.state().kind).toBe("stopped");
});

test("a stop in the middle of a start waits for that service, stops it and begins no other", async () => {
  const { journal, stack, add } = stackWithJournal();
  const gate = Promise.withResolvers<void>();
  const start = stack.start(async (into) => {
    await add(into, "a");
    await into("b", BUDGET_MS, async () => {
      await gate.promise;
      journal.push("start b");
      return { stop: async () => void journal.push("stop b") };
    });
    await add(into, "c");
  });
  const refused = expect(start).rejects.toThrow(StoppedWhileStarting);
  await until(
    () => stack.state(),
    (state) => state.kind === "starting" && state.service === "b",
  );
  const stop = stack.stop("test");
  gate.resolve();
  await stop;
  await refused;
  expect(journal).toEqual(["start a", "start b", "stop b", "stop a"]);
});

test("a second start and a second stop share the first", async () => {
  const { journal, stack, add } = stackWithJournal();
  const body = async (into: Add): Promise<void> => void (await add(into, "a"));
  await Promise.all([stack.start(body), stack.start(body)]);
  await Promise.all([stack.stop("one"), stack.stop("two")]);
  expect(journal).toEqual(["start a", "stop a"]);
});

test("a service that overruns its budget is reported and does not hold up the others", async () => {
  const { stack, journal, add } = stackWithJournal();
  await stack.start(async (into) => {
    await add(into, "a");
    await into("stuck", 20, () => ({ stop: () => new Promise<void>(() => {}) }));
  });
  const outcomes = await stack.stop("test");
  expect(outcomes.map(({ name, end }) => [name, end])).toEqual([
    ["stuck", "overran"],
    ["a", "stopped"],
  ]);
  expect(journal).toEqual(["start a", "stop a"]);
});

test("a service whose stop throws is reported and the others are stopped", async () => {
  const { stack, journal, add } = stackWithJournal();
  await stack.start(async (into) => {
    await add(into, "a");
    await add(into, "b", () => Promise.reject(new Error("broken")));
  });
  const outcomes = await stack.stop("test");
  expect(outcomes.map(({ end }) => end)).toEqual(["failed", "stopped"]);
  expect(journal.at(-1)).toBe("stop a");
});

test("nothing starts after a stop", async () => {
  const { stack } = stackWithJournal();
  await stack.stop("test");
  await expect(stack.start(async () => {})).rejects.toThrow(StoppedWhileStarting);
});
