import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { cli } from "../../support/cli.ts";
import { startNatsServer } from "../../support/nats-server.ts";
import { person } from "../../support/person.ts";
import { tempDir } from "../../support/temp-dir.ts";

/** What `msgsys up` says when the daemon is to use this external server, with a key of its own. */
async function refusalOf(url: string, seed: Uint8Array) {
  const credsFile = join(tempDir(), "daemon.nk");
  writeFileSync(credsFile, seed, { mode: 0o600 });
  const env = { MSGSYS_NATS_URL: url, MSGSYS_NATS_CREDS_FILE: credsFile };
  const flags = ["--data", tempDir(), "--json", "up", "--detach", "--timeout", "30s"];
  const { code, out } = await cli(flags, { cwd: tempDir(), env });
  return { exit: code, ...(JSON.parse(out) as { error: object }).error };
}

async function serverWith(config: string): Promise<string> {
  const server = await startNatsServer(config);
  onTestFinished(() => server.stop());
  return server.url;
}

test("an external server that does not answer is told with its setting", async () => {
  const refusal = await refusalOf("nats://127.0.0.1:9", person("daemon", "Admin").seed);
  expect(refusal).toMatchObject({
    exit: 4,
    code: "external-server-unreachable",
    hint: expect.stringContaining("nats.url"),
  });
});

test("an external server that does not know the daemon's key is told with the key", async () => {
  const [known, daemon] = [person("other", "Admin"), person("daemon", "Admin")];
  const url = await serverWith(`no_auth_user: guest
    authorization { users: [{ user: guest, password: guest }, { nkey: ${known.publicKey} }] }`);
  expect(await refusalOf(url, daemon.seed)).toMatchObject({
    exit: 5,
    code: "external-server-refused",
    hint: expect.stringContaining(daemon.publicKey),
  });
});

test("an external server whose account has no JetStream is told as such", async () => {
  const daemon = person("daemon", "Admin");
  const url = await serverWith(`no_auth_user: guest
    accounts { PLAIN { users: [{ user: guest, password: guest }, { nkey: ${daemon.publicKey} }] } }`);
  expect(await refusalOf(url, daemon.seed)).toMatchObject({
    exit: 2,
    code: "jetstream-missing",
    message: `The NATS server at ${url} offers the daemon no JetStream.`,
  });
});
