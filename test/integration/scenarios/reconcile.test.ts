import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JournalRecord } from "../../../shared/task.ts";
import type { TestDaemon } from "../../support/daemon.ts";
import { effects } from "../../support/effects.ts";
import { type Injector, inject } from "../../support/inject.ts";
import {
  readyWorkers,
  startScenario,
  untilEnded,
  untilNoted,
  untilStatus,
} from "../../support/scenario.ts";
import { until } from "../../support/until.ts";

/** A queue that no worker serves, so that its tasks stay as they are. */
const IDLE = "idle";

describe("the reconciler", () => {
  const trace = effects();
  let daemon: TestDaemon;
  let broker: Injector;

  beforeAll(async () => {
    daemon = await startScenario(
      { a: { queues: ["test"], slots: 4 } },
      { set: { reconcileMs: 300 } },
    );
    broker = await inject(daemon);
  });
  afterAll(async () => {
    await broker.close();
    await daemon.close();
    trace.remove();
  });

  it("publishes the message of a waiting task again when it is missing", async () => {
    const { names, wire } = broker;
    const { id } = await daemon.client.enqueue("test.work", trace.input("missing"), {
      queue: IDLE,
      priority: 7,
    });
    const message = await wire.last(names.stream.tasks, names.task(7, IDLE, id));
    expect(await wire.remove(names.stream.tasks, message?.seq ?? 0)).toBe(true);
    const note = await untilNoted(daemon, id, "repaired");
    expect(note).toMatchObject({ by: "msgsys", detail: { repair: "published again" } });
    const copy = await wire.last(names.stream.tasks, names.task(7, IDLE, id));
    expect(JSON.parse(new TextDecoder().decode(copy?.data))).toEqual(trace.input("missing"));
  });

  it("parks a scheduled task again when its message is missing, for the same instant", async () => {
    const { names, wire } = broker;
    const runAt = Date.now() + 3_600_000;
    const { id } = await daemon.client.enqueue("test.work", trace.input("unparked"), { runAt });
    await wire.purge(names.stream.due, names.due("test", id));
    const note = await untilNoted(daemon, id, "repaired");
    expect(note.detail).toMatchObject({ repair: "parked again" });
    const parked = await wire.last(names.stream.due, names.due("test", id));
    expect(parked?.headers.get("Ms-Due")).toBe(String(runAt));
  });

  it("ends the lease of a running task whose worker is not there, and the task runs again", async () => {
    const { id } = await daemon.client.enqueue("test.work", trace.input("orphan"), {
      delayMs: 3_600_000,
    });
    const entry = await broker.journal.read("test", id);
    const record: JournalRecord = {
      s: "running",
      g: 1,
      a: 1,
      l: 5,
      t: Date.now(),
      n: "test.work",
      x: 4,
      w: "nobody",
    };
    await broker.journal.append("test", id, record, entry?.seq ?? 0);
    const ended = await untilEnded(daemon, id);
    expect(ended).toMatchObject({ status: "completed", attempts: 2 });
    expect(ended.attemptHistory.map(({ outcome }) => outcome)).toEqual(["lost", "completed"]);
    expect(trace.starts("orphan")).toBe(1);
    expect((await untilNoted(daemon, id, "repaired")).detail).toMatchObject({
      repair: "lease ended",
    });
  });

  it("writes down a waiting message that the audit has no task for", async () => {
    const id = "without-a-row";
    const data = JSON.stringify(trace.input("rowless"));
    await broker.putTask({ id, name: "test.work", queue: IDLE, level: 6, data });
    const note = await untilNoted(daemon, id, "repaired");
    expect(note.detail).toMatchObject({ repair: "row written" });
    const { tasks } = await daemon.client.list({ where: { queue: IDLE, level: 6 } });
    expect(tasks).toMatchObject([{ id, name: "test.work", status: "waiting", priority: 6 }]);
    await daemon.client.cancel(id);
    await untilStatus(daemon, id, "cancelled");
    expect(await broker.messagesOf(id)).toBe(0);
  });

  it("leaves a task alone whose message is where it should be", async () => {
    const { id } = await daemon.client.enqueue("test.work", trace.input("fine"), { queue: IDLE });
    // Young tasks are left alone in any case: it must be old enough to be looked at.
    await until(
      () => daemon.client.request("reconcile", {}),
      ({ checked }) => checked > 0,
    );
    const before = await broker.lastSeq(broker.names.stream.tasks);
    await daemon.client.request("reconcile", {});
    expect(await broker.lastSeq(broker.names.stream.tasks)).toBe(before);
    expect(await broker.messagesOf(id)).toBe(1);
  });

  it("is not needed where a worker's claim was stored but never answered: the worker begins it", async () => {
    const [worker] = await readyWorkers(daemon);
    const id = "claim-without-answer";
    const record: JournalRecord = {
      s: "running",
      g: 1,
      a: 1,
      l: 5,
      t: Date.now(),
      n: "test.work",
      x: 4,
      w: worker?.id ?? "",
    };
    await broker.journal.append("test", id, record, 0);
    await broker.putTask({ id, name: "test.work", data: JSON.stringify(trace.input("answer")) });
    const ended = await until(
      () => daemon.client.get(id),
      ({ status }) => status === "completed",
    );
    expect(ended.attempts).toBe(1);
    expect(trace.starts("answer")).toBe(1);
  });
});
