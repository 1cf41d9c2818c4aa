import { readFileSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { cliHere } from "../../../support/cli.ts";
import { startDaemon, type TestDaemon, type TestDaemonOptions } from "../../../support/daemon.ts";
import { linkOf, openView, signIn } from "../../../support/dashboard.ts";
import { tempDir } from "../../../support/temp-dir.ts";
import { until } from "../../../support/until.ts";

async function start(set: TestDaemonOptions["set"], dataDir?: string): Promise<TestDaemon> {
  const few = { "workers.pools": '{"only":{"queues":["test"],"slots":1}}' };
  return startDaemon({ set: { ...few, ...set }, ...(dataDir === undefined ? {} : { dataDir }) });
}

/** A port that is taken until the test ends. */
async function takenPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test("when its port is taken the dashboard takes another, and status says so", async () => {
  const port = await takenPort();
  const daemon = await start({ "dashboard.port": port });
  onTestFinished(() => daemon.close());
  const { origin } = await linkOf(daemon.client);
  expect(Number(new URL(origin).port)).not.toBe(port);
  const { out } = await cliHere(["--data", daemon.dataDir, "status"]);
  expect(out).toContain(`${origin} (port ${port} is taken)`);
});

function readNote(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // Ignored: not written yet.
    return null;
  }
}

test("msgsys dashboard --open gives the link to the system's opener, and says so when there is none", async () => {
  const daemon = await start({});
  onTestFinished(() => daemon.close());
  const bin = tempDir();
  const note = join(bin, "note");
  const opener = process.platform === "darwin" ? "open" : "xdg-open";
  writeFileSync(join(bin, opener), `#!/bin/sh\nprintf %s "$1" > "${note}"\n`, { mode: 0o755 });
  const argv = ["--data", daemon.dataDir, "dashboard", "--open"];
  const end = await cliHere(argv, { env: { PATH: bin } });
  expect(await until(() => readNote(note))).toBe(end.out.trim());
  const without = await cliHere(argv, { env: { PATH: tempDir() } });
  expect([without.code, without.err.includes("open the link yourself")]).toEqual([0, true]);
});

test("while the broker is away open dashboards are told, and told again when it is back", async () => {
  const daemon = await start({});
  onTestFinished(() => daemon.close());
  const { origin, cookie } = await signIn(daemon.client);
  const view = await openView(origin, cookie);
  onTestFinished(() => view.close());
  view.send({ type: "ready" });
  const kinds = (): string[] => view.of("connection").map(({ state }) => state.kind);
  await until(() => kinds().includes("connected"));
  const { pid } = (await daemon.client.status()).nats;
  process.kill(pid ?? 0, "SIGKILL");
  await until(() => kinds().includes("reconnecting"));
  await until(() => kinds().at(-1) === "connected");
  const { history } = view.of("connection").at(-1)!;
  expect(history.map(({ kind }) => kind)).toEqual(["connected", "reconnecting", "connected"]);
  await until(async () => (await view.request("status", {})).ok);
});

test("switched off it is not served: status says so, and a link is refused with what to do", async () => {
  const daemon = await start({ "dashboard.enabled": "false" });
  onTestFinished(() => daemon.close());
  const { out } = await cliHere(["--data", daemon.dataDir, "status"]);
  expect(out).toContain(
    "Dashboard  not served: it is switched off by the setting dashboard.enabled",
  );
  const end = await cliHere(["--data", daemon.dataDir, "dashboard"]);
  expect([end.code, end.out]).toEqual([2, ""]);
  expect(end.err).toContain("dashboard.enabled");
});

test("with dashboards open the daemon stops in order, says goodbye, and a browser is still signed in with the next daemon", async () => {
  const first = await start({});
  const { origin, cookie } = await signIn(first.client);
  const port = Number(new URL(origin).port);
  const views = await Promise.all([openView(origin, cookie), openView(origin, cookie)]);
  await first.client.close();
  first.child.kill("SIGTERM");
  expect(await Promise.all(views.map((view) => view.closed))).toEqual([1001, 1001]);
  await until(() => first.child.exitCode !== null || first.child.signalCode !== null);
  expect(first.child.exitCode).toBe(0);

  const second = await start({ "dashboard.port": port }, first.dataDir);
  onTestFinished(() => second.close());
  const view = await openView(origin, cookie);
  expect(await view.request("status", {})).toMatchObject({ ok: true });
  await view.close();
});
