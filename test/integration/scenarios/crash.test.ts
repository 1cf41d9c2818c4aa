import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isProcessAlive } from "../../../daemon/lifecycle/process-alive.ts";
import type { TestDaemon } from "../../support/daemon.ts";
import { effects } from "../../support/effects.ts";
import { type Injector, inject } from "../../support/inject.ts";
import {
  completionsOf,
  descendantsOf,
  holderOf,
  readyWorkers,
  startScenario,
  TWO_WORKERS,
  untilEnded,
  untilNoted,
  untilStatus,
  whenWorkersReady,
} from "../../support/scenario.ts";
import { until } from "../../support/until.ts";

const trace = effects();
afterAll(() => trace.remove());

describe("a worker in trouble", () => {
  let daemon: TestDaemon;
  let broker: Injector;

  beforeAll(async () => {
    daemon = await startScenario(TWO_WORKERS);
    broker = await inject(daemon);
  });
  afterAll(async () => {
    await broker.close();
    await daemon.close();
  });

  it("that is killed has its task run again as the next attempt, and the first stands as lost", async () => {
    const task = await daemon.client.enqueue("test.gate", trace.gated("killed", "killed"));
    const holder = await holderOf(daemon, task.id);
    // Claimed is not started: a worker that is stopped in between leaves no trace of its own.
    await until(() => trace.starts("killed") === 1);
    process.kill(holder.pid, "SIGKILL");
    await until(() => trace.starts("killed") === 2);
    trace.open("killed");
    const ended = await untilEnded(daemon, task.id);
    expect(ended.status).toBe("completed");
    expect(ended.attemptHistory.map(({ outcome }) => outcome)).toEqual(["lost", "completed"]);
    expect(ended.resultJson).toBe('{"label":"killed","attempt":2}');
    expect(trace.starts("killed")).toBe(2);
    await whenWorkersReady(daemon, 2);
  });

  it("that is killed has all its tasks running again at once, beside each other", async () => {
    const labels = ["together-1", "together-2", "together-3", "together-4"];
    for (const label of labels)
      await daemon.client.enqueue("test.gate", trace.gated(label, "together"));
    await until(() => labels.every((label) => trace.starts(label) === 1));
    for (const { pid } of await readyWorkers(daemon)) process.kill(pid, "SIGKILL");
    // The gate is closed: none of them ends before all have begun.
    await until(() => labels.every((label) => trace.starts(label) === 2));
    trace.open("together");
    await until(async () => {
      const { counts } = await daemon.client.status();
      return counts.running + counts.waiting === 0;
    });
    await whenWorkersReady(daemon, 2);
  });

  it("that dies in the last attempt leaves a dead letter worker-lost and never a task that runs for ever", async () => {
    const task = await daemon.client.enqueue("test.once", trace.input("last", { ms: 60_000 }));
    const holder = await holderOf(daemon, task.id);
    // Claimed is not started: a worker that is stopped in between leaves no trace of its own.
    await until(() => trace.starts("last") === 1);
    process.kill(holder.pid, "SIGKILL");
    const ended = await untilEnded(daemon, task.id);
    expect(ended).toMatchObject({ status: "dead", deadReason: "worker-lost", attempts: 1 });
    const letter = await until(() =>
      broker.wire.last(broker.names.stream.dead, broker.names.dead("test", task.id)),
    );
    expect(JSON.parse(new TextDecoder().decode(letter?.data))).toMatchObject({ label: "last" });
    await until(async () => (await broker.messagesOf(task.id)) === 0);
    expect(trace.starts("last")).toBe(1);
    await whenWorkersReady(daemon, 2);
  });

  it("that was frozen beyond its lease has its late completion discarded and audited as stale", async () => {
    const task = await daemon.client.enqueue("test.gate", trace.gated("frozen", "frozen"));
    const holder = await holderOf(daemon, task.id);
    // Claimed is not started: a worker that is stopped in between leaves no trace of its own.
    await until(() => trace.starts("frozen") === 1);
    process.kill(holder.pid, "SIGSTOP");
    try {
      await until(() => trace.starts("frozen") === 2);
      trace.open("frozen");
      const ended = await untilEnded(daemon, task.id);
      expect(ended.resultJson).toBe('{"label":"frozen","attempt":2}');
    } finally {
      process.kill(holder.pid, "SIGCONT");
    }
    const note = await untilNoted(daemon, task.id, "stale-completion");
    expect(note).toMatchObject({ by: holder.id, detail: { attempt: 1, outcome: "completed" } });
    const after = await daemon.client.get(task.id);
    expect(after.resultJson).toBe('{"label":"frozen","attempt":2}');
    expect(await completionsOf(daemon, task.id)).toBe(1);
  });

  it("that was frozen cannot replace a large result either", async () => {
    const input = trace.gated("large", "large", { bytes: 300_000 });
    const task = await daemon.client.enqueue("test.big", input);
    const holder = await holderOf(daemon, task.id);
    // Claimed is not started: a worker that is stopped in between leaves no trace of its own.
    await until(() => trace.starts("large") === 1);
    process.kill(holder.pid, "SIGSTOP");
    try {
      await until(() => trace.starts("large") === 2);
      trace.open("large");
      await untilEnded(daemon, task.id);
    } finally {
      process.kill(holder.pid, "SIGCONT");
    }
    await untilNoted(daemon, task.id, "stale-completion");
    expect(await daemon.client.waitResult(task.id)).toMatchObject({ attempt: 2 });
  });

  it("whose handler blocks its loop keeps its lease, and no second copy starts", async () => {
    const task = await daemon.client.enqueue("test.block", trace.input("block", { ms: 2500 }));
    const ended = await untilEnded(daemon, task.id);
    expect(ended).toMatchObject({ status: "completed", attempts: 1 });
    expect(trace.starts("block")).toBe(1);
    await until(async () => (await broker.messagesOf(task.id)) === 0);
  });

  it("that a task kills three times running puts the task among the dead letters as poison and serves others", async () => {
    const { client } = daemon;
    await whenWorkersReady(daemon, 2);
    const task = await client.enqueue("test.moody", trace.input("moody", { deaths: 4 }));
    const ended = await untilEnded(daemon, task.id);
    expect(ended).toMatchObject({ status: "dead", deadReason: "poison", attempts: 3 });
    expect(ended.attemptHistory.map(({ outcome }) => outcome)).toEqual(["lost", "lost", "lost"]);
    expect(ended.attemptHistory[0]?.error?.message).toContain("exited with code 7");
    expect(trace.starts("moody")).toBe(3);
    const other = await client.enqueue("test.work", trace.input("bystander"));
    expect((await untilEnded(daemon, other.id)).status).toBe("completed");

    // By hand: it dies once more and is not poison at once, because the counting began anew.
    await client.retry(task.id, "its reason is gone");
    const again = await untilStatus(daemon, task.id, "completed");
    expect(trace.starts("moody")).toBe(5);
    expect(again.resultJson).toBe('{"attempt":2}');
    await whenWorkersReady(daemon, 2);
  });

  it("that is killed again and again costs no task and completes none twice", async () => {
    const items = Array.from({ length: 150 }, (_, i) => ({
      task: "test.work",
      input: trace.input(`chaos-${i}`, { ms: 30 }),
    }));
    const tasks = await daemon.client.enqueueMany(items);
    const ids = tasks.map((task) => ("error" in task ? expect.fail(task.error.message) : task.id));
    const chaosEnds = (): number =>
      trace.all().filter(({ what, label }) => what === "end" && label.startsWith("chaos-")).length;
    for (let kill = 0; kill < 4; kill++) {
      const before = chaosEnds();
      const [victim] = await until(
        () => readyWorkers(daemon),
        (workers) => workers.length > 0,
      );
      if (victim !== undefined) process.kill(victim.pid, "SIGKILL");
      await until(() => chaosEnds() >= Math.min(before + 15, 150));
    }
    for (const id of ids) expect((await untilEnded(daemon, id)).status).toBe("completed");
    const completions = await Promise.all(ids.map((id) => completionsOf(daemon, id)));
    expect(completions.every((count) => count === 1)).toBe(true);
    const { started } = trace;
    const extra = started().filter((label) => label.startsWith("chaos-")).length - 150;
    expect(extra).toBeLessThanOrEqual(4 * 4);
  });
});

describe("when nothing but the end of a process can tell", () => {
  let daemon: TestDaemon;

  beforeAll(async () => {
    // Neither missing heartbeats nor a closed connection ends a lease here.
    daemon = await startScenario(TWO_WORKERS, {
      set: { "lease.missedBeats": 100, "lease.graceMs": 600_000 },
    });
  });
  afterAll(() => daemon.close());

  it("a worker of the daemon that dies has its leases released at once", async () => {
    const task = await daemon.client.enqueue("test.gate", trace.gated("local", "local"));
    const holder = await holderOf(daemon, task.id);
    // Claimed is not started: a worker that is stopped in between leaves no trace of its own.
    await until(() => trace.starts("local") === 1);
    process.kill(holder.pid, "SIGKILL");
    await until(() => trace.starts("local") === 2);
    trace.open("local");
    const ended = await untilEnded(daemon, task.id);
    expect(ended.attemptHistory.map(({ outcome }) => outcome)).toEqual(["lost", "completed"]);
    expect(ended.attemptHistory[0]?.error?.message).toContain("SIGKILL");
  });
});

describe("a daemon that is killed", () => {
  it("leaves no process behind, and after its restart each of its tasks ends exactly once", async () => {
    let daemon = await startScenario({ a: { slots: 4 }, jammed: { queues: ["jam"], slots: 1 } });
    try {
      const { client } = daemon;
      const enqueue = async (label: string): Promise<string> =>
        (await client.enqueue("test.gate", trace.gated(label, "again"))).id;
      const running = await Promise.all(["r1", "r2", "r3", "r4"].map(enqueue));
      for (const id of running) await untilStatus(daemon, id, "running");
      const waiting = await Promise.all(["w1", "w2", "w3", "w4", "w5", "w6"].map(enqueue));
      const jam = await client.enqueue("test.jam", trace.input("jam", { ms: 30_000 }), {
        queue: "jam",
      });
      await until(() => trace.starts("jam") === 1);
      const processes = descendantsOf(daemon.child.pid ?? 0);
      expect(processes.length).toBeGreaterThanOrEqual(3);

      await daemon.kill();
      await until(() => processes.filter(isProcessAlive).length === 0);
      trace.open("again");
      daemon = await daemon.restart();

      for (const id of [...running, ...waiting]) {
        const { status } = await untilEnded(daemon, id);
        expect(status).toBe("completed");
        expect(await completionsOf(daemon, id)).toBe(1);
      }
      for (const id of running) {
        const { attemptHistory } = await daemon.client.get(id);
        expect(attemptHistory.map(({ outcome }) => outcome)).toEqual(["lost", "completed"]);
      }
      for (const label of ["w1", "w2", "w3", "w4", "w5", "w6"]) expect(trace.starts(label)).toBe(1);
      const dead = await untilEnded(daemon, jam.id);
      expect(dead).toMatchObject({ status: "dead", deadReason: "worker-lost" });
    } finally {
      await daemon.close();
    }
  });
});
