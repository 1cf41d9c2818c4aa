import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { until } from "../../support/until.ts";
import { openWindow, type TestWindow } from "../../support/window.ts";

describe("a window beside a daemon that runs", () => {
  let daemon: TestDaemon;
  let window: TestWindow;

  beforeEach(async () => {
    daemon = await startDaemon();
    window = openWindow({ place: { kind: "local", dataDir: daemon.dataDir } });
  });

  afterEach(async () => {
    await window.close();
    await daemon.close();
  });

  test("it finds the daemon by its lease, logs in as the directory's owner and measures the round trip", async () => {
    window.connection.connect();
    const connected = await window.reaches("connected");
    const status = await daemon.client.status();
    expect(connected).toMatchObject({
      url: status.nats.url,
      daemonVersion: status.daemon.version,
      serverVersion: status.nats.version,
    });
    expect(window.connection.identity.get()).toEqual({ user: daemon.client.user, role: "Admin" });
    expect(window.kinds()).toEqual(["idle", "connecting", "connected"]);
    const measured = await until(
      () => window.connection.state.get(),
      (state) => state.kind === "connected" && state.rttMs !== null,
    );
    expect(measured).toMatchObject({ rttMs: expect.any(Number) });
  });

  test("nats-server killed: it says so, and the same client goes on when the server is back", async () => {
    window.connection.connect();
    await window.reaches("connected");
    const client = window.connection.client.get()!;
    const { nats } = await client.status();
    process.kill(nats.pid!, "SIGKILL");
    const down = await window.reaches("reconnecting");
    expect(down.cause.code).toBe("closed");
    await window.reaches("connected");
    expect(window.connection.client.get()).toBe(client);
    expect((await client.status()).nats.pid).not.toBe(nats.pid);
    expect(window.kinds().filter((kind) => kind === "offline")).toEqual([]);
    expect(window.connection.history().map(({ kind }) => kind)).toEqual(window.kinds().slice(1));
  });

  test("the daemon killed: within seconds it is offline with no daemon, and the client is gone", async () => {
    window.connection.connect();
    await window.reaches("connected");
    await daemon.kill();
    await window.reaches("reconnecting");
    const offline = await window.reaches("offline");
    expect(offline.cause.code).toBe("no-daemon");
    expect(window.connection.client.get()).toBeNull();
    expect(window.connection.identity.get()).toBeNull();
  });

  test("a daemon that starts again on another port is found by its lease, without being asked to", async () => {
    window.connection.connect();
    const { url } = await window.reaches("connected");
    await daemon.kill();
    await window.reaches("offline");
    daemon = await daemon.restart();
    const again = await window.reaches("connected");
    expect(again.url).toBe(daemon.lease()!.natsUrl);
    expect(again.url).not.toBe(url);
    expect((await window.connection.client.get()!.status()).daemon.pid).toBe(daemon.child.pid);
  });

  test("what is followed before an outage of the server is heard after it", async () => {
    window.connection.connect();
    await window.reaches("connected");
    const client = window.connection.client.get()!;
    const heard: string[] = [];
    client.follow({ kinds: ["task"] }, (event) => {
      if (event.kind === "task" && event.status === "completed") heard.push(event.taskId);
    });
    process.kill((await client.status()).nats.pid!, "SIGKILL");
    await window.reaches("reconnecting");
    await window.reaches("connected");
    const { id } = await client.enqueue("test.work", { file: join(daemon.dataDir, "trace") });
    await until(() => heard.includes(id));
  });

  test("a window that is closed leaves the daemon running", async () => {
    window.connection.connect();
    await window.reaches("connected");
    await window.close();
    expect((await daemon.client.status()).daemon.state).toBe("ready");
  });

  test("stopped by one window, the daemon is stopped there and gone for another one", async () => {
    const other = openWindow({ place: { kind: "local", dataDir: daemon.dataDir } });
    try {
      window.connection.connect();
      other.connection.connect();
      await window.reaches("connected");
      await other.reaches("connected");
      await window.connection.stop();
      expect(window.connection.state.get().kind).toBe("stopped");
      expect((await other.reaches("offline")).cause.code).toBe("no-daemon");
      await until(() => daemon.child.exitCode === 0);
    } finally {
      await other.close();
    }
  });

  test("stopped here and started elsewhere, it is found again", async () => {
    window.connection.connect();
    await window.reaches("connected");
    await window.connection.stop();
    await daemon.client.close();
    daemon = await daemon.restart();
    await window.reaches("connected");
  });
});
