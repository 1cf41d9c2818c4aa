import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nuid } from "@nats-io/nuid";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectNats, type NatsLink } from "../../../daemon/nats/connect.ts";
import { readSeed } from "../../../daemon/nats/keys.ts";
import { inboxPrefixOf } from "../../../daemon/nats/permissions.ts";
import { createWire, encodeHeaders, type Wire } from "../../../daemon/nats/wire.ts";
import { connect } from "../../../daemon/sdk.ts";
import { AppError } from "../../../shared/errors.ts";
import { createNames, HEADER } from "../../../shared/subjects.ts";
import { INPUT_LIMIT_BYTES } from "../../../shared/task.ts";
import { cli, cliHere } from "../../support/cli.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { person } from "../../support/person.ts";
import { tempDir } from "../../support/temp-dir.ts";
import { until } from "../../support/until.ts";

const names = createNames();
const NO_QUEUE = "unserved";

let daemon: TestDaemon;
/** The broker as a trusted process sees it, past the control API. */
let inside: NatsLink;
let wire: Wire;

beforeAll(async () => {
  daemon = await startDaemon({
    set: {
      "workers.pools": '{"only":{"queues":["test"],"slots":4}}',
      "lease.heartbeatMs": 500,
      "sweep.idleMs": 500,
    },
  });
  const { seed } = await readSeed(join(daemon.dataDir, "keys", "daemon.nk"), "daemon");
  inside = await connectNats({
    servers: daemon.lease()?.natsUrl ?? "",
    seed,
    name: "test",
    inboxPrefix: inboxPrefixOf("daemon"),
  });
  wire = createWire(inside.nc, { inbox: `${inboxPrefixOf("daemon")}.${nuid.next()}` });
  await daemon.client.request("declare", { definitions: [{ name: "un.served", queue: NO_QUEUE }] });
  // A queue's consumer comes with its first task.
  await daemon.client.waitResult(await daemon.client.enqueue("test.work", { file: trace() }));
});

afterAll(async () => {
  await inside?.nc.close();
  await daemon?.close();
});

const trace = (): string => join(daemon.dataDir, "trace");
const total = async (): Promise<number> => {
  const { counts } = await daemon.client.status();
  return Object.values(counts).reduce((sum, n) => sum + n, 0);
};

/** The refusal of an enqueue, with the proof that nothing was enqueued. */
async function refusalOf(act: () => Promise<unknown>): Promise<AppError> {
  const before = await total();
  const error = await act().then(
    () => null,
    (failure: unknown) => failure,
  );
  if (!(error instanceof AppError)) throw new Error(`not refused: ${String(error)}`);
  expect(await total()).toBe(before);
  return error;
}

describe("an input", () => {
  test("for a task that nobody knows is refused with its name", async () => {
    const error = await refusalOf(() => daemon.client.enqueue("no.such.task", {}));
    expect(error).toMatchObject({ code: "unknown-task", exitCode: 2 });
    expect(error.message).toBe("No task is named no.such.task.");
  });

  test("that does not fit the schema is refused with its path", async () => {
    const error = await refusalOf(() => daemon.client.enqueue("test.work", { file: 7 }));
    expect(error).toMatchObject({ code: "input-invalid", exitCode: 2 });
    expect(error.message).toMatch(/test\.work is not valid at file: .*string/);
  });

  test("that is circular, no JSON, or has no JSON form is refused before it is sent", async () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    for (const input of [circle, 1n, undefined, () => {}]) {
      const error = await refusalOf(() => daemon.client.enqueue("test.work", input));
      expect(error).toMatchObject({ code: "input-not-json", exitCode: 2 });
    }
    expect(
      await refusalOf(() => daemon.client.enqueueJson("test.work", '{"file": ')),
    ).toMatchObject({
      code: "input-not-json",
    });
    const end = await cliHere(["--data", daemon.dataDir, "enqueue", "test.work", "{'a': 1}"]);
    expect([end.code, end.err]).toEqual([2, expect.stringContaining("is not JSON")]);
  });

  test("that is no JSON is refused by the daemon too, for clients that do not look", async () => {
    const items = [
      { name: "test.work", input: "{" },
      { name: "test.work", input: JSON.stringify({ file: trace() }) },
    ];
    const { outcomes } = await daemon.client.request("enqueue", { items }, { level: 5 });
    expect(outcomes).toMatchObject([{ error: { code: "input-not-json" } }, { priority: 5 }]);
  });

  test("of 1 MiB is delivered, one byte more is refused with size and limit", async () => {
    const fill = (bytes: number): { file: string; label: string } => {
      const empty = JSON.stringify({ file: trace(), label: "" }).length;
      return { file: trace(), label: "x".repeat(bytes - empty) };
    };
    const most = await daemon.client.enqueue("test.work", fill(INPUT_LIMIT_BYTES));
    const result = (await daemon.client.waitResult(most)) as {
      label: string;
    };
    expect(result.label).toHaveLength(fill(INPUT_LIMIT_BYTES).label.length);
    expect(JSON.stringify(fill(INPUT_LIMIT_BYTES))).toHaveLength(1_048_576);
    for (const act of [
      () => daemon.client.enqueue("test.work", fill(INPUT_LIMIT_BYTES + 1)),
      // The daemon checks again what the client checks first.
      async () => {
        const items = [{ name: "test.work", input: JSON.stringify(fill(INPUT_LIMIT_BYTES + 1)) }];
        const { outcomes } = await daemon.client.request("enqueue", { items }, { level: 5 });
        const [first] = outcomes;
        if (first && "error" in first)
          throw new AppError("payload-too-large", first.error.details ?? {});
      },
    ]) {
      const error = await refusalOf(act);
      expect(error).toMatchObject({ code: "payload-too-large", exitCode: 2 });
      expect(error.message).toContain("1048577 bytes, the limit is 1048576");
    }
    expect(daemon.client.nc.isClosed()).toBe(false);
  });

  test("is counted in bytes, not in characters", async () => {
    const label = "ä".repeat(INPUT_LIMIT_BYTES / 2);
    expect(
      await refusalOf(() => daemon.client.enqueue("test.work", { file: "", label })),
    ).toMatchObject({
      code: "payload-too-large",
    });
  });
});

describe("a request", () => {
  test.each([
    ["get", undefined, "no JSON"],
    ["get", undefined, '{"id":"a b"}'],
    ["no_such_verb", undefined, "{}"],
    ["enqueue", undefined, '{"items":[]}'],
    ["enqueue", 11, '{"items":[]}'],
    ["escalate", 5, '{"ids":["a"],"to":5,"reason":" "}'],
    ["list", undefined, '{"limit":1000000}'],
  ])("%s %s %s that means nothing is answered with bad-usage", async (verb, level, body) => {
    // From inside, because the broker lets no person send a verb or level that does not exist.
    const subject = names.api(daemon.client.user, verb, level);
    const answer = await inside.nc.request(subject, body, { timeout: 30_000 });
    expect(answer.json()).toMatchObject({ ok: false, error: { code: "bad-usage" } });
  });

  test("about a task or run that is not there is answered so", async () => {
    const { client } = daemon;
    for (const act of [
      () => client.get("none"),
      () => client.cancel("none"),
      () => client.retry("none"),
      () => client.why("none"),
      () => client.escalate("none", 8, "why not"),
      () => client.redrive("none"),
    ])
      await expect(act()).rejects.toMatchObject({ code: "task-not-found", exitCode: 6 });
    await expect(client.getRun("none")).rejects.toMatchObject({ code: "run-not-found" });
    await expect(client.run("no_such_pipeline")).rejects.toMatchObject({
      code: "unknown-pipeline",
      exitCode: 2,
    });
  });
});

describe("a login", () => {
  test("with a key that the server does not know is refused, and so is its command line", async () => {
    const eve = person("eve", "Admin");
    const creds = join(tempDir(), "eve.nk");
    writeFileSync(creds, eve.seed, { mode: 0o600 });
    const { dataDir } = daemon;
    await expect(connect({ dataDir, creds })).rejects.toMatchObject({
      code: "credentials-refused",
      exitCode: 5,
      details: { user: "eve" },
    });
    const end = await cli(["--data", dataDir, "--creds", creds, "list"]);
    expect([end.code, end.out]).toEqual([5, ""]);
    expect(end.err).toContain("The server refused the credentials of eve.");
  });

  test("with a file that is none, or no key, names the file", async () => {
    const { dataDir } = daemon;
    const broken = join(tempDir(), "broken.nk");
    writeFileSync(broken, "SUABC");
    for (const creds of [broken, "/no/such/file.nk"]) {
      const end = await cliHere(["--data", dataDir, "--creds", creds, "--json", "list"]);
      expect(end.code).toBe(2);
      expect(JSON.parse(end.out)).toMatchObject({ error: { code: "credentials-unreadable" } });
      expect(end.err).toContain(creds);
    }
  });
});

describe("a message that no control request made", () => {
  /** Puts a message on a task subject as a broken producer would. */
  async function put(level: number, queue: string, id: string, name: string, data: string) {
    const headers = encodeHeaders([
      [HEADER.msgId, `${id}:1`],
      ...(name === "" ? [] : ([[HEADER.name, name]] as const)),
    ]);
    await wire.publish(names.task(level, queue, id), data, headers);
  }

  test.each([
    ["is no JSON", "test.work", "{{{"],
    ["does not fit the schema", "test.work", '{"file":1}'],
    ["names a task that nobody knows", "no.such.task", "{}"],
    ["names no task at all", "", "{}"],
  ])("and that %s becomes a dead letter, and the next task runs", async (_, name, data) => {
    const id = nuid.next();
    await put(5, "test", id, name, data);
    const task = await until(
      () => daemon.client.get(id).catch(() => null),
      (found) => found?.status === "dead",
    );
    expect(task).toMatchObject({ deadReason: "invalid" });
    await until(
      () => wire.last(names.stream.tasks, names.task(5, "test", id)),
      (message) => message === null,
    );
    const next = await daemon.client.enqueue("test.work", { file: trace(), label: id });
    expect(await daemon.client.waitResult(next)).toMatchObject({ label: id });
  });

  test("is delivered once: nothing of it stays on the broker to come again", async () => {
    const consumer = `${names.stream.tasks}.${names.consumer("test", 5)}`;
    const left = () =>
      wire.api<{ num_pending: number; num_ack_pending: number }>(
        `$JS.API.CONSUMER.INFO.${consumer}`,
        undefined,
      );
    await until(left, ({ num_pending, num_ack_pending }) => num_pending + num_ack_pending === 0);
  });
});

describe("the workers", () => {
  test("look again by themselves, so that a message whose doorbell they heard in vain is taken", async () => {
    const consumer = `${names.stream.tasks}.${names.consumer("test", 3)}`;
    const pause = (body: object): Promise<unknown> =>
      wire.api(`$JS.API.CONSUMER.PAUSE.${consumer}`, body);
    const enqueueAt = (priority: number) =>
      daemon.client.enqueue("test.work", { file: trace() }, { priority });
    await daemon.client.waitResult(await enqueueAt(3));
    await pause({ pause_until: new Date(Date.now() + 600_000).toISOString() });
    const held = await enqueueAt(3);
    // Lower, so whoever took it has looked at level 3 before.
    await daemon.client.waitResult(await enqueueAt(2));
    expect((await daemon.client.get(held.id)).status).toBe("waiting");
    await pause({});
    expect(await daemon.client.waitResult(held)).toMatchObject({ attempt: 1 });
  });

  test("keep taking tasks after their consumer was deleted under them", async () => {
    const consumer = names.consumer("test", 5);
    await wire.api(`$JS.API.CONSUMER.DELETE.${names.stream.tasks}.${consumer}`, undefined);
    const task = await daemon.client.enqueue("test.work", { file: trace(), label: "again" });
    expect(await daemon.client.waitResult(task)).toMatchObject({
      label: "again",
    });
  });

  test("count attempts themselves: the consumers have no limit of deliveries", async () => {
    const { config } = await wire.api<{ config: { max_deliver: number } }>(
      `$JS.API.CONSUMER.INFO.${names.stream.tasks}.${names.consumer("test", 5)}`,
      undefined,
    );
    expect(config.max_deliver).toBe(-1);
  });
});

test("the task of a repeated enqueue whose answer was lost exists once", async () => {
  const id = nuid.next();
  const items = [{ name: "test.work", input: JSON.stringify({ file: trace(), label: id }), id }];
  // Nobody waits for the first answer, as after a timeout.
  daemon.client.nc.publish(names.api(daemon.client.user, "enqueue", 5), JSON.stringify({ items }));
  const { outcomes } = await daemon.client.request("enqueue", { items }, { level: 5 });
  expect(outcomes).toMatchObject([{ id, deduplicated: true }]);
  await daemon.client.waitEnd(id);
  const starts = readFileSync(trace(), "utf8")
    .split("\n")
    .filter((line) => line.startsWith(`start ${id}`));
  expect(starts).toHaveLength(1);
});

test("the message of a completed task that comes again runs nothing and goes away", async () => {
  const task = await daemon.client.enqueue("test.work", { file: trace(), label: "once" });
  const result = await daemon.client.waitResult(task);
  const subject = names.task(5, "test", task.id);
  await until(
    () => wire.last(names.stream.tasks, subject),
    (message) => message === null,
  );
  const again = JSON.stringify({ file: trace(), label: "once" });
  await wire.publish(subject, again, encodeHeaders([[HEADER.name, "test.work"]]));
  await until(
    () => wire.last(names.stream.tasks, subject),
    (message) => message === null,
  );
  expect(await daemon.client.waitResult(task)).toEqual(result);
  expect(readFileSync(trace(), "utf8").match(/^start once /gm)).toHaveLength(1);
  expect((await daemon.client.get(task.id)).attempts).toBe(1);
});

test("a change of priority works in the midst of twelve thousand waiting tasks", async () => {
  const { client } = daemon;
  const count = 12_000;
  const ids = Array.from({ length: count }, (_, n) => `many-${n}`);
  await client.enqueueMany(
    ids.map((id, n) => ({ task: "un.served", input: {}, id, priority: n % 8 })),
  );
  for (const id of ["many-0", "many-6001", "many-11999"]) {
    const before = (await client.get(id)).priority;
    expect(await client.escalate(id, 10, "needed now")).toMatchObject({ applied: 1 });
    expect((await client.get(id)).priority).toBe(10);
    expect(await wire.last(names.stream.tasks, names.task(10, NO_QUEUE, id))).not.toBeNull();
    await until(
      () => wire.last(names.stream.tasks, names.task(before, NO_QUEUE, id)),
      (message) => message === null,
    );
  }
  const { queues } = await client.queues();
  expect(queues.find(({ queue }) => queue === NO_QUEUE)).toMatchObject({ waiting: count });
});
