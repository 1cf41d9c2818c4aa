import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestDaemon } from "../../support/daemon.ts";
import { type Effect, effects } from "../../support/effects.ts";
import {
  holderOf,
  notesOf,
  startScenario,
  TWO_WORKERS,
  untilEnded,
  untilStatus,
  whenWorkersReady,
} from "../../support/scenario.ts";
import { until } from "../../support/until.ts";

const trace = effects();
afterAll(() => trace.remove());

/** What the first attempt at this label left behind. */
function firstAttempt(label: string): Effect["what"][] {
  return trace
    .all()
    .filter((effect) => effect.label === label && effect.attempt === 1)
    .map(({ what }) => what);
}

describe("a handler whose worker lost its lease", () => {
  let daemon: TestDaemon;

  beforeAll(async () => {
    daemon = await startScenario(TWO_WORKERS);
  });
  afterAll(() => daemon.close());

  /** A task that runs in a worker which is frozen then, and the worker's process. */
  async function frozenWith(label: string): Promise<{ id: string; pid: number }> {
    const task = await daemon.client.enqueue("test.listen", trace.gated(label, label));
    const { pid } = await holderOf(daemon, task.id);
    // Claimed is not started: a worker that is stopped in between leaves no trace of its own.
    await until(() => trace.starts(label) === 1);
    process.kill(pid, "SIGSTOP");
    return { id: task.id, pid };
  }

  /** Wakes it, and holds that its handler is told why it must stop and leaves nothing behind afterwards. */
  async function wakesAndStops(label: string, task: { id: string; pid: number }): Promise<void> {
    process.kill(task.pid, "SIGCONT");
    await until(() => firstAttempt(label).some((what) => what.startsWith("stopped:")));
    trace.open(label);
    const ended = await untilEnded(daemon, task.id);
    expect(ended).toMatchObject({ status: "completed", attempts: 2 });
    expect(firstAttempt(label).at(-1)).toBe("stopped:lease-lost");
    // It obeyed: there was no outcome to discard.
    expect(await notesOf(daemon, task.id, "stale-completion")).toEqual([]);
    await whenWorkersReady(daemon, 2);
  }

  it("while its process was frozen has its signal aborted as it wakes", async () => {
    const task = await frozenWith("woken");
    try {
      await until(() => trace.starts("woken") === 2);
      await wakesAndStops("woken", task);
    } finally {
      process.kill(task.pid, "SIGCONT");
    }
  });

  it("while it was cut off learns it from the journal when its connection is back", async () => {
    const { pid: server } = (await daemon.client.status()).nats;
    const task = await frozenWith("cut-off");
    try {
      // The broker that comes back has no connection of this worker: no order can reach it.
      process.kill(server ?? 0, "SIGKILL");
      await until(() => trace.starts("cut-off") === 2);
      await wakesAndStops("cut-off", task);
    } finally {
      process.kill(task.pid, "SIGCONT");
    }
  });
});

describe("the only worker, whose one slot is taken", () => {
  let daemon: TestDaemon;

  beforeAll(async () => {
    daemon = await startScenario({ alone: { slots: 1 } });
  });
  afterAll(() => daemon.close());

  it("is told by the daemon that its lease ended, stops its handler and begins the task anew", async () => {
    const task = await daemon.client.enqueue("test.listen", trace.gated("told", "told"));
    const { pid } = await holderOf(daemon, task.id);
    await until(() => trace.starts("told") === 1);
    process.kill(pid, "SIGSTOP");
    try {
      await untilStatus(daemon, task.id, "waiting");
    } finally {
      process.kill(pid, "SIGCONT");
    }
    // Nothing else could tell it: it pulls no messages while its slot is taken, and its connection never ended.
    await until(() => trace.starts("told") === 2);
    expect(firstAttempt("told").at(-1)).toBe("stopped:lease-lost");
    trace.open("told");
    const ended = await untilEnded(daemon, task.id);
    expect(ended).toMatchObject({ status: "completed", attempts: 2 });
  });
});
