import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { TaskMessage } from "../../../../daemon/queue/task-message.ts";
import { createQuarantine } from "../../../../daemon/worker/quarantine.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function suspect(id: string, level = 5): TaskMessage {
  return { id, level } as TaskMessage;
}

/** A quarantine in a process that holds `others` tasks, and what it did. */
function aQuarantine() {
  const world = { others: 0, started: [] as string[], back: [] as string[], opened: 0 };
  const quarantine = createQuarantine({
    empty: () => world.others === 0,
    start: ({ id }) => world.started.push(id),
    giveBack: ({ id }) => world.back.push(id),
    opened: () => world.opened++,
  });
  return { world, quarantine };
}

describe("suspects", () => {
  test("run one at a time; the next begins when the one before has left", () => {
    const { world, quarantine } = aQuarantine();
    for (const id of ["a", "b", "c"]) expect(quarantine.admit(suspect(id))).toBe(false);
    quarantine.look();
    expect(world.started).toEqual(["a"]);
    // Its claim asks again, and it is let in.
    expect(quarantine.admit(suspect("a"))).toBe(true);
    quarantine.left("a");
    expect(world.started).toEqual(["a", "b"]);
    expect(quarantine.admit(suspect("b"))).toBe(true);
    quarantine.left("b");
    expect(world.started).toEqual(["a", "b", "c"]);
  });

  test("of high levels go first", () => {
    const { world, quarantine } = aQuarantine();
    quarantine.admit(suspect("a"));
    quarantine.look();
    quarantine.admit(suspect("low", 2));
    quarantine.admit(suspect("high", 9));
    quarantine.left("a");
    expect(world.started).toEqual(["a", "high"]);
  });

  test("are given back when their turn does not come, for another process may have room", () => {
    const { world, quarantine } = aQuarantine();
    quarantine.admit(suspect("a"));
    quarantine.look();
    quarantine.admit(suspect("b"));
    vi.advanceTimersByTime(3000);
    expect(world.back).toEqual(["b"]);
    quarantine.left("a");
    expect(world.started).toEqual(["a"]);
  });

  test("that leave without having had the place change nothing", () => {
    const { quarantine } = aQuarantine();
    quarantine.admit(suspect("a"));
    quarantine.look();
    quarantine.left("other");
    expect(quarantine.holds("a")).toBe(true);
    expect(quarantine.admit(suspect("b"))).toBe(false);
  });
});

describe("a suspect", () => {
  test("waits until nothing else runs, and nothing begins beside it until it has left", () => {
    const { world, quarantine } = aQuarantine();
    world.others = 2;
    expect(quarantine.admit(suspect("a"))).toBe(false);
    expect(quarantine.closed).toBe(true);
    quarantine.look();
    expect(world.started).toEqual([]);
    world.others = 0;
    quarantine.look();
    expect(world.started).toEqual(["a"]);
    expect(quarantine.admit(suspect("a"))).toBe(true);
    expect(quarantine.closed).toBe(true);
    quarantine.left("a");
    expect(quarantine.closed).toBe(false);
    expect(world.opened).toBe(1);
  });

  test("begins beside others when they take too long: nobody waits for ever", () => {
    const { world, quarantine } = aQuarantine();
    world.others = 1;
    quarantine.admit(suspect("a"));
    vi.advanceTimersByTime(5000);
    expect(world.started).toEqual(["a"]);
    expect(quarantine.closed).toBe(false);
    expect(quarantine.admit(suspect("a"))).toBe(true);
  });

  test("and runs for long has others begin beside it, but no other suspect", () => {
    const { world, quarantine } = aQuarantine();
    quarantine.admit(suspect("a"));
    quarantine.look();
    vi.advanceTimersByTime(5000);
    expect(quarantine.closed).toBe(false);
    expect(world.opened).toBe(1);
    expect(quarantine.admit(suspect("b"))).toBe(false);
  });

  test("and others like it leave time to everything else in between", () => {
    const { world, quarantine } = aQuarantine();
    quarantine.admit(suspect("a"));
    quarantine.look();
    vi.advanceTimersByTime(2000);
    quarantine.admit(suspect("b"));
    quarantine.left("a");
    expect(quarantine.closed).toBe(false);
    expect(world.opened).toBe(1);
    vi.advanceTimersByTime(1000);
    expect(quarantine.closed).toBe(true);
    expect(world.started).toEqual(["a", "b"]);
  });

  test("is represented by its newest message", () => {
    const { world, quarantine } = aQuarantine();
    world.others = 1;
    quarantine.admit({ ...suspect("a"), deliveries: 1 });
    quarantine.admit({ ...suspect("a"), deliveries: 2 });
    expect(quarantine.drain()).toEqual([{ id: "a", level: 5, deliveries: 2 }]);
  });
});

test("draining hands out every message that waits and closes nothing any more", () => {
  const { quarantine } = aQuarantine();
  quarantine.admit(suspect("a"));
  quarantine.admit(suspect("b"));
  expect(quarantine.drain().map(({ id }) => id)).toEqual(["b", "a"]);
  expect(quarantine.closed).toBe(false);
  expect(quarantine.drain()).toEqual([]);
});
