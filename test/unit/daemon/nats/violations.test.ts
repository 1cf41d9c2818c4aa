import { expect, test } from "vitest";
import { parseViolations } from "../../../../daemon/nats/violations.ts";

const KEY = `U${"A".repeat(55)}`;
const head = `[7] 2026/11/20 22:18:05.275226 [ERR] 127.0.0.1:40374 - cid:48 - "v3.4.0:nats.js:cli" - "MS/nkey:${KEY}"`;

test("equal refusals count as one with their number, others stay apart", () => {
  const publish = `${head} - Publish Violation - Subject "ms.api.v1.ann.run.9"`;
  expect(
    parseViolations([
      publish,
      `${head} - Subscription Violation - Subject "ms.task.>", SID 3`,
      publish,
      "[7] 2026/11/20 22:18:04.932440 [INF] Reloaded: accounts",
      "",
    ]),
  ).toEqual([
    { publicKey: KEY, act: "publish", subject: "ms.api.v1.ann.run.9", times: 2 },
    { publicKey: KEY, act: "subscribe", subject: "ms.task.>", times: 1 },
  ]);
});

test("what a client calls itself cannot pass for somebody else's key", () => {
  const other = `U${"B".repeat(55)}`;
  const forged = `x" - "MS/nkey:${other}" - Publish Violation - Subject "b`;
  const line = head.replace("nats.js:cli", forged);
  expect(parseViolations([`${line} - Publish Violation - Subject "a"`])).toEqual([
    { publicKey: KEY, act: "publish", subject: "a", times: 1 },
  ]);
});
