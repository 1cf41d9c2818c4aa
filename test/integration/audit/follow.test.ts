import { cpSync, renameSync, rmSync, statSync } from "node:fs";
import { expect, test } from "vitest";
import { names, startRig } from "../../support/audit-rig.ts";
import { aRow } from "../../support/audit-rows.ts";
import { until } from "../../support/until.ts";

test("a task's records become its row, its attempts and its timeline", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await audit.journalEnqueue([aRow("t1", { correlationId: "c1" })]);
  const st = 1_700_000_000_000;
  await rig.append("t1", { s: "running", w: "w1", st, t: st });
  const e = { code: "handler-failed", message: "no", stack: "at x" };
  await rig.append("t1", { s: "retrying", g: 2, w: "w1", st, du: 3, t: st + 3, due: st + 9, e });
  await rig.append("t1", { s: "waiting", g: 2, act: "due", t: st + 9 });
  await rig.append("t1", { s: "running", g: 2, a: 2, w: "w2", st: st + 10, t: st + 10 });
  const seq = await rig.append("t1", {
    s: "completed",
    g: 2,
    a: 2,
    w: "w2",
    st: st + 10,
    du: 7.5,
    t: st + 18,
    r: { rows: 3 },
  });
  await audit.written(seq);
  const reader = audit.reader();
  expect(reader.task("t1")).toMatchObject({
    name: "etl.load",
    status: "completed",
    attempts: 2,
    generation: 2,
    input: '{"file":"a.csv"}',
    result: '{"rows":3}',
    error: null,
    startedAt: st + 10,
    endedAt: st + 18,
    durationMs: 7.5,
    correlationId: "c1",
    lastSeq: seq,
  });
  expect(reader.attempts("t1")).toMatchObject([
    { attempt: 1, generation: 1, worker: "w1", durationMs: 3, outcome: "handler-failed", error: e },
    { attempt: 2, generation: 2, worker: "w2", durationMs: 7.5, outcome: "completed", error: null },
  ]);
  expect(reader.timeline("t1").map(({ kind }) => kind)).toEqual([
    "task.enqueued",
    "task.running",
    "task.retrying",
    "task.waiting",
    "task.running",
    "task.completed",
  ]);
  expect(reader.counts()).toMatchObject({ waiting: 0, running: 0, retrying: 0, completed: 1 });
  expect(reader.verify()).toMatchObject({ ok: true });
  expect(audit.lagRecords).toBe(0);
  reader.close();
});

test("the database can be read by its owner only", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await audit.journalEnqueue([aRow("t1")]);
  for (const end of ["", "-wal", "-shm"])
    expect(statSync(audit.file + end).mode & 0o777).toBe(0o600);
});

test("a task that was published without the daemon gets its row from its records", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await audit.written(await rig.live("direct"));
  const reader = audit.reader();
  expect(reader.task("direct")).toMatchObject({
    name: "etl.load",
    queue: "etl",
    status: "completed",
    input: null,
    maxAttempts: 4,
  });
  reader.close();
});

test("a record that comes before the enqueue's row is completed by it", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await audit.written(await rig.live("t1"));
  expect(await audit.journalEnqueue([aRow("t1", { key: "k1" })])).toEqual([{ kind: "journaled" }]);
  const reader = audit.reader();
  expect(reader.task("t1")).toMatchObject({ status: "completed", input: '{"file":"a.csv"}' });
  expect(reader.counts().completed).toBe(1);
  expect(reader.counts().waiting).toBe(0);
  reader.close();
});

test("the same id or key with the same input is a duplicate, with another input a conflict", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  const [first, again] = await Promise.all([
    audit.journalEnqueue([aRow("t1", { key: "k1" }), aRow("t2")]),
    audit.journalEnqueue([
      aRow("t1", { key: "k1" }),
      aRow("t9", { key: "k1" }),
      aRow("t2", { input: "{}" }),
      aRow("t3", { key: "k1", name: "etl.other" }),
      aRow("t4"),
    ]),
  ]);
  const duplicate = { kind: "duplicate", id: "t1", queue: "etl", level: 5, status: "waiting" };
  expect(first).toEqual([{ kind: "journaled" }, { kind: "journaled" }]);
  expect(again).toEqual([
    duplicate,
    duplicate,
    { kind: "conflict" },
    { kind: "conflict" },
    { kind: "journaled" },
  ]);
});

test("a withdrawn row is gone and its key is free", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await audit.journalEnqueue([aRow("t1", { key: "k1" })]);
  await audit.withdraw(["t1"]);
  const reader = audit.reader();
  expect(reader.task("t1")).toBeNull();
  expect(reader.counts().waiting).toBe(0);
  expect(await audit.journalEnqueue([aRow("t2", { key: "k1" })])).toEqual([{ kind: "journaled" }]);
  reader.close();
});

test("what runs is known by worker, also after a restart of the audit", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await rig.append("t1", { s: "running", w: "w1", m: 11, lost: 1 });
  const seq = await rig.append("t2", { s: "running", w: "w2", m: 12 });
  await audit.followed(seq);
  expect((await audit.running("w1")).map(({ id }) => id)).toEqual(["t1"]);
  await audit.written(seq);
  await audit.stop();
  const last = await rig.append("t2", { s: "completed", w: "w2" });
  const next = await rig.start();
  await next.followed(last);
  expect(await next.running()).toMatchObject([
    { id: "t1", queue: "etl", worker: "w1", seq: 1, record: { m: 11, lost: 1, s: "running" } },
  ]);
});

test("changes of priority are listed with who, why and when, also those without a record", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await audit.journalEnqueue([aRow("t1")]);
  const seq = await rig.append("t1", {
    s: "waiting",
    g: 2,
    a: 0,
    l: 9,
    from: 5,
    act: "urgent",
    by: "ann",
    role: "Manager",
    why: "customer",
    t: 1_700_000_000_000,
  });
  await audit.written(seq);
  audit.priorityChanged({
    taskId: "t1",
    at: 1_700_000_000_500,
    by: "bob",
    role: "Admin",
    from: 9,
    to: 10,
    action: "critical",
    reason: null,
  });
  await audit.written(0);
  const reader = audit.reader();
  expect(reader.priorityHistory("t1")).toEqual([
    {
      at: "2023-11-14T22:13:20.000Z",
      by: "ann",
      role: "Manager",
      from: 5,
      to: 9,
      action: "urgent",
      reason: "customer",
    },
    {
      at: "2023-11-14T22:13:20.500Z",
      by: "bob",
      role: "Admin",
      from: 9,
      to: 10,
      action: "critical",
      reason: null,
    },
  ]);
  reader.close();
});

test("what was told before the question is written when it is answered, though it has no sequence", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  const reader = audit.reader();
  reader.counts();
  for (let n = 1; n <= 50; n++) {
    audit.refused({ at: n, user: "eve", role: "Viewer", verb: "cancel", what: "no", target: "t1" });
    await audit.written(0);
    expect(reader.timeline("t1")).toHaveLength(n);
  }
  reader.close();
});

test("a run follows its phases, counts warnings and shows phases that are still to come", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  const head = { pipeline: "cls", phases: ["sync", "export"], params: { root: "/r" }, by: "ann" };
  const run = (phase: string) => ({ id: "r1", ...head, phase });
  await audit.journalEnqueue([aRow("r1-sync", { run: run("sync"), phase: "sync", level: 6 })]);
  await audit.written(await rig.live("r1-sync", { r: { warnings: ["a", "b"] } }));
  const reader = audit.reader();
  expect(reader.run("r1")).toMatchObject({
    status: "running",
    warnings: 2,
    priority: 6,
    params: { root: "/r" },
    phases: [
      { phase: "sync", taskId: "r1-sync", status: "completed", result: { warnings: ["a", "b"] } },
      { phase: "export", taskId: null, status: "pending" },
    ],
  });
  await audit.written(
    await rig.append("r1-export", { s: "dead", run: run("export"), dead: "non-retryable" }),
  );
  expect(reader.runs(10)).toMatchObject([{ id: "r1", status: "failed" }]);
  await audit.written(await rig.append("r1-export", { s: "waiting", g: 2, a: 0, act: "redrive" }));
  expect(reader.run("r1")).toMatchObject({ status: "running", endedAt: null });
  await audit.written(await rig.append("r1-export", { s: "completed", g: 2, t: 9_000 }));
  expect(reader.run("r1")?.status).toBe("completed");
  reader.close();
});

test("a run whose first task was taken back goes with it, and stays when it has another one", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  const head = { pipeline: "cls", phases: ["sync", "export"], params: {}, by: "ann" };
  const run = (id: string, phase: string) => ({ id, ...head, phase });
  await audit.journalEnqueue([
    aRow("r1-sync", { run: run("r1", "sync"), phase: "sync" }),
    aRow("r2-sync", { run: run("r2", "sync"), phase: "sync" }),
    aRow("r2-export", { run: run("r2", "export"), phase: "export" }),
  ]);
  await audit.withdraw(["r1-sync", "r2-export"]);
  const reader = audit.reader();
  expect(reader.runs(10).map(({ id }) => id)).toEqual(["r2"]);
  expect(reader.run("r2")).toMatchObject({
    status: "running",
    phases: [{ status: "waiting" }, { status: "pending" }],
  });
  reader.close();
});

test("a run that nobody announced is made from its task's record", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  const run = { id: "r7", pipeline: "cls", phases: ["sync"], phase: "sync", params: {}, by: "ann" };
  await audit.written(await rig.append("r7-sync", { s: "running", run }));
  const reader = audit.reader();
  expect(reader.run("r7")).toMatchObject({ status: "running", by: "ann" });
  expect(reader.task("r7-sync")).toMatchObject({
    phase: "sync",
    runId: "r7",
    runHeader: JSON.stringify(run),
  });
  reader.close();
});

test("events of a record are published once, before the record counts as written", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  const ev = [
    { subject: "events.etl.loaded", data: { rows: 3 } },
    { subject: "ms.task.10.etl.forged", data: {} },
  ];
  await audit.written(await rig.live("t1", { ev }));
  const stored = await rig.wire.last(names.stream.events, "events.etl.loaded");
  expect(new TextDecoder().decode(stored?.data)).toBe('{"rows":3}');
  expect(stored?.headers.get("Nats-Msg-Id")).toBe("t1:1:ev:0");
  const reader = audit.reader();
  const refused = await until(() =>
    reader.timeline("t1").find(({ kind }) => kind === "event.refused"),
  );
  expect(refused?.detail).toMatchObject({ subject: "ms.task.10.etl.forged" });
  reader.close();
});

test("the audit goes on after the broker was killed and came back", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await audit.written(await rig.live("before"));
  await rig.nats.kill();
  expect(await audit.journalEnqueue([aRow("meanwhile")])).toEqual([{ kind: "journaled" }]);
  await rig.nats.restart();
  await rig.back();
  await audit.written(await rig.live("after"));
  const reader = audit.reader();
  expect(reader.terminal(["before", "after", "meanwhile", "unknown"]).sort()).toEqual([
    "after",
    "before",
  ]);
  expect(reader.verify()).toMatchObject({ ok: true });
  reader.close();
});

test("a journal stream that was made anew is read from its beginning", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await audit.written(await rig.live("old"));
  await audit.written(await rig.live("both"));
  await rig.wire.api(`$JS.API.STREAM.DELETE.${names.stream.state}`, undefined);
  await rig.wire.api(`$JS.API.STREAM.CREATE.${names.stream.state}`, {
    name: names.stream.state,
    subjects: ["ms.state.*.*"],
    storage: "file",
    allow_direct: true,
  });
  await rig.append("both", { s: "waiting", g: 2, a: 0, act: "redrive" });
  const reader = audit.reader();
  await until(
    () => reader.task("both")?.status,
    (status) => status === "waiting",
  );
  expect(reader.task("old")?.status).toBe("completed");
  expect(reader.verify()).toMatchObject({ ok: true });
  reader.close();
});

test("records that the broker lost and wrote anew are read again without doubling the others", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await audit.written(await rig.live("kept"));
  const { storeDir } = rig.nats;
  await rig.nats.kill();
  cpSync(storeDir, `${storeDir}.old`, { recursive: true });
  await rig.nats.restart();
  await rig.back();
  const lost = await rig.append("lost", { s: "running", w: "w1" });
  await audit.written(lost);
  await rig.nats.kill();
  rmSync(storeDir, { recursive: true });
  renameSync(`${storeDir}.old`, storeDir);
  await rig.nats.restart();
  await rig.back();
  const anew = await rig.append("anew", { s: "running", w: "w1" });
  expect(anew).toBe(lost);
  const reader = audit.reader();
  await until(() => reader.task("anew"));
  await audit.written(await rig.append("lost", { s: "waiting", g: 2, act: "repair" }));
  expect(reader.task("lost")?.status).toBe("waiting");
  expect(reader.timeline("kept").map(({ kind }) => kind)).toEqual([
    "task.enqueued",
    "task.running",
    "task.completed",
  ]);
  expect(reader.attempts("kept")).toHaveLength(1);
  expect((await audit.running()).map(({ id }) => id)).toEqual(["anew"]);
  expect(reader.verify()).toMatchObject({ ok: true });
  reader.close();
});

test("what is not a record stands in the timeline and the others go on", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await rig.wire.publish(names.state("etl", "bad"), "not json");
  await audit.written(await rig.live("good"));
  const reader = audit.reader();
  expect(reader.timeline("bad")).toMatchObject([{ kind: "task.unreadable" }]);
  expect(reader.task("good")?.status).toBe("completed");
  reader.close();
});

test("the purge floor is the first record that a living or recent task needs", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await rig.live("old");
  const needed = await rig.append("alive", { s: "running", w: "w1" });
  await audit.written(await rig.live("recent"));
  expect(await audit.purgeFloor(3_600_000)).toBe(2);
  expect(await audit.purgeFloor(-1000)).toBe(needed);
  const last = await rig.append("alive", { s: "completed", w: "w1" });
  await audit.written(last);
  expect(await audit.purgeFloor(-1000)).toBe(last + 1);
});

test("a record that was purged before the audit came is not waited for", async () => {
  const rig = await startRig();
  const last = await rig.live("t1");
  await rig.wire.purge(names.stream.state, null);
  const audit = await rig.start();
  await audit.followed(last);
  await audit.written(last);
  expect(audit.lagRecords).toBe(0);
  const reader = audit.reader();
  await audit.written(await rig.live("t2"));
  expect(reader.terminal(["t1", "t2"])).toEqual(["t2"]);
  reader.close();
});
