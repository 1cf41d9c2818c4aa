import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { connectNats, pinnedTls } from "../../daemon/nats/connect.ts";
import { inboxPrefixOf } from "../../daemon/nats/permissions.ts";
import { startDaemon } from "../support/daemon.ts";
import { embeddedServer } from "../support/embedded-server.ts";
import { tempDir } from "../support/temp-dir.ts";
import { until } from "../support/until.ts";

const hasOpenssl = (() => {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    // Ignored: a machine without openssl cannot make certificates for this test.
    return false;
  }
})();

/** A certificate for nats.example, which is not the name by which the tests reach the server. */
function certificate(): { tlsCert: string; tlsKey: string } {
  const dir = tempDir();
  const [tlsCert, tlsKey] = [join(dir, "cert.pem"), join(dir, "key.pem")];
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"].concat(
      ["-days", "2", "-subj", "/CN=nats.example", "-addext", "subjectAltName=DNS:nats.example"],
      ["-keyout", tlsKey, "-out", tlsCert],
    ),
    { stdio: "ignore" },
  );
  return { tlsCert, tlsKey };
}

test.skipIf(!hasOpenssl)(
  "with TLS the server listens on all addresses, and this machine takes exactly its certificate",
  async () => {
    const tls = certificate();
    const { server, connect, keys } = await embeddedServer({ nats: { host: "0.0.0.0", ...tls } });
    expect(server.url).toBe(`nats://127.0.0.1:${server.port}`);
    const link = await connect(keys.daemon, { tls: pinnedTls(tls.tlsCert) });
    await link.nc.flush();

    const other = certificate();
    const own = readFileSync(tls.tlsCert, "utf8");
    expect(readFileSync(other.tlsCert, "utf8")).not.toBe(own);
    await expect(connect(keys.daemon, { tls: pinnedTls(other.tlsCert) })).rejects.toMatchObject({
      code: "tls-failed",
    });
    await expect(connect(keys.daemon)).rejects.toMatchObject({ code: "tls-failed" });
  },
);

test.skipIf(!hasOpenssl)(
  "with a certificate of its own a daemon's workers, audit and clients reach its server",
  async () => {
    const { tlsCert, tlsKey } = certificate();
    const daemon = await startDaemon({ set: { "nats.tlsCert": tlsCert, "nats.tlsKey": tlsKey } });
    onTestFinished(() => daemon.close());
    expect(daemon.client.nc.info?.tls_required).toBe(true);
    const task = await daemon.client.enqueue("test.work", { file: "/dev/null" });
    await daemon.client.waitResult(task, { timeoutMs: 20_000 });
    await until(
      () => daemon.client.list({ where: { status: ["completed"] } }),
      ({ tasks }) => tasks.some(({ id }) => id === task.id),
    );
  },
);

test.skipIf(!hasOpenssl)(
  "a key that is not the certificate's is told by both settings",
  async () => {
    const [{ tlsCert }, { tlsKey }] = [certificate(), certificate()];
    await expect(embeddedServer({ nats: { tlsCert, tlsKey } })).rejects.toMatchObject({
      code: "bad-settings",
      message: `The key ${tlsKey} does not belong to the certificate ${tlsCert}.`,
    });
    await expect(
      embeddedServer({ nats: { tlsCert: "/no/cert.pem", tlsKey } }),
    ).rejects.toMatchObject({ code: "bad-settings", details: { where: "nats.tlsCert" } });
  },
);

test("an address with tls:// never connects in plain text", async () => {
  const { server, keys } = await embeddedServer();
  const secured = connectNats({
    servers: server.url.replace("nats://", "tls://"),
    seed: keys.daemon.seed,
    name: "test",
    inboxPrefix: inboxPrefixOf("daemon"),
  });
  await expect(secured).rejects.toMatchObject({ code: "tls-failed" });
});

test("an address that others reach is refused without TLS, and nothing is started", async () => {
  const dataDir = tempDir();
  const refused = embeddedServer({ dataDir, nats: { host: "0.0.0.0" } });
  await expect(refused).rejects.toMatchObject({ code: "bad-settings" });
});
