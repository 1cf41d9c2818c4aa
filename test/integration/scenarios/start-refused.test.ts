import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { ensureDaemon } from "../../../daemon/cli/start-daemon.ts";
import { lockDataDir } from "../../../daemon/lifecycle/lock.ts";
import { type CliEnd, type CliPlace, cli, spawnCli } from "../../support/cli.ts";
import { tempDir } from "../../support/temp-dir.ts";
import { until } from "../../support/until.ts";

/** A start that must fail: `msgsys up` in the background, so that nothing stays when it does not fail. */
async function up(dataDir: string, place: CliPlace = {}): Promise<CliEnd & { code: number }> {
  const flags = ["--data", dataDir, "--json"];
  const end = await cli([...flags, "up", "--detach", "--timeout", "90s"], {
    cwd: tempDir(),
    ...place,
  });
  if (end.code === 0) await cli([...flags, "down"]);
  return end;
}

/** Code and exit of a failed start; standard output is one JSON value, standard error says the same in words. */
function failureOf(end: CliEnd): { exit: number; code: string; message: string; hint: string } {
  const { error } = JSON.parse(end.out) as {
    error: { code: string; message: string; hint: string };
  };
  expect(end.err).toContain(error.message);
  expect(end.err).toContain(error.hint);
  return { exit: end.code, ...error };
}

/** Nothing to run, nothing cached, nothing to be reached. */
function bareEnv(path: string): Record<string, string> {
  return {
    PATH: path,
    MSGSYS_CACHE: tempDir(),
    NODE_USE_ENV_PROXY: "1",
    HTTPS_PROXY: "http://127.0.0.1:9",
    HTTP_PROXY: "http://127.0.0.1:9",
  };
}

function oldServer(dir: string): string {
  const path = join(dir, "nats-server");
  writeFileSync(path, "#!/bin/sh\necho 'nats-server: v2.10.3'\n", { mode: 0o755 });
  return path;
}

test("a machine without a nats-server is told with what every way said, and a cache stays empty", async () => {
  const empty = tempDir();
  const env = bareEnv(empty);
  const failure = failureOf(await up(tempDir(), { env }));
  expect(failure).toMatchObject({ exit: 2, code: "nats-server-missing" });
  for (const way of [
    "PATH: none there",
    "cache: nothing in",
    "official release:",
    "Debian's package:",
  ])
    expect(failure.message).toContain(way);
  expect(failure.hint).toContain("nats.serverPath");
  const left = readdirSync(env["MSGSYS_CACHE"] ?? "", { recursive: true, withFileTypes: true });
  expect(left.filter((entry) => entry.isFile() && entry.name === "nats-server")).toEqual([]);
});

test("a nats-server on PATH that is too old is passed over and told with both versions", async () => {
  const folder = tempDir();
  oldServer(folder);
  const failure = failureOf(await up(tempDir(), { env: bareEnv(folder) }));
  expect(failure).toMatchObject({ exit: 2, code: "nats-server-missing" });
  expect(failure.message).toMatch(/is 2\.10\.3, 2\.12\.1 or newer is needed/);
});

test("a named nats-server that is too old, or none at all, is told with its setting", async () => {
  const old = oldServer(tempDir());
  expect(failureOf(await up(tempDir(), { env: { MSGSYS_NATS_SERVER_PATH: old } }))).toMatchObject({
    exit: 2,
    code: "nats-server-too-old",
    message: `nats-server 2.10.3 at ${old} is too old; 2.12.1 or newer is needed.`,
  });
  const none = failureOf(await up(tempDir(), { env: { MSGSYS_NATS_SERVER_PATH: "/no/server" } }));
  expect(none).toMatchObject({ exit: 2, code: "nats-server-missing" });
  expect(none.message).toContain("nats.serverPath names /no/server");
});

test("a port that is taken is told with its number", async () => {
  const holder = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void holder.close());
  await until(() => holder.address());
  const { port } = holder.address() as { port: number };
  const failure = failureOf(await up(tempDir(), { env: { MSGSYS_NATS_PORT: String(port) } }));
  expect(failure).toMatchObject({
    exit: 2,
    code: "port-taken",
    message: `Port ${port} on 127.0.0.1 is taken.`,
  });
});

test("an address that this machine does not have is told with its settings, whatever the port", async () => {
  const env = { MSGSYS_NATS_HOST: "192.0.2.1", MSGSYS_NATS_ALLOW_PLAIN_TEXT: "true" };
  const failure = failureOf(await up(tempDir(), { env }));
  expect(failure).toMatchObject({ exit: 2, code: "bad-settings" });
  expect(failure.message).toContain("nats-server cannot listen on 192.0.2.1");
  expect(failure.hint).toContain("nats.host");
});

test("a start in the foreground tells the reason once", async () => {
  const env = { MSGSYS_NATS_SERVER_PATH: "/no/server" };
  const end = await cli(["--data", tempDir(), "up", "--timeout", "30s"], { cwd: tempDir(), env });
  expect(end).toMatchObject({ code: 2, out: "" });
  expect(end.err.trim().split("\n")).toEqual([
    "Error: No nats-server was found: nats.serverPath names /no/server: not found.",
    expect.stringContaining("nats.serverPath"),
  ]);
});

test("a workspace that is not there is told before anything is made", async () => {
  const dataDir = join(tempDir(), "data");
  const end = await cli(["--data", dataDir, "--json", "up", "-d", "--workspace", "/no/workspace"]);
  expect(failureOf(end)).toMatchObject({
    exit: 2,
    code: "bad-usage",
    message: "The workspace /no/workspace does not exist.",
  });
  expect(existsSync(dataDir)).toBe(false);
});

describe("a data directory that another process holds", () => {
  test("is told at once by `up`, and is left alone", async () => {
    const dataDir = tempDir();
    const lock = lockDataDir(dataDir);
    onTestFinished(() => lock.release());
    const failure = failureOf(await up(dataDir));
    expect(failure).toMatchObject({ exit: 3, code: "data-directory-locked" });
    expect(readdirSync(dataDir).sort()).toEqual(["lock.db", "logs"]);
  });

  test("is waited for by a command that needs a daemon, which tells so and takes over when it is free", async () => {
    const dataDir = tempDir();
    const lock = lockDataDir(dataDir);
    const waits: string[] = [];
    const onWait = ({ code }: { code: string }): void => {
      waits.push(code);
      lock.release();
    };
    const options = { dataDir, workspace: tempDir(), now: Date.now, onWait };
    const lease = await ensureDaemon(options);
    onTestFinished(async () => void (await cli(["--data", dataDir, "down"])));
    expect(lease.state).toBe("ready");
    expect(waits).toEqual(["data-directory-locked"]);
  });

  test("is told by that command when its time is over", async () => {
    const dataDir = tempDir();
    const lock = lockDataDir(dataDir);
    onTestFinished(() => lock.release());
    const options = { dataDir, workspace: tempDir(), now: Date.now, timeoutMs: 1000 };
    await expect(ensureDaemon(options)).rejects.toMatchObject({ code: "data-directory-locked" });
  });
});

test.each([
  ["a file in its place", (dir: string) => writeFileSync(join(dir, "data"), "")],
  ["a file above it", (dir: string) => writeFileSync(join(dir, "file"), "")],
])("a data directory that cannot be written is told: %s", async (_, prepare) => {
  const dir = tempDir();
  prepare(dir);
  const dataDir = join(dir, readdirSync(dir).includes("data") ? "data" : "file/data");
  const failure = failureOf(await up(dataDir));
  expect(failure).toMatchObject({ exit: 2, code: "data-directory-unwritable" });
  expect(failure.message).toContain(dataDir);
});

test.skipIf(process.getuid?.() === 0)(
  "a data directory of another is told as unwritable",
  async () => {
    const dir = tempDir();
    chmodSync(dir, 0o500);
    expect(failureOf(await up(join(dir, "data")))).toMatchObject({
      exit: 2,
      code: "data-directory-unwritable",
    });
  },
);

test("a damaged audit database is told with the copy that was kept, and left as it is", async () => {
  const dataDir = tempDir();
  const file = join(dataDir, "audit.db");
  writeFileSync(file, "this is no database".repeat(1000));
  const failure = failureOf(await up(dataDir));
  expect(failure).toMatchObject({ exit: 2, code: "audit-store-corrupt" });
  const copy = readdirSync(dataDir).find((name) => name.startsWith("audit.db.corrupt-")) ?? "";
  expect(failure.hint).toContain(copy);
  expect(readFileSync(join(dataDir, copy))).toEqual(readFileSync(file));
  expect(failureOf(await up(dataDir))).toMatchObject({ code: "audit-store-corrupt" });
  expect(readdirSync(dataDir).filter((name) => name.includes("corrupt"))).toEqual([copy]);
});

test("an audit database of a newer version is told with both versions, and untouched", async () => {
  const dataDir = tempDir();
  const file = join(dataDir, "audit.db");
  const db = new Database(file);
  db.pragma("journal_mode = WAL");
  db.pragma("user_version = 99");
  db.close();
  const before = readFileSync(file);
  const failure = failureOf(await up(dataDir));
  expect(failure).toMatchObject({ exit: 2, code: "audit-store-newer" });
  expect(failure.message).toMatch(/schema 99; this version knows \d+/);
  expect(readFileSync(file)).toEqual(before);
});

test.each([
  [".env", "MSGSYS_NATS_PORT=many", /MSGSYS_NATS_PORT in \.env.*expected number.*many/],
  [".env", "MSGSYS_LOG_LEVEL=loud", /MSGSYS_LOG_LEVEL in \.env.*loud/],
  [".env", 'MSGSYS_WORKERS_POOLS={"a":', /MSGSYS_WORKERS_POOLS in \.env/],
  [".env.development", "MSGSYS_LEASE_HEARTBEAT_MS=1", /HEARTBEAT_MS in \.env\.development.*50/],
])("a malformed setting is told with its variable and file: %s %s", async (name, text, words) => {
  const cwd = tempDir();
  writeFileSync(join(cwd, name), `${text}\n`);
  const failure = failureOf(await up(tempDir(), { cwd }));
  expect(failure).toMatchObject({ exit: 2, code: "bad-settings" });
  expect(failure.message).toMatch(words);
});

test("a variable of the environment is told as such, and a file that is no text of variables too", async () => {
  const env = { MSGSYS_NATS_MAX_FILE_STORE_BYTES: "-1" };
  expect(failureOf(await up(tempDir(), { env })).message).toMatch(
    /MSGSYS_NATS_MAX_FILE_STORE_BYTES in the environment/,
  );
  const cwd = tempDir();
  mkdirSync(join(cwd, ".env"));
  const failure = failureOf(await up(tempDir(), { cwd }));
  expect(failure).toMatchObject({ exit: 2, code: "bad-settings" });
  expect(failure.message).toContain(join(cwd, ".env"));
});

test("settings of a configuration that do not exist are told with file and key", async () => {
  const cwd = tempDir();
  const text = "export default { tasks: [], hooks: [], settings: { nats: { prot: 4222 } } };\n";
  writeFileSync(join(cwd, "msgsys.config.ts"), text);
  const failure = failureOf(await up(tempDir(), { cwd }));
  expect(failure).toMatchObject({ exit: 2, code: "bad-settings" });
  expect(failure.message).toContain("nats.prot. Did you mean nats.port?");
});

test("a second start on the same directory ends with 3 and names the first", async () => {
  const dataDir = tempDir();
  const first = spawnCli(["--data", dataDir, "--json", "up"], { cwd: tempDir() });
  let out = "";
  first.stdout?.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  await until(() => out.includes("\n"));
  const { pid } = JSON.parse(out) as { pid: number };
  for (const mode of [[], ["--detach"]]) {
    const second = await cli(["--data", dataDir, "--json", "up", ...mode]);
    expect(failureOf(second)).toMatchObject({ exit: 3, code: "already-running" });
    expect(second.err).toContain(`pid ${pid}`);
  }
  first.kill("SIGINT");
  await until(
    () => first.exitCode,
    (code) => code !== null,
  );
  expect(first.exitCode).toBe(0);
});
