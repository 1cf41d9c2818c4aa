import { expect, test } from "vitest";
import { copyHeaders, parseAck, parseRun } from "../../../../daemon/queue/task-message.ts";

test("the server's numbers are read from both forms of an acknowledgement subject", () => {
  const numbers = { deliveries: 2, seq: 71, storedAt: 1_763_680_000_123 };
  expect(parseAck("$JS.ACK.MS_TASKS.etl-5.2.71.9.1763680000123456789.4")).toEqual(numbers);
  expect(parseAck("$JS.ACK._.hash.MS_TASKS.etl-5.2.71.9.1763680000123456789.4.token")).toEqual(
    numbers,
  );
});

test("a subject that acknowledges nothing is no acknowledgement subject", () => {
  for (const subject of [
    "",
    "_INBOX.1",
    "$JS.API.INFO",
    "$JS.ACK.MS_TASKS.etl-5",
    "$JS.ACK.a.b.x.y.z.w.v",
  ])
    expect(parseAck(subject), subject).toBeNull();
});

test("a copy keeps what the task is and gets a generation and a message id of its own", () => {
  const original = new Map([
    ["Nats-Msg-Id", "t1:1"],
    ["Ms-Name", "etl.load"],
    ["Ms-Corr", "c1"],
    ["Ms-Due", "12"],
    ["Ms-Trace", ""],
  ]);
  expect(copyHeaders(original, "t1", 2)).toEqual([
    ["Nats-Msg-Id", "t1:2"],
    ["Ms-Gen", "2"],
    ["Ms-Name", "etl.load"],
    ["Ms-Corr", "c1"],
  ]);
  expect(copyHeaders(new Map(), "t1", 1)).toEqual([["Nats-Msg-Id", "t1:1"]]);
});

test("a task whose run header is malformed is one without a run", () => {
  const run = {
    id: "r1",
    pipeline: "cls_all",
    phases: ["sync"],
    phase: "sync",
    params: {},
    by: "ada",
  };
  expect(parseRun(JSON.stringify(run))).toEqual(run);
  for (const text of [undefined, "", "{", '{"id":1,"phases":[]}', '{"id":"r1"}'])
    expect(parseRun(text)).toBeNull();
});
