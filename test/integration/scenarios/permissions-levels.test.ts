import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ConnectedClient } from "../../../daemon/sdk.ts";
import type { BulkOutcome, Reply, Verb } from "../../../shared/control.ts";
import type { WireError } from "../../../shared/errors.ts";
import type { Role } from "../../../shared/roles.ts";
import { cliHere } from "../../support/cli.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { addPeople, type People } from "../../support/people.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;
let people: People;
let count = 0;
const as = (role: Role): ConnectedClient => people.clients[role];
const newId = (): string => `levels-${++count}`;

/** Tasks of the queue `held` are served by nobody: they wait for as long as a test needs. */
beforeAll(async () => {
  daemon = await startDaemon({
    set: { "workers.pools": '{"only":{"queues":["test"],"slots":2}}', "lease.heartbeatMs": 500 },
  });
  people = await addPeople(daemon.dataDir);
  await as("Admin").request("declare", {
    definitions: [
      { name: "held.usual", queue: "held" },
      { name: "held.urgent", queue: "held", priority: 9 },
    ],
  });
});

afterAll(async () => {
  await people?.close();
  await daemon?.close();
});

/** A waiting task at this level, enqueued by an Admin. */
async function waiting(level: number, id = newId()): Promise<string> {
  await as("Admin").enqueue("held.usual", {}, { id, priority: level });
  await until(
    () => as("Admin").get(id),
    ({ priority }) => priority === level,
  );
  return id;
}

/** A dead task at this level. */
async function dead(level: number): Promise<string> {
  const id = newId();
  const file = join(daemon.dataDir, "trace");
  await as("Admin").enqueue("test.fail", { file, kind: "final" }, { id, priority: level });
  await until(
    () => as("Admin").get(id),
    ({ status }) => status === "dead",
  );
  return id;
}

const levelOf = async (id: string): Promise<number> => (await as("Admin").get(id)).priority;

/** A request as any NATS client could send it: the subject's level is the caller's choice. */
async function raw(role: Role, verb: Verb, level: number, body: object): Promise<Reply<unknown>> {
  const { nc, names, user } = as(role);
  const answer = await nc.request(names.api(user, verb, level), JSON.stringify(body), {
    timeout: 30_000,
  });
  return answer.json();
}

/** The error of a reply, of its only item, or of its only refused task. */
function errorOf(reply: Reply<unknown>): WireError | undefined {
  if (!reply.ok) return reply.error;
  const value = reply.value as { outcomes?: { error?: WireError }[] } & Partial<BulkOutcome>;
  return value.outcomes?.[0]?.error ?? value.refused?.[0]?.error;
}

describe("an Operator gets no task above 8", () => {
  const input = "{}";
  const urgent = { name: "held.urgent", input };
  const usual = { name: "held.usual", input };

  test.each([
    ["a level in the request", 8, { items: [{ ...usual, priority: 9 }] }],
    [
      "a level below that of the subject's, for a Critical",
      0,
      { items: [{ ...usual, priority: 10 }] },
    ],
    ["a definition whose own level is 9", 8, { items: [urgent] }],
    ["one among others", 5, { items: [{ ...usual, priority: 10 }, usual] }],
  ])("by enqueueing with %s", async (_, level, body) => {
    expect(errorOf(await raw("Operator", "enqueue", level, body))).toMatchObject({
      code: "not-permitted",
    });
  });

  test("by parts of a task that only the daemon sets", async () => {
    const id = newId();
    const run = { id: "r", pipeline: "cls_all", phases: ["sync"], phase: "sync", params: {} };
    const item = { ...usual, id, level: 10, headers: { "Ms-Level": "10" }, run, status: "running" };
    await raw("Operator", "enqueue", 8, { items: [item], priority: 10 });
    expect(await as("Operator").get(id)).toMatchObject({ priority: 5, runId: null });
  });

  test("by its client or command line, whatever the definition says", async () => {
    await expect(as("Operator").enqueue("held.urgent", {})).rejects.toMatchObject({
      code: "not-permitted",
      exitCode: 5,
    });
    const flags = ["--data", daemon.dataDir, "--user", "ope"];
    expect((await cliHere([...flags, "enqueue", "held.urgent"])).code).toBe(5);
    expect((await cliHere([...flags, "enqueue", "held.usual", "--priority", "9"])).code).toBe(5);
  });

  test("with its refused Critical taking nobody's Normal along", async () => {
    const [fine, refused] = await as("Operator").enqueueMany([
      { task: "held.usual", input: {} },
      { task: "held.usual", input: {}, priority: 10 },
    ]);
    expect(fine).toMatchObject({ priority: 5 });
    expect(refused).toMatchObject({ error: { code: "not-permitted" } });
  });

  test("by a run, and the refused run is not there", async () => {
    const params = { root: daemon.dataDir };
    const body = { pipeline: "cls_all", phases: ["sync"], params, priority: 9, runId: "too-high" };
    expect(errorOf(await raw("Operator", "run", 8, body))).toMatchObject({ code: "not-permitted" });
    await expect(as("Operator").getRun("too-high")).rejects.toMatchObject({
      code: "run-not-found",
    });
  });

  test("by changing the level of one task, of many, or of all that match", async () => {
    const ids = [await waiting(5), await waiting(5)];
    const reason = "hurry";
    for (const target of [
      { ids: ids.slice(0, 1) },
      { ids },
      { where: { queue: "held", level: 5 } },
    ])
      expect(
        errorOf(await raw("Operator", "escalate", 8, { ...target, to: 9, reason })),
      ).toMatchObject({ code: "not-permitted" });
    expect(await Promise.all(ids.map(levelOf))).toEqual([5, 5]);
  });

  test("by taking back the lowering of another", async () => {
    const id = await waiting(9);
    await as("Manager").lower(id, 3, "not so urgent");
    await until(
      () => as("Admin").get(id),
      ({ priorityHistory }) => priorityHistory.length > 0,
    );
    for (const level of [3, 8])
      expect(
        errorOf(await raw("Operator", "undo", level, { id, reason: "as before" })),
      ).toMatchObject({ code: "not-permitted" });
    await expect(as("Operator").undo(id, "as before")).rejects.toMatchObject({
      code: "not-permitted",
    });
    expect(await levelOf(id)).toBe(3);
    await as("Manager").undo(id, "as before");
    expect(await levelOf(id)).toBe(9);
  });

  test("by letting one of 9 run again, singly, edited, or among others", async () => {
    const high = await dead(9);
    const low = await dead(5);
    for (const [verb, body] of [
      ["retry", { id: high }],
      ["redrive", { ids: [high] }],
      ["redrive", { ids: [high], input: JSON.stringify({ file: "x" }) }],
      ["redrive", { ids: [low], priority: 9 }],
      ["redrive", { where: { minLevel: 9 } }],
    ] as const)
      expect(errorOf(await raw("Operator", verb, 8, body)), verb).toMatchObject({
        code: "not-permitted",
      });
    await expect(as("Operator").redrive(high)).rejects.toMatchObject({ code: "not-permitted" });
    expect((await as("Operator").get(high)).status).toBe("dead");
    const outcome = await as("Operator").redrive({ ids: [high, low] }, { priority: 8 });
    expect(outcome).toMatchObject({ matched: 2, applied: 2 });
  });

  test("by letting a delayed one of 9 run now", async () => {
    const id = newId();
    await as("Manager").enqueue("held.usual", {}, { id, priority: 9, delayMs: 600_000 });
    expect(errorOf(await raw("Operator", "retry", 8, { id }))).toMatchObject({
      code: "not-permitted",
    });
    expect((await as("Operator").get(id)).status).toBe("scheduled");
  });

  test("by another's name, a misshapen level, or past the control API", async () => {
    const { nc, names } = as("Operator");
    const body = JSON.stringify({ items: [{ ...usual, id: "forged", priority: 10 }] });
    for (const subject of [
      names.api("adm", "enqueue", 10),
      names.api("worker", "enqueue", 10),
      names.api("ope", "enqueue", 10),
      names.api("ope", "enqueue", 11),
      `${names.api("ope", "enqueue", 8)}.10`,
      "ms.api.v1.ope.enqueue.08",
      "ms.api.v1.ope.enqueue.8e0",
      names.task(10, "held", "forged"),
      names.state("held", "forged"),
      names.due("held", "forged"),
      names.dead("held", "forged"),
      names.event("task.progress.forged"),
      "ms.bell.10.held.forged",
      "events.cls.sync.completed",
      "$JS.API.STREAM.MSG.GET.MS_TASKS",
      "$JS.API.STREAM.MSG.DELETE.MS_TASKS",
      "$JS.API.STREAM.UPDATE.MS_TASKS",
      "$JS.API.CONSUMER.CREATE.MS_TASKS.mine",
      "$JS.API.DIRECT.GET.MS_STATE",
      "$KV.ms_results.forged",
    ])
      await expect(nc.request(subject, body, { timeout: 30_000 }), subject).rejects.toThrow(
        /Permissions Violation/,
      );
    await expect(as("Admin").get("forged")).rejects.toMatchObject({ code: "task-not-found" });
  });
});

describe("lowering needs the right to set the level that the task has", () => {
  test.each([
    ["Operator", 9, "not-permitted"],
    ["Operator", 10, "not-permitted"],
    ["Manager", 10, "not-permitted"],
    ["Operator", 8, null],
    ["Manager", 9, null],
    ["Admin", 10, null],
  ] as const)("a %s and a task of %i: %s", async (role, level, code) => {
    const id = await waiting(level);
    const body = { ids: [id], to: 2, reason: "can wait" };
    const within = Math.min(level, { Operator: 8, Manager: 9, Admin: 10 }[role]);
    const error = errorOf(await raw(role, "escalate", within, body));
    expect(error?.code ?? null).toBe(code);
    expect(await levelOf(id)).toBe(code === null ? 2 : level);
    if (code === null) return;
    await expect(as(role).lower(id, 2, "can wait")).rejects.toMatchObject({ code });
  });

  test("of many, each counts by itself and the refused ones are audited", async () => {
    const [low, high] = [await waiting(7), await waiting(10)];
    const outcome = await as("Operator").lower({ ids: [low, high] }, 1, "night work");
    expect(outcome).toMatchObject({
      applied: 1,
      refusedCount: 1,
      refused: [{ id: high, error: { code: "not-permitted" } }],
    });
    const { rows } = await until(
      () => as("Viewer").request("audit_query", { query: "refusals" }),
      (answer) => answer.rows.some((row) => row.includes(high)),
    );
    expect(rows.find((row) => row.includes(high))).toEqual(
      expect.arrayContaining(["ope", "Operator", "escalate"]),
    );
  });
});

describe("each higher role sets its own level", () => {
  test("a Manager 9 and not 10, an Admin 10", async () => {
    const id = await waiting(5);
    await as("Manager").escalate(id, 9, "customer waits");
    await expect(as("Manager").escalate(id, 10, "more")).rejects.toMatchObject({
      code: "not-permitted",
    });
    expect(await levelOf(id)).toBe(9);
    await as("Admin").escalate(id, 10, "all hands");
    expect(await levelOf(id)).toBe(10);
    const task = await until(
      () => as("Viewer").get(id),
      ({ priorityHistory }) => priorityHistory.length === 2,
    );
    expect(task.priorityHistory).toMatchObject([
      { by: "man", role: "Manager", from: 5, to: 9, reason: "customer waits" },
      { by: "adm", role: "Admin", from: 9, to: 10, reason: "all hands" },
    ]);
  });

  test("and enqueues at it, also by the definition's own level", async () => {
    expect(await as("Manager").enqueue("held.urgent", {})).toMatchObject({ priority: 9 });
    expect(await as("Admin").enqueue("held.usual", {}, { priority: 10 })).toMatchObject({
      priority: 10,
    });
  });

  test("what a Manager asked for with too low a subject is no refusal in the audit", async () => {
    await as("Manager").enqueue("held.urgent", {});
    const { rows } = await as("Viewer").request("audit_query", { query: "refusals" });
    expect(rows.filter((row) => row.includes("man") && row.includes("enqueue"))).toEqual([]);
  });
});

describe("cancelling", () => {
  let own: string;
  let foreign: string;

  beforeEach(async () => {
    own = newId();
    foreign = await waiting(5);
    await as("Operator").enqueue("held.usual", {}, { id: own });
    await until(() => as("Viewer").get(own));
  });

  test("an Operator cancels tasks of their own only", async () => {
    await expect(as("Operator").cancel(foreign)).rejects.toMatchObject({ code: "not-permitted" });
    const outcome = await as("Operator").cancel({ ids: [own, foreign] });
    expect(outcome).toMatchObject({ applied: 1, refused: [{ id: foreign }] });
    expect((await as("Viewer").get(own)).status).toBe("cancelled");
    expect((await as("Viewer").get(foreign)).status).toBe("waiting");
  });

  test("a Manager cancels anybody's", async () => {
    expect(await as("Manager").cancel({ ids: [own, foreign] })).toMatchObject({ applied: 2 });
  });

  test("a run of another's is refused as a whole and nothing says that it was cancelled", async () => {
    const runId = newId();
    await as("Manager").run("cls_all", {
      runId,
      phases: ["sync"],
      params: { root: daemon.dataDir },
    });
    await expect(as("Operator").cancelRun(runId)).rejects.toMatchObject({ code: "not-permitted" });
    expect((await as("Viewer").getRun(runId)).status).toBe("running");
    await as("Manager").cancelRun(runId);
    expect((await as("Viewer").waitRun(runId)).status).toBe("cancelled");
  });
});

test("after all of it no change to 9 or 10 bears an Operator's name, and no task of theirs stands there", async () => {
  const { columns, rows } = await as("Viewer").request("audit_query", { query: "priority" });
  const at = (name: string): number => columns.indexOf(name);
  const above = rows.filter(
    (row) =>
      row[at("by")] === "ope" &&
      Math.max(Number(row[at("to_level")]), Number(row[at("from_level")])) > 8,
  );
  expect(above).toEqual([]);
  expect((await as("Viewer").list({ where: { by: "ope", minLevel: 9 } })).tasks).toEqual([]);
});
