import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  describeSettings,
  loadSettings,
  resolveDataDir,
  type SettingsInputs,
} from "../../../../daemon/settings.ts";
import { tempDir } from "../../../support/temp-dir.ts";

function workspace(files: Readonly<Record<string, string>> = {}): string {
  const cwd = tempDir();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  return cwd;
}

function load(cwd: string, more: Partial<SettingsInputs> = {}) {
  return loadSettings({ cwd, env: {}, flags: {}, ...more });
}

test("without any source every setting has its default", async () => {
  const { settings, sources, warnings } = await load(workspace());
  expect(settings.nats.host).toBe("127.0.0.1");
  expect(settings.logLevel).toBe("info");
  expect({ sources, warnings }).toEqual({ sources: {}, warnings: [] });
});

test("each source goes over the ones before: .env, its environment's, the config file, variables, flags", async () => {
  const cwd = workspace({
    ".env": Array.from("abcde", (_, n) => `${VARIABLES[n]}=1001`).join("\n"),
    ".env.development": Array.from("abcd", (_, n) => `${VARIABLES[n]}=1002`).join("\n"),
    "msgsys.config.ts": "",
  });
  const { settings, sources } = await load(cwd, {
    readConfig: async () => ({
      lease: { heartbeatMs: 1003, ackWaitMs: 1003 },
      sweep: { busyMs: 1003 },
    }),
    env: { MSGSYS_LEASE_HEARTBEAT_MS: "1004", MSGSYS_LEASE_ACK_WAIT_MS: "1004" },
    flags: { "lease.heartbeatMs": "1005" },
  });
  expect([
    settings.lease.heartbeatMs,
    settings.lease.ackWaitMs,
    settings.sweep.busyMs,
    settings.sweep.idleMs,
    settings.retention.sweepMs,
  ]).toEqual([1005, 1004, 1003, 1002, 1001]);
  expect(sources).toMatchObject({
    "lease.heartbeatMs": "a flag for lease.heartbeatMs",
    "lease.ackWaitMs": "MSGSYS_LEASE_ACK_WAIT_MS in the environment",
    "sweep.idleMs": "MSGSYS_SWEEP_IDLE_MS in .env.development",
    "retention.sweepMs": "MSGSYS_RETENTION_SWEEP_MS in .env",
  });
});

const VARIABLES = [
  "MSGSYS_LEASE_HEARTBEAT_MS",
  "MSGSYS_LEASE_ACK_WAIT_MS",
  "MSGSYS_SWEEP_BUSY_MS",
  "MSGSYS_SWEEP_IDLE_MS",
  "MSGSYS_RETENTION_SWEEP_MS",
];

test("the environment chooses the second .env file, by our name of the variable or the common one", async () => {
  const cwd = workspace({
    ".env": "ENVIRONMENT=staging",
    ".env.staging": "LOG_LEVEL=warn",
    ".env.production": "LOG_LEVEL=error",
  });
  expect((await load(cwd)).settings).toMatchObject({ environment: "staging", logLevel: "warn" });
  const production = await load(cwd, { env: { MSGSYS_ENVIRONMENT: "production" } });
  expect(production.settings).toMatchObject({ environment: "production", logLevel: "error" });
});

test("a file that is chosen by the environment cannot choose another one", async () => {
  const cwd = workspace({ ".env.development": "ENVIRONMENT=production" });
  await expect(load(cwd)).rejects.toMatchObject({
    code: "bad-settings",
    message: expect.stringContaining("ENVIRONMENT in .env.development"),
  });
});

test("an environment's name cannot lead out of the folder", async () => {
  const escaped = load(workspace(), { env: { ENVIRONMENT: "../../etc/passwd" } });
  await expect(escaped).rejects.toMatchObject({ code: "bad-settings" });
});

test.each([
  [".env", "MSGSYS_NATS_PORT=abc", "MSGSYS_NATS_PORT in .env"],
  [".env.development", "LOG_LEVEL=loud", "LOG_LEVEL in .env.development"],
])("a wrong value in %s names the variable and the file", async (file, line, named) => {
  await expect(load(workspace({ [file]: line }))).rejects.toMatchObject({
    code: "bad-settings",
    message: expect.stringContaining(named),
    hint: expect.stringContaining(named),
  });
});

test("a wrong variable, flag or key of the config file is named", async () => {
  await expect(
    load(workspace(), { env: { MSGSYS_WORKERS_POOLS: '{"a":{"queues":[],"slots":1}}' } }),
  ).rejects.toMatchObject({
    message: expect.stringMatching(/MSGSYS_WORKERS_POOLS in the environment \(at a\.queues\)/),
  });
  await expect(load(workspace(), { flags: { "nats.port": 70_000 } })).rejects.toMatchObject({
    message: expect.stringContaining("a flag for nats.port"),
  });
  const config = workspace({ "msgsys.config.ts": "" });
  await expect(
    load(config, { readConfig: async () => ({ nats: { prot: 1 } }) }),
  ).rejects.toMatchObject({ message: "There is no setting nats.prot. Did you mean nats.port?" });
});

test("a variable that is a slip of a setting's name is told, others of the same prefix are not", async () => {
  const { warnings } = await load(workspace(), {
    env: { MSGSYS_NATS_PROT: "1", MSGSYS_CACHE: "/c", MSGSYS_DATA: "/d" },
  });
  expect(warnings).toEqual([
    "MSGSYS_NATS_PROT in the environment is no setting; MSGSYS_NATS_PORT is one.",
  ]);
});

test("an empty variable is as good as absent", async () => {
  const { settings } = await load(workspace(), { env: { MSGSYS_NATS_URL: "", LOG_LEVEL: " " } });
  expect(settings.nats.url).toBeUndefined();
  expect(settings.logLevel).toBe("info");
});

test("paths are meant from the workspace folder", async () => {
  const cwd = workspace({ ".env": "MSGSYS_CLS_CHECKOUT=../cls" });
  expect((await load(cwd)).settings.cls.checkout).toBe(join(cwd, "..", "cls"));
});

test("the workspace's config file is found, and a named one must exist", async () => {
  const cwd = workspace({ "msgsys.config.ts": "" });
  const { settings, sources } = await load(cwd, { readConfig: async () => null });
  expect(settings.workers.config).toBe(join(cwd, "msgsys.config.ts"));
  expect(sources["workers.config"]).toBe("found in the workspace");
  const missing = load(cwd, { flags: { "workers.config": "other.ts" } });
  await expect(missing).rejects.toMatchObject({
    code: "bad-settings",
    message: expect.stringContaining("other.ts does not exist"),
  });
});

test("the description has every setting with its source and hides a password in an address", async () => {
  const loaded = await load(workspace(), { env: { NATS_URL: "nats://me:pass@host:4222" } });
  const rows = describeSettings(loaded);
  expect(rows.find(({ key }) => key === "nats.url")).toEqual({
    key: "nats.url",
    value: "nats://[secret]@host:4222",
    source: "NATS_URL in the environment",
  });
  expect(rows.find(({ key }) => key === "sweep.busyMs")).toEqual({
    key: "sweep.busyMs",
    value: 500,
    source: "default",
  });
});

test("an .env that cannot be read is an error, not an absence", async () => {
  const cwd = workspace();
  mkdirSync(join(cwd, ".env"));
  await expect(load(cwd)).rejects.toMatchObject({ code: "bad-settings" });
});

test("the data directory is that of the flag, of MSGSYS_DATA, else the user's own", () => {
  const linux = { env: {}, platform: "linux", home: "/home/ann", cwd: "/w" } as const;
  expect(resolveDataDir({ ...linux, flag: "x", env: { MSGSYS_DATA: "/y" } })).toBe("/w/x");
  expect(resolveDataDir({ ...linux, env: { MSGSYS_DATA: "~/y" } })).toBe("/home/ann/y");
  expect(resolveDataDir(linux)).toBe("/home/ann/.local/share/msgsys");
  expect(resolveDataDir({ ...linux, env: { XDG_DATA_HOME: "/x" } })).toBe("/x/msgsys");
  expect(resolveDataDir({ ...linux, env: { XDG_DATA_HOME: "x" } })).toBe(
    "/home/ann/.local/share/msgsys",
  );
  expect(resolveDataDir({ ...linux, platform: "darwin" })).toBe(
    "/home/ann/Library/Application Support/msgsys",
  );
  const windows = { ...linux, platform: "win32", home: "C:\\ann", cwd: "C:\\w" } as const;
  expect(resolveDataDir(windows)).toBe("C:\\ann\\AppData\\Local\\msgsys");
  expect(resolveDataDir({ ...windows, env: { LOCALAPPDATA: "D:\\l" } })).toBe("D:\\l\\msgsys");
});
