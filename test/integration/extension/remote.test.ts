import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { createUser } from "@nats-io/nkeys";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { causeOf } from "../../../extension/daemon/causes.ts";
import { openLink } from "../../../extension/daemon/client.ts";
import type { Login } from "../../../extension/daemon/login.ts";
import type { Role } from "../../../shared/roles.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { embeddedServer } from "../../support/embedded-server.ts";
import { tempDir } from "../../support/temp-dir.ts";
import { until } from "../../support/until.ts";
import { openWindow, type TestWindow } from "../../support/window.ts";

let daemon: TestDaemon;
let window: TestWindow | null = null;

beforeAll(async () => {
  daemon = await startDaemon();
});
afterEach(async () => {
  await window?.close();
  window = null;
});
afterAll(() => daemon.close());

/** A person of the daemon, with the login that `msgsys user add` would have written. */
async function person(name: string, role: Role): Promise<Login> {
  const pair = createUser();
  await daemon.client.request("user_add", { name, role, publicKey: pair.getPublicKey() });
  return { user: name, seed: new TextDecoder().decode(pair.getSeed()) };
}

function open(login: Login | null, url = daemon.lease()!.natsUrl): TestWindow {
  window = openWindow({ place: { kind: "remote", url, prefix: "ms" }, login });
  window.connection.connect();
  return window;
}

test("credentials of a person make a connection with that person's role", async () => {
  const remote = open(await person("grace", "Operator"));
  await remote.reaches("connected");
  expect(remote.connection.identity.get()).toEqual({ user: "grace", role: "Operator" });
});

test("without credentials it asks for them, and tries nothing", async () => {
  const offline = await open(null).reaches("offline");
  expect(offline.cause.code).toBe("not-signed-in");
});

test("credentials that the server does not know are refused in words, and not tried again", async () => {
  const pair = createUser();
  const seed = new TextDecoder().decode(pair.getSeed());
  const remote = open({ user: "nobody", seed });
  const offline = await remote.reaches("offline");
  expect(offline.cause).toMatchObject({
    code: "credentials",
    detail: expect.stringContaining("refused the credentials of nobody"),
  });
  expect(offline.cause.detail).not.toContain(seed);
  expect(remote.kinds()).toEqual(["idle", "connecting", "offline"]);
});

test("a login that is replaced counts from the next attempt on", async () => {
  const logins: (Login | null)[] = [null];
  const url = daemon.lease()!.natsUrl;
  const remote = openWindow({
    place: { kind: "remote", url, prefix: "ms" },
    get login() {
      return logins.at(-1) ?? null;
    },
  });
  window = remote;
  remote.connection.connect();
  await remote.reaches("offline");
  logins.push(await person("linus", "Viewer"));
  remote.connection.reset();
  await remote.reaches("connected");
  expect(remote.connection.identity.get()).toEqual({ user: "linus", role: "Viewer" });
});

test("who leaves is stopped, and the daemon goes on", async () => {
  const remote = open(await person("barbara", "Viewer"));
  await remote.reaches("connected");
  await remote.connection.leave();
  expect(remote.connection.state.get().kind).toBe("stopped");
  expect(remote.connection.client.get()).toBeNull();
  expect((await daemon.client.status()).daemon.state).toBe("ready");
});

test("an address at which nothing answers is offline after a few attempts", async () => {
  const offline = await open(await person("alan", "Viewer"), "nats://127.0.0.1:1").reaches(
    "offline",
  );
  expect(offline.cause.code).toBe("refused");
});

test("a name that nobody knows is told as such", async () => {
  const login = await person("edsger", "Viewer");
  const offline = await open(login, "nats://no-such-host.invalid:4222").reaches("offline");
  expect(offline.cause.code).toBe("dns");
});

test("the daemon of another machine can be neither started nor stopped", async () => {
  const remote = open(await person("donald", "Admin"));
  await remote.reaches("connected");
  await expect(remote.connection.start()).rejects.toThrow("another machine");
  await expect(remote.connection.stop()).rejects.toThrow("another machine");
  expect(remote.connection.state.get().kind).toBe("connected");
});

test("a person who is removed while connected is told so, and not tried again", async () => {
  const remote = open(await person("removed", "Viewer"));
  await remote.reaches("connected");
  await daemon.client.request("user_remove", { name: "removed" });
  const offline = await until(
    () => remote.connection.state.get(),
    (state) => state.kind === "offline",
  );
  expect(offline).toMatchObject({ cause: { code: "credentials" } });
});

test.skipIf(!hasOpenssl())(
  "with a pinned certificate exactly that one is accepted; without, the server's own is refused in words",
  async () => {
    const tls = certificate(tempDir());
    const { server, keys } = await embeddedServer({ nats: tls });
    const login = { user: "daemon", seed: new TextDecoder().decode(keys.daemon.seed) };
    const target = { ...login, url: server.url, prefix: "ms", where: server.url };
    const delayMs = (): number => 100;
    const link = await openLink({ ...target, tlsCertificate: tls.tlsCert }, delayMs);
    expect(await link.rtt()).toBeGreaterThanOrEqual(0);
    await link.close();
    const other = certificate(tempDir()).tlsCert;
    for (const tlsCertificate of [other, undefined]) {
      const refused = openLink({ ...target, tlsCertificate }, delayMs);
      expect(causeOf(await refused.catch((error: unknown) => error)).code).toBe("tls");
    }
  },
);

function hasOpenssl(): boolean {
  return spawnSync("openssl", ["version"]).status === 0;
}

/** A certificate for nats.example, which is not the name by which the test reaches the server. */
function certificate(dir: string): { readonly tlsCert: string; readonly tlsKey: string } {
  const [tlsCert, tlsKey] = [join(dir, "cert.pem"), join(dir, "key.pem")];
  const made = spawnSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-days", "2", "-subj", "/CN=nats.example", "-addext", "subjectAltName=DNS:nats.example"],
    ...["-keyout", tlsKey, "-out", tlsCert],
  ]);
  expect(made.status).toBe(0);
  return { tlsCert, tlsKey };
}
