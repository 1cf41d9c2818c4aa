import { expect, test } from "vitest";
import {
  isLoopback,
  renderServerConfig,
  type ServerConfigInput,
} from "../../../../daemon/nats/server-config.ts";
import { settingsSchema } from "../../../../shared/settings.ts";

const user = { publicKey: "UAAA", permissions: { publish: ["a.>"], subscribe: ["b"] } };

function input(nats: object = {}, more: Partial<ServerConfigInput> = {}): ServerConfigInput {
  return {
    serverName: "id-1",
    settings: settingsSchema.parse({ nats }).nats,
    port: -1,
    httpPort: -1,
    runDir: "/d/run",
    storeDir: "/d/js",
    logFile: "/d/nats.log",
    pidFile: "/d/run/nats.pid",
    logins: { users: [user], sysUser: { ...user, publicKey: "USYS" } },
    ...more,
  };
}

test("the default is a free port of the loopback address with the store synced each 100 ms", () => {
  const text = renderServerConfig(input());
  expect(text).toContain('host: "127.0.0.1"');
  expect(text).toContain("port: -1");
  expect(text).toContain('sync_interval: "100ms"');
  expect(text).toContain("max_payload: 8388608");
  expect(text).not.toContain("tls {");
});

test("strict durability syncs each write", () => {
  expect(renderServerConfig(input({ durability: "strict" }))).toContain("sync_interval: always");
});

test("monitoring listens on the loopback address only, or not at all", () => {
  const open = { host: "0.0.0.0", allowPlainText: true };
  expect(renderServerConfig(input(open, { httpPort: 8222 }))).toContain('http: "127.0.0.1:8222"');
  expect(renderServerConfig(input(open, { httpPort: 0 }))).not.toContain("http:");
});

test("users stand in the working account, the one of the system account in the other", () => {
  const text = renderServerConfig(input());
  expect(text).toMatch(/MS \{[^}]*UAAA/);
  expect(text).toMatch(/SYS \{ users: \[ \{ nkey: USYS/);
  expect(text).toContain('publish: { allow: ["a.>"] }, subscribe: { allow: ["b"] }');
});

test("paths with quotes and backslashes stay one string", () => {
  const text = renderServerConfig(input({}, { storeDir: 'C:\\my "data"' }));
  expect(text).toContain('store_dir: "C:\\\\my \\"data\\""');
});

test("an address that others reach is refused in plain text unless that is allowed", () => {
  expect(() => renderServerConfig(input({ host: "0.0.0.0" }))).toThrow(
    expect.objectContaining({ code: "bad-settings" }),
  );
  expect(renderServerConfig(input({ host: "0.0.0.0", allowPlainText: true }))).toContain("0.0.0.0");
  const tls = { host: "0.0.0.0", tlsCert: "/c.pem", tlsKey: "/k.pem" };
  expect(renderServerConfig(input(tls))).toContain(
    'tls { cert_file: "/c.pem", key_file: "/k.pem" }',
  );
});

test("a certificate without its key is refused, and the missing one is named", () => {
  expect(() => renderServerConfig(input({ tlsCert: "/c.pem" }))).toThrow(
    expect.objectContaining({ code: "bad-settings", hint: expect.stringMatching("nats.tlsKey") }),
  );
});

test("loopback is 127.*, ::1 and localhost", () => {
  expect(
    ["127.0.0.1", "127.8.8.8", "::1", "localhost"].filter((host) => !isLoopback(host)),
  ).toEqual([]);
  expect(["0.0.0.0", "10.0.0.1", "::", "127a.example"].filter(isLoopback)).toEqual([]);
});
