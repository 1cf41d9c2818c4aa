import { describe, expect, test } from "vitest";
import { createClient, type FollowEvent } from "../../../../shared/bus/client.ts";
import { AppError } from "../../../../shared/errors.ts";
import { until } from "../../../support/until.ts";
import { createFakeBus, type FakeBus, names, natsError, type SeenRequest } from "./fake-bus.ts";

const clientOf = (fake: FakeBus): ReturnType<typeof createClient> =>
  createClient({ nc: fake.bus, user: "ann", names, where: "/data", newId: () => "new" });

const failure = (error: unknown): unknown =>
  error instanceof AppError ? { code: error.code, message: error.message } : error;

const running = { status: "running", resultJson: null, error: null };
const record = (s: string, more: object = {}): object => ({ s, g: 1, a: 1, l: 5, t: 0, ...more });

describe("requests", () => {
  test.each([
    ["NoResponders", "daemon-not-running", "No daemon runs on /data."],
    [
      "TimeoutError",
      "broker-unavailable",
      "The broker does not answer: status had no answer within 5000 ms",
    ],
    ["ClosedConnectionError", "connection-lost", "The connection to 127.0.0.1:4222 was lost."],
  ])("%s becomes %s", async (name, code, message) => {
    const fake = createFakeBus(() => {
      throw new Error("request failed", { cause: natsError(name) });
    });
    expect(await clientOf(fake).status().catch(failure)).toEqual({ code, message });
  });

  test("a refusal of the broker names the user, the role, the act and the role it needs", async () => {
    const fake = createFakeBus((request) => {
      if (request.verb === "whoami") return { user: "ann", role: "Viewer" };
      throw natsError("PermissionViolationError");
    });
    const refused = await clientOf(fake)
      .request("user_list", {})
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: "not-permitted",
      message: "ann (Viewer) may not use user list.",
      details: { needs: "Admin" },
    });
  });

  test("a refusal of the daemon keeps its words", async () => {
    const fake = createFakeBus(() => ({
      refusal: { code: "task-not-found", message: "There is no task x.", hint: "h", details: {} },
    }));
    expect(await clientOf(fake).get("x").catch(failure)).toEqual({
      code: "task-not-found",
      message: "There is no task x.",
    });
  });
});

describe("waiting for a result", () => {
  test("listens before it asks, and the fact that ends the task resolves", async () => {
    const fake: FakeBus = createFakeBus(() => {
      expect(fake.openSubscriptions()).toBe(1);
      return running;
    });
    const waiting = clientOf(fake).waitResult("t1");
    await until(() => fake.seen.length === 1);
    fake.tell("ms.fact.etl.t1", record("running"));
    fake.tell("ms.fact.etl.t1", record("completed", { r: { rows: 3 } }));
    expect(await waiting).toEqual({ rows: 3 });
    expect(fake.openSubscriptions()).toBe(0);
  });

  test("a task that had ended before is answered by the daemon", async () => {
    const fake = createFakeBus(() => ({ status: "completed", resultJson: "[1]", error: null }));
    expect(await clientOf(fake).waitResult("t1")).toEqual([1]);
  });

  test("a result by reference is fetched from the daemon", async () => {
    let ended = false;
    const fake = createFakeBus(() =>
      ended ? { status: "completed", resultJson: '"big"', error: null } : running,
    );
    const waiting = clientOf(fake).waitResult("t1");
    await until(() => fake.seen.length === 1);
    ended = true;
    fake.tell("ms.fact.etl.t1", record("completed", { rr: 400_000 }));
    expect(await waiting).toBe("big");
  });

  test("a dead task rejects with the error of its last attempt", async () => {
    const fake = createFakeBus(() => running);
    const waiting = clientOf(fake).waitResult("t1").catch(failure);
    await until(() => fake.seen.length === 1);
    fake.tell(
      "ms.fact.etl.t1",
      record("dead", { e: { code: "handler-failed", message: "no table" } }),
    );
    expect(await waiting).toEqual({ code: "handler-failed", message: "no table" });
  });

  test("a cancelled task rejects", async () => {
    const fake = createFakeBus(() => ({ status: "cancelled", resultJson: null, error: null }));
    expect(await clientOf(fake).waitResult("t1").catch(failure)).toMatchObject({
      code: "task-cancelled",
    });
  });

  test("waiting longer than allowed rejects and stops listening", async () => {
    const fake = createFakeBus(() => running);
    expect(await clientOf(fake).waitResult("t1", { timeoutMs: 5 }).catch(failure)).toMatchObject({
      code: "wait-timed-out",
    });
    expect(fake.openSubscriptions()).toBe(0);
  });

  test("an end that was told while the connection was away is found after the reconnect", async () => {
    let away = false;
    const fake = createFakeBus(() =>
      away ? { status: "completed", resultJson: "7", error: null } : running,
    );
    const waiting = clientOf(fake).waitResult("t1");
    await until(() => fake.seen.length === 1);
    away = true;
    fake.reconnect();
    expect(await waiting).toBe(7);
  });

  test("a daemon that is not there at the first question rejects", async () => {
    const fake = createFakeBus(() => {
      throw natsError("NoResponders");
    });
    expect(await clientOf(fake).waitResult("t1").catch(failure)).toMatchObject({
      code: "daemon-not-running",
    });
  });
});

describe("acts that set a level", () => {
  const outcome = { matched: 1, applied: 1, refused: [], refusedCount: 0, dryRun: false };
  const taskOf = (priority: number, froms: number[] = []): object => ({
    id: "t1",
    priority,
    priorityHistory: froms.map((from) => ({ from })),
  });
  const daemon =
    (priority: number, froms?: number[]) =>
    (request: SeenRequest): unknown =>
      request.verb === "get" ? taskOf(priority, froms) : outcome;

  test("raising names the new level, lowering the level that the task has", async () => {
    const low = createFakeBus(daemon(5));
    await clientOf(low).escalate("t1", 9, "late");
    const high = createFakeBus(daemon(9));
    await clientOf(high).lower("t1", 2, "can wait");
    expect([low.seen.at(-1)?.subject, high.seen.at(-1)?.subject]).toEqual([
      "ms.api.v1.ann.escalate.9",
      "ms.api.v1.ann.escalate.9",
    ]);
    expect(high.seen.at(-1)?.body).toMatchObject({ ids: ["t1"], to: 2, reason: "can wait" });
  });

  test("lower refuses to raise", async () => {
    const fake = createFakeBus(daemon(3));
    expect(await clientOf(fake).lower("t1", 8, "x").catch(failure)).toMatchObject({
      code: "bad-usage",
    });
  });

  test("undo names the higher of the level it leaves and the level it goes back to", async () => {
    const fake = createFakeBus(daemon(4, [5, 9]));
    await clientOf(fake).undo("t1", "wrong");
    expect(fake.seen.at(-1)?.level).toBe(9);
  });

  test("the level that the daemon asks for is sent once more, and only once", async () => {
    const fake = createFakeBus((request) => {
      if (request.verb === "get") return taskOf(5);
      return { refusal: { code: "not-permitted", message: "m", hint: "h", details: { level: 9 } } };
    });
    const refused = await clientOf(fake).escalate("t1", 8, "x").catch(failure);
    expect(refused).toMatchObject({ code: "not-permitted" });
    expect(fake.seen.filter(({ verb }) => verb === "escalate").map(({ level }) => level)).toEqual([
      8, 9,
    ]);
  });

  test("many tasks by filter are one request", async () => {
    const fake = createFakeBus(daemon(5));
    await clientOf(fake).escalate({ where: { queue: "etl" } }, 8, "x", { dryRun: true });
    expect(fake.seen.map(({ verb, body }) => [verb, body])).toEqual([
      ["escalate", { where: { queue: "etl" }, to: 8, reason: "x", dryRun: true }],
    ]);
  });
});

test("waitRun tells progress of the phases and resolves with the ended run", async () => {
  let status = "running";
  const fake = createFakeBus(() => ({
    id: "r1",
    status,
    phases: [{ phase: "sync", taskId: "t1", status, result: null }],
  }));
  const told: unknown[] = [];
  const waiting = clientOf(fake).waitRun("r1", {
    onProgress: ({ phase, done, total }) => told.push([phase, done, total]),
  });
  await until(() => fake.openSubscriptions() === 2);
  fake.tell("ms.event.task.progress.t1", { done: 3, total: 9, what: "rows" });
  status = "completed";
  fake.tell("ms.fact.cls.t1", record("completed"));
  expect(await waiting).toMatchObject({ status: "completed" });
  expect(told).toEqual([["sync", 3, 9]]);
  expect(fake.openSubscriptions()).toBe(0);
});

test("following one run tells its tasks and nothing else", () => {
  const fake = createFakeBus(() => null);
  const events: FollowEvent[] = [];
  const following = clientOf(fake).follow({ runId: "r1" }, (event) => events.push(event));
  const run = { id: "r1", pipeline: "cls", phases: [], phase: "sync", params: {} };
  fake.tell("ms.fact.cls.t1", record("running", { run }));
  fake.tell("ms.fact.cls.t2", record("running"));
  // Most records name no run, but the tasks of its phases are called after it.
  for (const id of ["r1-sync", "r1-b-sync", "r12-sync"])
    fake.tell(`ms.fact.cls.${id}`, record("running"));
  fake.tell("events.cls.sync.completed", {});
  following.stop();
  fake.tell("ms.fact.cls.t1", record("completed", { run }));
  expect(events.map((event) => event.kind === "task" && event.taskId)).toEqual(["t1", "r1-sync"]);
});
