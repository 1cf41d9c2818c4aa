import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { cliHere } from "../../../support/cli.ts";
import { startDaemon, type TestDaemon } from "../../../support/daemon.ts";
import {
  ask,
  cookieOf,
  linkOf,
  openView,
  redeem,
  signIn,
  type TestView,
} from "../../../support/dashboard.ts";
import { addPeople, type People } from "../../../support/people.ts";
import { tempDir } from "../../../support/temp-dir.ts";
import { until } from "../../../support/until.ts";

let daemon: TestDaemon;
let people: People;

beforeAll(async () => {
  daemon = await startDaemon({
    set: { "workers.pools": '{"only":{"queues":["test"],"slots":2}}' },
  });
  people = await addPeople(daemon.dataDir);
});

afterAll(async () => {
  await people?.close();
  await daemon?.close();
});

/** A dashboard of this person, closed with the test. */
async function dashboardOf(role: keyof People["clients"]): Promise<TestView> {
  const { origin, cookie } = await signIn(people.clients[role]);
  const view = await openView(origin, cookie);
  onTestFinished(() => view.close());
  return view;
}

/** A task that waits for an hour. */
async function aWaitingTask(): Promise<string> {
  const input = { file: "unused" };
  return (await daemon.client.enqueue("test.work", input, { delayMs: 3_600_000 })).id;
}

async function refusalsOf(user: string): Promise<string[]> {
  const { columns, rows } = await daemon.client.request("audit_query", { query: "refusals" });
  return rows
    .filter((row) => row[columns.indexOf("user")] === user)
    .map((row) => `${row[columns.indexOf("verb")]} ${row[columns.indexOf("target")]}`);
}

describe("signing in", () => {
  test("msgsys dashboard prints a link that signs in once", async () => {
    const { out, code } = await cliHere(["--data", daemon.dataDir, "dashboard"]);
    const url = new URL(out.trim());
    expect([code, url.pathname, url.hash.length]).toEqual([0, "/sign-in", 44]);
    expect((await redeem(url.origin, url.hash.slice(1))).status).toBe(200);
    expect((await redeem(url.origin, url.hash.slice(1))).status).toBe(403);
  });

  test("status says where the dashboard is", async () => {
    const { origin } = await linkOf(daemon.client);
    const { out } = await cliHere(["--data", daemon.dataDir, "status"]);
    expect(out).toContain(`Dashboard  ${origin}; \`msgsys dashboard\` signs in`);
  });

  test("a dashboard is that of the person who asked for the link, and the audit has the sign-in", async () => {
    const view = await dashboardOf("Operator");
    view.send({ type: "ready" });
    await until(() => view.of("connection").length > 0);
    expect(view.of("hello")[0]).toMatchObject({ host: "browser", acts: [], locale: "en" });
    expect(view.of("connection")[0]).toMatchObject({
      identity: { user: "ope", role: "Operator" },
      state: { kind: "connected" },
    });
    const db = new Database(join(daemon.dataDir, "audit.db"), { readonly: true });
    onTestFinished(() => void db.close());
    const signIns = db
      .prepare("SELECT by FROM task_event WHERE kind = 'dashboard-signed-in'")
      .pluck();
    await until(() => signIns.all().includes("ope"));
  });
});

describe("rights", () => {
  test("a Viewer sees the tasks and is refused a cancel, which is audited", async () => {
    const id = await aWaitingTask();
    const view = await dashboardOf("Viewer");
    expect(await view.request("get", { id })).toMatchObject({ ok: true, value: { id } });
    expect(await view.request("cancel", { ids: [id] })).toMatchObject({
      ok: false,
      error: { code: "not-permitted" },
    });
    expect(await refusalsOf("vie")).toContain(`cancel ${id}`);
    expect((await daemon.client.get(id)).status).toBe("scheduled");
  });

  test("an Operator sets level 8, and is refused 9 in words and in the audit", async () => {
    const id = await aWaitingTask();
    const view = await dashboardOf("Operator");
    expect(await view.request("escalate", { ids: [id], to: 8, reason: "late" })).toMatchObject({
      ok: true,
      value: { applied: 1 },
    });
    const refused = await view.request("escalate", { ids: [id], to: 9, reason: "later" });
    expect(refused).toMatchObject({ ok: false, error: { code: "not-permitted" } });
    expect(JSON.stringify(refused)).toContain("ope (Operator)");
    expect(await refusalsOf("ope")).toContain(`escalate ${id}`);
    expect((await daemon.client.get(id)).priorityHistory).toMatchObject([
      { by: "ope", to: 8, reason: "late" },
    ]);
  });

  test("a Manager lowers many at once without naming their levels", async () => {
    const ids = [await aWaitingTask(), await aWaitingTask()];
    await daemon.client.escalate({ ids }, 9, "high first");
    const view = await dashboardOf("Manager");
    expect(await view.request("escalate", { ids, to: 2, reason: "no hurry" })).toMatchObject({
      ok: true,
      value: { matched: 2, applied: 2 },
    });
  });

  test("a verb that no dashboard has does not reach the daemon, whoever asks", async () => {
    const view = await dashboardOf("Admin");
    view.send({ type: "request", id: 900, verb: "user_remove", body: { name: "vie" } });
    const reply = await until(() => view.of("reply").find(({ id }) => id === 900));
    expect(reply?.outcome).toMatchObject({ ok: false, error: { code: "bad-usage" } });
    expect((await daemon.client.request("user_list", {})).users.map(({ name }) => name)).toContain(
      "vie",
    );
  });
});

describe("strangers", () => {
  test("a page of another origin, or of another name, cannot open the socket", async () => {
    const { origin, cookie } = await signIn(daemon.client);
    for (const headers of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { host: "evil.example", origin: "http://evil.example" },
    ])
      await expect(openView(origin, cookie, headers)).rejects.toThrow("403");
  });

  test("a socket without a session is told to sign in", async () => {
    const { origin } = await linkOf(daemon.client);
    for (const cookie of ["", "msgsys-1=x.y", `msgsys-${new URL(origin).port}=forged.mac`]) {
      const view = await openView(origin, cookie);
      expect(await view.closed).toBe(4401);
      expect(view.notices).toEqual([]);
    }
  });

  test("a link that was taken away before its use is of no use to the thief", async () => {
    await cliHere(["--data", daemon.dataDir, "user", "add", "thea", "--role", "Operator"]);
    const file = `${daemon.dataDir}/keys/thea.nk`;
    const link = async (): Promise<URL> => {
      const end = await cliHere(["--data", daemon.dataDir, "--user", "thea", "dashboard"]);
      return new URL(end.out.trim());
    };
    const used = await link();
    await redeem(used.origin, used.hash.slice(1));
    expect((await redeem(used.origin, used.hash.slice(1))).status).toBe(403);
    const stolen = await link();
    await cliHere(["--data", daemon.dataDir, "user", "rotate", "thea", "--out", file]);
    expect((await redeem(stolen.origin, stolen.hash.slice(1))).status).toBe(403);
  });
});

describe("a user who is no longer who they were", () => {
  test.each([
    ["removed", "rex", ["user", "remove", "rex"]],
    ["given another key", "roy", ["user", "rotate", "roy"]],
    ["given another role", "ria", ["user", "role", "ria", "Viewer"]],
  ])("is thrown out at once when %s, and the cookie is worth nothing", async (_, name, act) => {
    await cliHere(["--data", daemon.dataDir, "user", "add", name, "--role", "Operator"]);
    const end = await cliHere(["--data", daemon.dataDir, "--user", name, "dashboard"]);
    const url = new URL(end.out.trim());
    const cookie = cookieOf(await redeem(url.origin, url.hash.slice(1)));
    const view = await openView(url.origin, cookie);
    expect(await view.request("status", {})).toMatchObject({ ok: true });
    await cliHere(["--data", daemon.dataDir, ...act]);
    expect(await view.closed).toBe(4401);
    expect((await ask(url.origin, { headers: { cookie } })).status).toBe(401);
    expect(await (await openView(url.origin, cookie)).closed).toBe(4401);
  });
});

describe("what flows", () => {
  test("what is enqueued, runs and publishes comes into the open feed, and changes are told", async () => {
    const view = await dashboardOf("Viewer");
    view.send({ type: "ready" });
    view.send({ type: "feed", open: true });
    await until(() => view.of("feed").length > 0);
    view.send({ type: "feed-ack", batch: 1 });
    const { id } = await daemon.client.enqueue("test.chain", { file: `${tempDir()}/trace` });
    const types = (): string[] => {
      for (const { batch } of view.of("feed")) view.send({ type: "feed-ack", batch: batch.batch });
      return view.of("feed").flatMap(({ batch }) => batch.rows.map(({ type }) => type));
    };
    const wanted = ["task.enqueued", "task.completed", "task.progress", "events.test.chain.done"];
    await until(
      () => wanted.filter((type) => !types().includes(type)),
      (missing) => missing.length === 0,
    );
    await until(() => view.of("changed").some(({ changed }) => changed.tasks?.includes(id)));
    await until(() => view.of("changed").some(({ changed }) => changed.queues));
  });

  test("depth and flow are answered as a chart needs them", async () => {
    const view = await dashboardOf("Viewer");
    const outcome = await view.request("metrics", { minutes: 15 });
    if (!outcome.ok) throw new Error(outcome.error.message);
    const { steps, endedLastHour } = outcome.value;
    expect(steps).toHaveLength(180);
    expect(steps.at(-1)).not.toBeNull();
    expect(endedLastHour.completed).toBeGreaterThan(0);
  });
});

describe("much at once", () => {
  test("a task with a text of five megabytes is shown whole", async () => {
    const bytes = 5 * 1_048_576 - 100;
    const task = await daemon.client.enqueue("test.large", { bytes });
    await daemon.client.waitEnd(task.id);
    const view = await dashboardOf("Viewer");
    const outcome = await view.request("get", { id: task.id });
    expect(outcome.ok && outcome.value.resultJson?.length).toBe(bytes + '{"text":""}'.length);
  });

  test("a message larger than any command ends that conversation and no other", async () => {
    const [one, two] = [await dashboardOf("Viewer"), await dashboardOf("Viewer")];
    one?.send({ type: "request", id: 1, verb: "status", body: { x: "y".repeat(5 * 1_048_576) } });
    expect(await one?.closed).toBe(1009);
    expect(await two?.request("status", {})).toMatchObject({ ok: true });
  });

  test("a reader that never reads holds up nobody else", async () => {
    const { origin, cookie } = await signIn(daemon.client);
    const task = await daemon.client.enqueue("test.large", { bytes: 3_000_000 });
    await daemon.client.waitEnd(task.id);
    const slow = new WebSocket(`${origin.replace("http", "ws")}/socket`, {
      headers: { origin, cookie },
    });
    onTestFinished(() => slow.terminate());
    await new Promise<void>((resolve) => slow.once("open", resolve));
    slow.pause();
    for (let id = 0; id < 100; id += 1)
      slow.send(JSON.stringify({ type: "request", id, verb: "get", body: { id: task.id } }));
    const other = await openView(origin, cookie);
    expect(await other.request("get", { id: task.id })).toMatchObject({ ok: true });
    await other.close();
  });

  test("the thirty-third dashboard is refused, and there is room again when one closes", async () => {
    const { origin, cookie } = await signIn(daemon.client);
    const views: TestView[] = [];
    onTestFinished(async () => void (await Promise.all(views.map((view) => view.close()))));
    const refused = await until(async () => {
      try {
        views.push(await openView(origin, cookie));
        return null;
      } catch (error) {
        return String(error);
      }
    });
    expect(refused).toContain("503");
    await views.pop()?.close();
    views.push(await until(() => openView(origin, cookie).catch(() => null)).then((view) => view!));
  });

  test("bytes that are no HTTP harm nobody", async () => {
    const { origin, cookie } = await signIn(daemon.client);
    const { port } = new URL(origin);
    const raw = connectTcp(Number(port), "127.0.0.1");
    raw.write("\u0000\u0001 not http\r\n\r\n");
    await new Promise((resolve) => raw.once("close", resolve).resume());
    expect((await ask(`${origin}/sign-in`, { headers: { cookie } })).status).toBe(200);
  });
});
