import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type CliEnd, type CliPlace, cli, spawnCli } from "../../support/cli.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { tempDir } from "../../support/temp-dir.ts";
import { until } from "../../support/until.ts";

const CHECKOUT = fileURLToPath(new URL("../../..", import.meta.url));
const WORKSPACE = fileURLToPath(new URL("../../fixtures/workspace", import.meta.url));
/** Knows tasks that end when a file is there. */
const GATES = fileURLToPath(new URL("../../fixtures/scenarios", import.meta.url));
const ONE_POOL = '{"only":{"queues":["test","cls"],"slots":4}}';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await startDaemon({
    workspace: GATES,
    set: { "workers.pools": ONE_POOL, "lease.heartbeatMs": 500 },
  });
});

afterAll(async () => {
  await daemon?.close();
});

/** A real process against the shared daemon. */
const msgsys = (argv: readonly string[], place?: CliPlace): Promise<CliEnd> =>
  cli(["--data", daemon.dataDir, ...argv], place);

const work = (more: object = {}): string =>
  JSON.stringify({ file: join(daemon.dataDir, "trace"), ...more });

/** The input of a task that ends when `open` was called. */
function gated(label: string): { input: string; open(): void } {
  const file = join(daemon.dataDir, `open-${label}`);
  return { input: work({ label, open: file }), open: () => writeFileSync(file, "") };
}

describe("the exit code", () => {
  test("is 0 when it is done", async () => {
    const end = await msgsys(["enqueue", "test.work", work(), "--wait"]);
    expect([end.code, JSON.parse(end.out)]).toMatchObject([0, { attempt: 1 }]);
  });

  test("is 1 when the awaited task failed, with its error", async () => {
    const input = work({ kind: "final" });
    const end = await msgsys(["enqueue", "test.fail", input, "--wait"]);
    expect([end.code, end.out]).toEqual([1, ""]);
    expect(end.err).toContain("this cannot succeed");
  });

  test("is 1 when the awaited task was cancelled", async () => {
    const id = "to-be-cancelled";
    const ended = msgsys(["enqueue", "test.work", work({ ms: 60_000 }), "--id", id, "--wait"]);
    await until(
      () => daemon.client.get(id).catch(() => null),
      (task) => task?.status === "running",
    );
    await daemon.client.cancel(id);
    expect((await ended).code).toBe(1);
  });

  test.each([
    ["a command that is not there", ["frobnicate"]],
    ["an option that is not there", ["status", "--frobnicate"]],
    ["a missing argument", ["enqueue"]],
    ["a level that is none", ["enqueue", "test.work", "--priority", "11"]],
    ["a task that is not there", ["enqueue", "no.such.task"]],
    ["an input that does not fit", ["enqueue", "test.work", '{"file":1}']],
    ["a time limit without a wait", ["enqueue", "test.work", "--timeout", "1s"]],
  ])("is 2 for %s", async (_, argv) => {
    const end = await msgsys(argv);
    expect([end.code, end.out]).toEqual([2, ""]);
    expect(end.err).toMatch(/^Error: .+\n.+/);
  });

  test("is 3 when a daemon runs already", async () => {
    const end = await msgsys(["up", "--detach"]);
    expect([end.code, end.out]).toEqual([3, ""]);
  });

  test("is 4 when no daemon runs and none may be started", async () => {
    const dataDir = tempDir();
    for (const argv of [["status"], ["list"], ["--no-start", "enqueue", "test.work"], ["down"]]) {
      const end = await cli(["--data", dataDir, ...argv]);
      expect([end.code, end.out], argv.join(" ")).toEqual([4, ""]);
    }
    expect(existsSync(join(dataDir, "daemon.json"))).toBe(false);
    const far = await cli(["--data", daemon.dataDir, "--url", "nats://127.0.0.1:9", "list"]);
    expect(far.code).toBe(4);
  });

  test("is 5 when it is not permitted", async () => {
    expect((await msgsys(["user", "add", "vera", "--role", "viewer"])).code).toBe(0);
    const end = await msgsys(["--user", "vera", "enqueue", "test.work", work()]);
    expect([end.code, end.out]).toEqual([5, ""]);
    expect(end.err).toContain("vera (Viewer)");
  });

  test("is 6 for what is not there or not in that state", async () => {
    const done = await daemon.client.enqueue("test.work", { file: join(daemon.dataDir, "trace") });
    await daemon.client.waitResult(done);
    for (const argv of [
      ["show", "none"],
      ["cancel", done.id, "--yes"],
      ["escalate", done.id, "8", "--reason", "late"],
      ["retry", done.id],
      ["undo", done.id, "--reason", "r"],
    ])
      expect([argv[0], (await msgsys(argv)).code]).toEqual([argv[0], 6]);
  });

  test("is 124 when the wait is over before the task, which goes on", async () => {
    const id = "long-one";
    const { input, open } = gated(id);
    const wait = ["--wait", "--timeout", "300ms"];
    const end = await msgsys(["enqueue", "test.gate", input, "--id", id, ...wait]);
    expect([end.code, end.out]).toEqual([124, ""]);
    open();
    expect(await daemon.client.waitResult(id)).toMatchObject({ attempt: 1 });
  });

  test("is 130 after Ctrl-C, and the awaited task goes on", async () => {
    const id = "interrupted";
    const { input, open } = gated(id);
    const argv = ["--data", daemon.dataDir, "enqueue", "test.gate", input, "--id", id, "--wait"];
    const child = spawnCli(argv);
    await until(() => daemon.client.get(id).catch(() => null));
    child.kill("SIGINT");
    await until(() => child.exitCode ?? child.signalCode);
    // Before it waits the signal itself ends it, which a shell counts as 130 too.
    expect([130, "SIGINT"]).toContain(child.exitCode ?? child.signalCode);
    open();
    expect(await daemon.client.waitResult(id)).toMatchObject({ attempt: 1 });
  });
});

describe("with --json standard output is exactly one value", () => {
  test.each([
    ["status"],
    ["list"],
    ["list", "--runs"],
    ["queues"],
    ["queues", "--tasks"],
    ["config"],
    ["doctor"],
    ["audit", "by-status"],
    ["audit", "verify"],
    ["user", "list"],
    ["enqueue", "test.work", '{"file":"/dev/null"}'],
    ["enqueue", "test.work", '{"file":"/dev/null"}', "--wait"],
    ["cancel", "--where", "queue=none", "--yes"],
    // Failures too: the same words as on standard error, as one object.
    ["show", "none"],
    ["enqueue", "no.such.task"],
    ["frobnicate"],
  ])("%s %s", async (...argv) => {
    const end = await msgsys(["--json", ...argv.filter((word) => word !== undefined)]);
    const lines = end.out.split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[1]).toBe("");
    const value = JSON.parse(lines[0] ?? "") as { error?: { message: string } };
    if (end.code === 0) expect(value.error).toBeUndefined();
    else if (argv[0] !== "doctor") expect(end.err).toContain(value.error?.message);
  });
});

test("without --json a result alone stands on standard output, hints and progress on standard error", async () => {
  const root = join(daemon.dataDir, "no-root");
  const out = join(daemon.dataDir, "out");
  const run = await msgsys(["run", "cls_all", "--root", root, "--out", out]);
  expect(run.out).toMatch(/^Run \S+ started: [^\n]*\n$/);
  expect(run.err).toMatch(/msgsys show/);
  const big = '{"file":"/dev/null","label":"9007199254740993"}';
  const end = await msgsys(["enqueue", "test.work", big, "--wait"]);
  expect([end.out.trim().split("\n").length, end.err]).toEqual([1, ""]);
});

test("events --follow --json prints one value a line, as it happens", async () => {
  const child = spawnCli([
    "--data",
    daemon.dataDir,
    "--json",
    "events",
    "--follow",
    "--queue",
    "test",
  ]);
  let out = "";
  let err = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    err += chunk.toString();
  });
  await until(() => err.includes("Following"));
  const { id } = await daemon.client.enqueue("test.work", { file: "/dev/null" });
  const completed = `"taskId":"${id}"[^\n]*"status":"completed"|"status":"completed"[^\n]*"taskId":"${id}"`;
  await until(() => new RegExp(completed).test(out));
  child.kill("SIGINT");
  await until(
    () => child.exitCode,
    (code) => code !== null,
  );
  const lines = out.split("\n").slice(0, -1);
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ kind: "task" });
});

describe("a daemon is started when it is needed", () => {
  test("by enqueue, whose task it runs, and it stays until `down`", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "msgsys-test-"));
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    const place = { cwd: WORKSPACE, env: { MSGSYS_WORKERS_POOLS: ONE_POOL } };
    const flags = ["--data", dataDir];
    const input = JSON.stringify({ file: join(dataDir, "trace") });
    const first = await cli([...flags, "--json", "enqueue", "test.work", input, "--wait"], place);
    expect([first.code, JSON.parse(first.out)]).toMatchObject([0, { status: "completed" }]);
    expect(first.err).toContain("starting one");
    const status = await cli([...flags, "--json", "status"], place);
    expect(JSON.parse(status.out)).toMatchObject({ daemon: { state: "ready" } });
    const down = await cli([...flags, "--json", "down"], place);
    expect([down.code, JSON.parse(down.out)]).toMatchObject([0, { stopped: true }]);
    expect((await cli([...flags, "status"], place)).code).toBe(4);
  });

  test("by several commands at once, and they share one", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "msgsys-test-"));
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    const place = { cwd: WORKSPACE, env: { MSGSYS_WORKERS_POOLS: ONE_POOL } };
    const flags = ["--data", dataDir];
    const input = JSON.stringify({ file: join(dataDir, "trace") });
    const root = ["--root", dataDir, "--out", join(dataDir, "out")];
    const ends = await Promise.all([
      cli([...flags, "--json", "enqueue", "test.work", input], place),
      cli([...flags, "--json", "enqueue", "test.work", input], place),
      cli([...flags, "--json", "run", "cls_all", ...root], place),
    ]);
    expect(ends.map(({ code }) => code)).toEqual([0, 0, 0]);
    const list = await cli([...flags, "--json", "list"], place);
    expect((JSON.parse(list.out) as { tasks: object[] }).tasks).toHaveLength(3);
    expect((await cli([...flags, "down"], place)).code).toBe(0);
  });
});

test("npx runs the command in the checkout", () => {
  const npx = (argv: string[]): string =>
    execFileSync("npx", ["--no-install", "msgsys", ...argv], {
      cwd: CHECKOUT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  expect(npx(["--help"])).toContain("Usage: msgsys");
  const out = npx(["--data", daemon.dataDir, "--json", "status"]);
  expect(JSON.parse(out)).toMatchObject({ daemon: { pid: daemon.child.pid } });
});

test("many lines are enqueued at once, and the refused ones are named by their numbers", async () => {
  const lines = [work(), "{not json", work(), '{"file":5}', ""].join("\n");
  const file = join(daemon.dataDir, "many.jsonl");
  writeFileSync(file, lines);
  const end = await msgsys(["--json", "enqueue", "test.work", "--many", file]);
  expect(end.code).toBe(2);
  expect(JSON.parse(end.out)).toMatchObject({
    enqueued: 2,
    refused: [
      { line: 2, code: "input-not-json" },
      { line: 4, code: "input-invalid" },
    ],
  });
  const piped = await msgsys(["--json", "enqueue", "test.work", "-", "--wait"], { input: work() });
  expect([piped.code, JSON.parse(piped.out)]).toMatchObject([0, { status: "completed" }]);
  expect(readFileSync(file, "utf8")).toBe(lines);
});
