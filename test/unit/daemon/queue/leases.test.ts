import { describe, expect, test } from "vitest";
import { createLeaseWatch } from "../../../../daemon/queue/leases.ts";
import type { Hello } from "../../../../daemon/worker/protocol.ts";

const TERMS = { heartbeatMs: 500, missedBeats: 3, graceMs: 1000 };
const BEAT = { running: 1, blockedMs: 0 };

function aHello(change: Partial<Hello> = {}): Hello {
  return {
    id: "w1",
    pool: "fast",
    pid: 11,
    host: "here",
    startedAt: "",
    slots: 1,
    expressSlots: 0,
    queues: ["*"],
    definitions: [],
    configError: null,
    ...change,
  };
}

/** A watch over one worker, a clock that is turned by hand, and whose leases ended. */
function aWatch() {
  const world = { now: 0, gone: [] as string[] };
  const watch = createLeaseWatch({
    terms: TERMS,
    monotonic: () => world.now,
    now: () => world.now,
    onGone: (id, why, died) => world.gone.push(`${id}: ${why}${died ? "" : ", no task's fault"}`),
  });
  watch.hello(aHello());
  const at = (ms: number): void => {
    world.now = ms;
    watch.tick();
  };
  return { world, watch, at };
}

describe("a worker", () => {
  test("that is heard keeps its leases", () => {
    const { world, watch, at } = aWatch();
    for (let ms = 0; ms < 20_000; ms += 500) {
      watch.beat("w1", BEAT);
      at(ms + 499);
    }
    expect(world.gone).toEqual([]);
  });

  test("that is not heard for three beats and the grace loses them, once", () => {
    const { world, watch, at } = aWatch();
    at(1501);
    at(2500);
    expect(world.gone).toEqual([]);
    expect(watch.isAlive("w1")).toBe(true);
    at(2501);
    at(5000);
    expect(world.gone).toEqual(["w1: it sent no heartbeat"]);
    expect(watch.isAlive("w1")).toBe(false);
  });

  test("whose connection ends has the grace from that moment on, and keeps its leases when it is back in it", () => {
    const { world, watch, at } = aWatch();
    watch.disconnected("w1");
    at(900);
    watch.beat("w1", BEAT);
    at(1900);
    expect(world.gone).toEqual([]);
    watch.disconnected("w1");
    at(2899);
    expect(world.gone).toEqual([]);
    at(2900);
    expect(world.gone).toEqual(["w1: its connection ended"]);
  });

  test("whose process ended has no grace", () => {
    const { world, watch } = aWatch();
    watch.exited(11, "it was ended by SIGKILL");
    expect(world.gone).toEqual(["w1: it was ended by SIGKILL"]);
    watch.exited(11, "again");
    expect(world.gone).toHaveLength(1);
  });

  test("that says goodbye leaves no suspects behind, and the end of its process adds none", () => {
    const { world, watch } = aWatch();
    watch.goodbye("w1");
    watch.exited(11, "it exited with code 0");
    expect(world.gone).toEqual(["w1: it was stopped in order, no task's fault"]);
  });

  test("that wakes after its leases ended is a worker again, whose leases can end again", () => {
    const { world, watch, at } = aWatch();
    at(1501);
    at(2501);
    watch.beat("w1", BEAT);
    expect(watch.isAlive("w1")).toBe(true);
    at(4002);
    at(5002);
    expect(world.gone).toHaveLength(2);
  });

  test("is not blamed for beats that the daemon could not hear, unless its leases ended before", () => {
    const { world, watch, at } = aWatch();
    at(1501);
    watch.forgive();
    at(2900);
    expect(world.gone).toEqual([]);
    at(3002);
    at(4002);
    expect(world.gone).toHaveLength(1);
    watch.forgive();
    expect(watch.isAlive("w1")).toBe(false);
  });

  test("that this daemon never met is told so: it must say hello before its beats count", () => {
    const { watch } = aWatch();
    expect(watch.beat("w1", BEAT)).toBe(true);
    expect(watch.beat("stranger", BEAT)).toBe(false);
    expect(watch.isAlive("stranger")).toBe(false);
  });
});
