import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { isProcessAlive } from "../../daemon/lifecycle/process-alive.ts";
import { restartPolicy } from "../../daemon/lifecycle/restart-policy.ts";
import { connectNats } from "../../daemon/nats/connect.ts";
import { watchDisconnects } from "../../daemon/nats/disconnects.ts";
import { locateNatsServer } from "../../daemon/nats/locate.ts";
import { serverFilesOf } from "../../daemon/nats/server-files.ts";
import { embeddedServer, locateForTests } from "../support/embedded-server.ts";
import { person } from "../support/person.ts";
import { tempDir } from "../support/temp-dir.ts";
import { until } from "../support/until.ts";

const QUICK = { firstDelayMs: 10, maxDelayMs: 10, factor: 1, jitter: 0, windowMs: 60_000 };

test("the server starts on a free port of this machine, answers and is gone after the stop", async () => {
  const { server, connect, keys, dataDir } = await embeddedServer();
  const { nc } = await connect(keys.daemon);
  await nc.flush();
  expect((await fetch(`${server.httpUrl()}/healthz`)).status).toBe(200);
  const pid = (await server.pid())!;
  expect(server.state()).toEqual({ kind: "running", pid, restarts: 0 });
  expect(statSync(serverFilesOf(dataDir).config).mode & 0o777).toBe(0o600);
  await nc.close();
  await server.stop();
  expect(isProcessAlive(pid)).toBe(false);
  expect(server.state()).toEqual({ kind: "stopped" });
});

test("no file that the server can be read from holds a seed", async () => {
  const { dataDir, keys } = await embeddedServer({ people: [person("ann", "Admin")] });
  const config = readFileSync(serverFilesOf(dataDir).config, "utf8");
  expect(config).toContain(keys.daemon.publicKey);
  expect(config).not.toMatch(/\bSU[A-Z2-7]{56}\b/);
});

test("a server that is killed comes back on the same port and clients with it", async () => {
  const { server, connect, keys } = await embeddedServer();
  const link = await connect(keys.daemon);
  const states: string[] = [];
  link.onState((state) => states.push(state.kind));
  const pid = (await server.pid())!;
  process.kill(pid, "SIGKILL");
  await until(
    () => server.state(),
    (state) => state.kind === "running" && state.pid !== pid,
  );
  await until(() => link.state().kind === "connected" && states.length >= 2);
  expect(states).toEqual(["reconnecting", "connected"]);
  expect(link.nc.getServer()).toBe(`127.0.0.1:${server.port}`);
  expect(server.state()).toMatchObject({ restarts: 1 });
});

test("a server that keeps dying is given up, and its state says so", async () => {
  const { server } = await embeddedServer({ policy: restartPolicy({ ...QUICK, maxRestarts: 1 }) });
  process.kill((await server.pid())!, "SIGKILL");
  await until(
    () => server.state(),
    (state) => state.kind === "running" && state.restarts === 1,
  );
  process.kill((await server.pid())!, "SIGKILL");
  const state = await until(
    () => server.state(),
    ({ kind }) => kind === "given-up",
  );
  expect(state).toEqual({ kind: "given-up", why: "SIGKILL", restarts: 1 });
});

/** A process that has started the server, and the server's process id. */
async function startedByChild(dataDir: string, env: NodeJS.ProcessEnv) {
  const { path, version } = await locateForTests();
  const program = join(import.meta.dirname, "../support/start-server-child.ts");
  const child: ChildProcess = fork(program, [dataDir, path, version], { env, execArgv: [] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [told] = (await once(child, "message")) as [{ pid: number; url: string }];
  onTestFinished(() => {
    if (isProcessAlive(told.pid)) process.kill(told.pid, "SIGKILL");
  });
  return { child, ...told };
}

test.each([
  ["as this machine guards it", process.env],
  ["guarded by the shell", { ...process.env, PATH: "/nonexistent" }],
])("kill -9 of the process that started the server ends the server (%s)", async (_, env) => {
  const { child, pid } = await startedByChild(tempDir(), env);
  expect(isProcessAlive(pid)).toBe(true);
  child.kill("SIGKILL");
  await until(() => !isProcessAlive(pid));
});

test("a server that outlived its daemon is ended before another takes its store", async () => {
  const first = await embeddedServer();
  await first.server.stop();
  const files = serverFilesOf(first.dataDir);
  const { path } = await locateForTests();
  const orphan = spawn(path, ["-c", files.config], { stdio: "ignore", detached: true });
  onTestFinished(() => void orphan.kill("SIGKILL"));
  await until(
    () => existsSync(files.pid) && readFileSync(files.pid, "utf8") === String(orphan.pid),
  );
  const { server } = await embeddedServer({ dataDir: first.dataDir });
  expect(orphan.exitCode ?? orphan.signalCode).not.toBeNull();
  expect(await server.pid()).not.toBe(orphan.pid);
});

test("a stranger that has the number of a former server is left alone", async () => {
  const first = await embeddedServer();
  await first.server.stop();
  const stranger = spawn("sleep", ["60"], { stdio: "ignore" });
  onTestFinished(() => void stranger.kill("SIGKILL"));
  writeFileSync(serverFilesOf(first.dataDir).pid, String(stranger.pid));
  await embeddedServer({ dataDir: first.dataDir });
  expect(isProcessAlive(stranger.pid!)).toBe(true);
});

test("a fixed port is used, and one that is taken is told as such", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  await expect(embeddedServer({ nats: { port } })).rejects.toMatchObject({
    code: "port-taken",
    message: `Port ${port} on 127.0.0.1 is taken.`,
  });
  other.close();
  await once(other, "close");
  const { server } = await embeddedServer({ nats: { port } });
  expect(server.port).toBe(port);
});

test("a monitoring port that is taken is told as such", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void other.close());
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  await expect(embeddedServer({ nats: { httpPort: port } })).rejects.toMatchObject({
    code: "port-taken",
    message: `Port ${port} on 127.0.0.1 is taken.`,
    hint: "Choose another nats.httpPort, or -1 for any free port.",
  });
});

/** A program that says it is a nats-server of `version` and does `then` when it is to serve. */
function fakeServer(version: string, then = "exit 1"): string {
  const file = join(tempDir(), "nats-server");
  const script = `#!/bin/sh\nif [ "$1" = --version ]; then echo "nats-server: v${version}"; exit; fi\n${then}\n`;
  writeFileSync(file, script);
  chmodSync(file, 0o755);
  return file;
}

function locateAt(serverPath: string) {
  return () =>
    locateNatsServer({ serverPath, cacheDir: "/none", allowDownload: false, log: () => {} });
}

test("a server that is too old is refused with its version and the one needed", async () => {
  const path = fakeServer("2.10.27");
  await expect(embeddedServer({ locate: locateAt(path) })).rejects.toMatchObject({
    code: "nats-server-too-old",
    message: `nats-server 2.10.27 at ${path} is too old; 2.12.1 or newer is needed.`,
  });
});

test("a server that ends at its start is told with its last words and its log", async () => {
  const path = fakeServer("2.15.1", 'echo "[1] [FTL] the disk is on fire" >&2; exit 1');
  await expect(embeddedServer({ locate: locateAt(path) })).rejects.toMatchObject({
    code: "nats-server-failed",
    message: "nats-server did not start: the disk is on fire.",
    hint: expect.stringContaining("nats.log"),
  });
});

test("a person who is removed is disconnected at once, the others stay", async () => {
  const [ann, bob] = [person("ann", "Admin"), person("bob", "Operator")];
  const { connect, reload, keys } = await embeddedServer({ people: [ann, bob] });
  const links = {
    ann: await connect(ann),
    bob: await connect(bob),
    daemon: await connect(keys.daemon),
  };
  const disconnected: string[] = [];
  for (const [name, link] of Object.entries(links))
    link.onState(({ kind }) => kind !== "connected" && disconnected.push(name));
  await reload([ann]);
  const closed = await until(
    () => links.bob.state(),
    ({ kind }) => kind === "closed",
  );
  expect(closed).toMatchObject({ error: { code: "credentials-refused" } });
  await Promise.all([links.ann.nc.flush(), links.daemon.nc.flush()]);
  expect(new Set(disconnected)).toEqual(new Set(["bob"]));
});

test("a lowered role is in force when the reload has resolved, and a new person may come in", async () => {
  const ann = person("ann", "Manager");
  const bob = person("bob", "Viewer");
  const { connect, reload, keys } = await embeddedServer({ people: [ann] });
  const daemon = await connect(keys.daemon);
  const heard: string[] = [];
  daemon.nc.subscribe("ms.api.>", { callback: (_, message) => void heard.push(message.subject) });
  await daemon.nc.flush();
  const link = await connect(ann);
  const ask = async (level: number): Promise<void> => {
    await until(() => link.state().kind === "connected");
    link.nc.publish(`ms.api.v1.ann.escalate.${level}`);
    await link.nc.flush();
    await daemon.nc.flush();
  };
  await ask(9);
  await reload([{ ...ann, role: "Operator" }, bob]);
  await ask(9);
  await ask(8);
  expect(heard).toEqual(["ms.api.v1.ann.escalate.9", "ms.api.v1.ann.escalate.8"]);
  expect((await connect(bob)).state().kind).toBe("connected");
});

test("users that the server does not take change nothing", async () => {
  const ann = person("ann", "Admin");
  const { connect, reload, dataDir } = await embeddedServer({ people: [ann] });
  const before = readFileSync(serverFilesOf(dataDir).config, "utf8");
  const broken = { ...person("bob", "Viewer"), publicKey: "UBROKEN" };
  await expect(reload([ann, broken])).rejects.toMatchObject({ code: "nats-server-failed" });
  expect(readFileSync(serverFilesOf(dataDir).config, "utf8")).toBe(before);
  expect((await connect(ann)).state().kind).toBe("connected");
});

test("users changed while the server is down are in force when it is back", async () => {
  const ann = person("ann", "Admin");
  const slow = restartPolicy({ ...QUICK, firstDelayMs: 2000, maxDelayMs: 2000, maxRestarts: 3 });
  const { server, connect, reload } = await embeddedServer({ policy: slow });
  process.kill((await server.pid())!, "SIGKILL");
  await until(() => server.state().kind === "backoff");
  await reload([ann]);
  await until(() => server.state().kind === "running");
  expect((await connect(ann)).state().kind).toBe("connected");
});

test("the end of a worker's connection is told at once with its name", async () => {
  const { server, connect, keys } = await embeddedServer();
  const gone: string[] = [];
  const watch = await watchDisconnects({
    servers: server.url,
    sysSeed: keys.sys.seed,
    onDisconnect: (name) => void gone.push(name),
  });
  const worker = await connect(keys.worker, { name: "worker:w1" });
  await connect(keys.worker, { name: "lease:w1" });
  await worker.nc.close();
  await until(() => gone.length > 0);
  expect(gone).toEqual(["worker:w1"]);
  await watch.stop();
});

test("an address where nothing answers is told as such, at once", async () => {
  const { connect, keys, server } = await embeddedServer();
  await server.stop();
  await expect(connect(keys.daemon)).rejects.toMatchObject({ code: "connection-refused" });
});

test("waiting for the first connection lasts until the server is there", async () => {
  const first = await embeddedServer();
  const { port } = first.server;
  await first.server.stop();
  const { seed } = first.keys.daemon;
  const waiting = connectNats({
    servers: first.server.url,
    seed,
    name: "early",
    inboxPrefix: "_INBOX_daemon",
    waitOnFirstConnect: true,
  });
  await embeddedServer({ dataDir: first.dataDir, nats: { port } });
  const link = await waiting;
  expect(link.state().kind).toBe("connected");
  await link.drain();
  expect(link.state()).toEqual({ kind: "closed", error: null });
});
