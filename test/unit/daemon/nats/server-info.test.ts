import { expect, test } from "vitest";
import { parsePorts } from "../../../../daemon/nats/server-files.ts";
import { natsUrl, parseGreeting } from "../../../../daemon/nats/server-info.ts";

test("a greeting tells the server's id, name and version", () => {
  const text = 'INFO {"server_id":"N1","server_name":"mine","version":"2.15.1"} \r\n';
  expect(parseGreeting(text)).toEqual({ serverId: "N1", serverName: "mine", version: "2.15.1" });
});

test.each([
  "HTTP/1.1 400 Bad Request\r\n",
  "INFO {broken\r\n",
  'INFO {"version":1}\r\n',
  "INFO null\r\n",
])("%j is no greeting of a nats-server", (text) => {
  expect(parseGreeting(text)).toBeNull();
});

test("a server on all addresses is reached over the loopback one", () => {
  expect(natsUrl("0.0.0.0", 1)).toBe("nats://127.0.0.1:1");
  expect(natsUrl("::", 1)).toBe("nats://[::1]:1");
  expect(natsUrl("nats.example", 1)).toBe("nats://nats.example:1");
});

test("a ports file that is half written reads as not there yet", () => {
  const whole = '{"nats":["nats://127.0.0.1:4333"],"monitoring":["http://127.0.0.1:8333"]}';
  expect(parsePorts(whole)).toEqual({ client: 4333, http: 8333 });
  expect(parsePorts(whole.slice(0, 20))).toBeNull();
  expect(parsePorts("")).toBeNull();
  expect(parsePorts('{"nats":["nats://127.0.0.1:4333"]}')).toEqual({ client: 4333, http: null });
});
