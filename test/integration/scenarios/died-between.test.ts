import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TaskDefinition } from "../../../daemon/define.ts";
import { encodeHeaders, type Wire } from "../../../daemon/nats/wire.ts";
import type { MoveDeps } from "../../../daemon/queue/move.ts";
import { releaseLeases } from "../../../daemon/queue/release-leases.ts";
import type { TaskMessage } from "../../../daemon/queue/task-message.ts";
import { createExecution } from "../../../daemon/worker/execution.ts";
import { retryAfter } from "../../../daemon/worker/park.ts";
import { HEADER } from "../../../shared/subjects.ts";
import type { JournalRecord } from "../../../shared/task.ts";
import type { TestDaemon } from "../../support/daemon.ts";
import { effects } from "../../support/effects.ts";
import { type Injector, inject } from "../../support/inject.ts";
import {
  completionsOf,
  holderOf,
  startScenario,
  untilEnded,
  untilNoted,
  untilStatus,
  whenWorkersReady,
} from "../../support/scenario.ts";
import { until } from "../../support/until.ts";

const trace = effects();
afterAll(() => trace.remove());

/** A queue that no worker serves, so that its tasks stay as they are. */
const IDLE = "idle";
const FAR_MS = 3_600_000;

let daemon: TestDaemon;
let broker: Injector;

beforeAll(async () => {
  daemon = await startScenario(
    { a: { queues: ["test"], slots: 1 } },
    { set: { reconcileMs: 300 } },
  );
  broker = await inject(daemon);
});
afterAll(async () => {
  await broker.close();
  await daemon.close();
});

function aRecord(s: JournalRecord["s"], change: Partial<JournalRecord> = {}): JournalRecord {
  return { s, g: 1, a: 1, l: 5, t: Date.now(), n: "test.work", x: 4, w: "gone", ...change };
}

/** Appends these records one after the other; answers the sequences. */
async function history(queue: string, id: string, ...records: JournalRecord[]): Promise<number[]> {
  const seqs = [0];
  for (const record of records) {
    const appended = await broker.journal.append(queue, id, record, seqs.at(-1)!);
    if (appended.kind === "lost") throw new Error(`a record of ${id} was there already`);
    seqs.push(appended.seq);
  }
  return seqs.slice(1);
}

/** The copy that a mover published before it died. */
async function strayCopy(task: {
  id: string;
  generation: number;
  level: number;
  label: string;
  queue?: string;
}): Promise<void> {
  const headers = encodeHeaders([
    [HEADER.msgId, `${task.id}:${task.generation}`],
    [HEADER.generation, String(task.generation)],
    [HEADER.name, "test.work"],
  ]);
  const subject = broker.names.task(task.level, task.queue ?? "test", task.id);
  await broker.wire.publish(subject, JSON.stringify(trace.input(task.label)), headers);
}

async function park(queue: string, id: string, generation: number, due: number): Promise<void> {
  const headers = encodeHeaders([
    [HEADER.name, "test.work"],
    [HEADER.generation, String(generation)],
    [HEADER.due, String(due)],
    [HEADER.level, "5"],
  ]);
  const data = JSON.stringify(trace.input(id));
  await broker.wire.publish(broker.names.due(queue, id), data, headers);
}

const parkedOf = (queue: string, id: string) =>
  broker.wire.last(broker.names.stream.due, broker.names.due(queue, id));
const letterOf = (queue: string, id: string) =>
  broker.wire.last(broker.names.stream.dead, broker.names.dead(queue, id));
const untilNoMessage = (id: string) => until(async () => (await broker.messagesOf(id)) === 0);

/** While `act` goes on the only slot is taken, so that what it puts on the broker lies there together. */
async function whileBusy(gate: string, act: () => Promise<void>): Promise<void> {
  const busy = await daemon.client.enqueue("test.gate", trace.gated(gate, gate), { priority: 7 });
  await until(() => trace.starts(gate) === 1);
  try {
    await act();
  } finally {
    trace.open(gate);
  }
  await untilEnded(daemon, busy.id);
}

describe("a worker that dies", () => {
  it("after its last record and before the acknowledgement leaves a message that is dropped", async () => {
    const id = "not-acknowledged";
    await history("test", id, aRecord("running"), aRecord("completed", { r: null }));
    await broker.putTask({ id, name: "test.work", data: JSON.stringify(trace.input(id)) });
    await untilNoMessage(id);
    expect(trace.starts(id)).toBe(0);
  });

  it("after the dead record and before the dead letter has it published by whoever gets the message, once", async () => {
    const id = "no-letter";
    const e = { code: "handler-failed", message: "it cannot be" };
    await history("test", id, aRecord("dead", { dead: "non-retryable", e }));
    const data = JSON.stringify(trace.input(id));
    await broker.putTask({ id, name: "test.work", data });
    await untilNoMessage(id);
    const letter = await letterOf("test", id);
    expect(new TextDecoder().decode(letter?.data)).toBe(data);
    expect(letter?.headers.get(HEADER.dead)).toContain("it cannot be");
    await broker.putTask({ id, name: "test.work", data });
    await untilNoMessage(id);
    expect((await letterOf("test", id))?.seq).toBe(letter?.seq);
    expect(trace.starts(id)).toBe(0);
  });

  it("after it parked the input and before the record leaves a parked copy that is overtaken and goes", async () => {
    const input = trace.gated("parked-first", "parked-first");
    const { id } = await daemon.client.enqueue("test.gate", input);
    const { pid } = await holderOf(daemon, id);
    await until(() => trace.starts("parked-first") === 1);
    await park("test", id, 2, Date.now());
    process.kill(pid, "SIGKILL");
    trace.open("parked-first");
    expect(await untilEnded(daemon, id)).toMatchObject({ status: "completed", attempts: 2 });
    await until(async () => (await parkedOf("test", id)) === null);
    await untilNoMessage(id);
    expect(trace.starts("parked-first")).toBe(2);
    expect(await completionsOf(daemon, id)).toBe(1);
    await whenWorkersReady(daemon, 1);
  });
});

describe("a parked copy that its journal never comes to", () => {
  it("goes after a while, and its task stays where it is", async () => {
    const { id } = await daemon.client.enqueue("test.work", trace.input("ahead"), { queue: IDLE });
    await daemon.client.escalate(id, 6, "for a record");
    const before = await broker.journal.read(IDLE, id);
    await park(IDLE, id, (before?.record.g ?? 1) + 1, Date.now());
    await until(async () => (await parkedOf(IDLE, id)) === null);
    expect(await broker.journal.read(IDLE, id)).toEqual(before);
    await until(async () => (await broker.messagesOf(id)) === 1);
  });
});

describe("a mover that dies after its copy and before its journal", () => {
  it.each([
    ["above", 9],
    ["below", 2],
  ])("leaves two copies, one %s the other: one of them runs", async (where, level) => {
    const label = `stray-${where}`;
    let id = "";
    await whileBusy(`${label}-busy`, async () => {
      ({ id } = await daemon.client.enqueue("test.work", trace.input(label)));
      await strayCopy({ id, generation: 2, level, label });
    });
    expect((await untilEnded(daemon, id)).status).toBe("completed");
    await untilNoMessage(id);
    expect(trace.starts(label)).toBe(1);
    expect(await completionsOf(daemon, id)).toBe(1);
  });

  it("does not keep the next one from moving the task: its copy is of a later generation", async () => {
    const label = "moved-again";
    const { id } = await daemon.client.enqueue("test.work", trace.input(label), { queue: IDLE });
    await strayCopy({ id, generation: 2, level: 9, label, queue: IDLE });
    await daemon.client.escalate(id, 9, "the first one died");
    const { record } = (await broker.journal.read(IDLE, id)) ?? {};
    expect(record).toMatchObject({ s: "waiting", g: 3, l: 9 });
    const { names, wire } = broker;
    const copy = await wire.at(names.stream.tasks, record?.m ?? 0);
    expect(copy?.headers.get(HEADER.generation)).toBe("3");
    await until(
      async () => (await wire.last(names.stream.tasks, names.task(5, IDLE, id))) === null,
    );
  });

  it("leaves a dead task dead, and the next redrive brings it back", async () => {
    const input = trace.input("half-redriven", { kind: "final", times: 1 });
    const { id } = await daemon.client.enqueue("test.fail", input);
    await untilStatus(daemon, id, "dead");
    await strayCopy({ id, generation: 2, level: 5, label: "half-redriven" });
    await untilNoMessage(id);
    expect(trace.starts("half-redriven")).toBe(1);
    await daemon.client.redrive(id, { inputJson: JSON.stringify({ ...input, times: 0 }) });
    await untilStatus(daemon, id, "completed");
    expect((await broker.journal.read("test", id))?.record.g).toBe(3);
    expect(trace.starts("half-redriven")).toBe(2);
  });
});

describe("a copy that is delivered before its mover has written the journal", () => {
  it("of a dead task waits for the record and runs", async () => {
    const input = trace.input("overtaking", { kind: "final", times: 1 });
    const { id } = await daemon.client.enqueue("test.fail", input);
    await untilStatus(daemon, id, "dead");
    const dead = await broker.journal.read("test", id);
    await strayCopy({ id, generation: 2, level: 5, label: "overtaking" });
    // It was looked at and given back: the second look comes by itself.
    const consumer = broker.names.consumer("test", 5);
    await until(async () => {
      const info = await broker.wire.api<{ num_redelivered: number; num_ack_pending: number }>(
        `$JS.API.CONSUMER.INFO.${broker.names.stream.tasks}.${consumer}`,
        undefined,
      );
      return info.num_redelivered + info.num_ack_pending > 0;
    });
    const waiting = aRecord("waiting", { g: 2, a: 0, act: "redrive" });
    await broker.journal.append("test", id, waiting, dead?.seq ?? 0);
    await untilStatus(daemon, id, "completed");
    expect(trace.starts("overtaking")).toBe(2);
  });
});

describe("a message that the broker has twice", () => {
  it("runs once, although one worker has both in hand", async () => {
    const id = "twice";
    const data = JSON.stringify(trace.input(id));
    await whileBusy("twice-busy", async () => {
      await broker.putTask({ id, name: "test.work", data, level: 5 });
      await broker.putTask({ id, name: "test.work", data, level: 6 });
    });
    await untilNoMessage(id);
    expect(trace.starts(id)).toBe(1);
    expect(await completionsOf(daemon, id)).toBe(1);
  });

  it("among the parked ones goes when its task has moved on", async () => {
    const { id } = await daemon.client.enqueue("test.work", trace.input("unparked"));
    await untilEnded(daemon, id);
    await park("test", id, 1, Date.now());
    await until(async () => (await parkedOf("test", id)) === null);
    await untilNoMessage(id);
    expect(trace.starts("unparked")).toBe(1);
  });

  it("among the dead letters goes when its task lives", async () => {
    const { id } = await daemon.client.enqueue("test.work", trace.input("alive"), { queue: IDLE });
    await broker.wire.publish(broker.names.dead(IDLE, id), "{}");
    const note = await untilNoted(daemon, id, "repaired");
    expect(note.detail).toMatchObject({ repair: "stray dead letter removed" });
    expect(await letterOf(IDLE, id)).toBeNull();
  });
});

describe("a worker that wakes too late and fails", () => {
  /** Its view: it holds generation 1 by the record `claimSeq`. Answers what became of its failure. */
  async function failsLate(id: string, claimSeq: number, wire: Wire): Promise<string[]> {
    const told: string[] = [];
    const msg = { data: new TextEncoder().encode("{}") };
    const message = { id, queue: IDLE, level: 5, generation: 1, name: "test.work", msg };
    const execution = createExecution(
      message as unknown as TaskMessage,
      {} as TaskDefinition<never, unknown>,
      { seq: claimSeq, attempt: 1, maxAttempts: 4, earlierErrors: [], lostInARow: 0 },
    );
    const { journal, names } = broker;
    const deps = {
      wire,
      journal,
      names,
      workerId: "late",
      now: Date.now,
      random: Math.random,
      ack: () => told.push("ack"),
      leave: () => told.push("leave"),
      stale: (_execution: unknown, outcome: string) => told.push(`stale ${outcome}`),
      log: () => {},
    };
    await retryAfter(deps, execution, { code: "handler-failed", message: "late" }, FAR_MS);
    return told;
  }

  /** What its successor wrote: another failure, and the input parked as generation 3. */
  async function successor(id: string, claimSeq: number): Promise<void> {
    const due = Date.now() + FAR_MS;
    await park(IDLE, id, 3, due);
    let expected = claimSeq;
    for (const record of [
      aRecord("waiting", { g: 2, act: "lost" }),
      aRecord("running", { g: 2, a: 2 }),
      aRecord("retrying", { g: 3, a: 2, due }),
    ]) {
      const appended = await broker.journal.append(IDLE, id, record, expected);
      expected = appended.kind === "appended" ? appended.seq : expect.fail("overtaken");
    }
  }

  it("does not put its parked copy in the place of its successor's", async () => {
    const id = "late-park";
    const [claim = 0] = await history(IDLE, id, aRecord("running", { w: "late" }));
    await successor(id, claim);
    expect(await failsLate(id, claim, broker.wire)).toEqual(["stale retrying", "ack"]);
    expect((await parkedOf(IDLE, id))?.headers.get(HEADER.generation)).toBe("3");
  });

  it("does not even when the successor comes between its look and its write", async () => {
    const id = "late-park-between";
    const [claim = 0] = await history(IDLE, id, aRecord("running", { w: "late" }));
    let looks = 0;
    const wire: Wire = {
      ...broker.wire,
      async publish(subject, data, headers) {
        if (looks++ === 0) await successor(id, claim);
        return broker.wire.publish(subject, data, headers);
      },
    };
    expect(await failsLate(id, claim, wire)).toEqual(["stale retrying", "ack"]);
    expect((await parkedOf(IDLE, id))?.headers.get(HEADER.generation)).toBe("3");
    expect(looks).toBe(1);
  });
});

describe("a lease that is ended too late", () => {
  it("changes nothing when its task has ended meanwhile", async () => {
    const id = "ended-meanwhile";
    const data = JSON.stringify(trace.input(id));
    await broker.putTask({ id, name: "test.work", queue: IDLE, data });
    const running = aRecord("running");
    const [claim = 0] = await history(IDLE, id, running, aRecord("completed", { r: 1 }));
    const { wire, names, journal } = broker;
    const deps = {
      wire,
      names,
      journal,
      consumers: { ensure: () => Promise.resolve() },
      reader: () => ({ task: () => null }),
      now: Date.now,
      log: () => {},
    } as unknown as MoveDeps;
    const task = { id, queue: IDLE, worker: "gone", seq: claim, record: running };
    const told: string[] = [];
    const released = await releaseLeases(deps, [task], { why: "late", suspects: true }, () =>
      told.push(id),
    );
    expect(released).toEqual({ waiting: 0, dead: 0, moved: 1 });
    expect(told).toEqual([]);
    expect((await journal.read(IDLE, id))?.record.s).toBe("completed");
  });
});
