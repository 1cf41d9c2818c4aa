import { expect, test } from "vitest";
import { parseDelivery, toNanos } from "../../../../daemon/audit/delivery.ts";
import {
  detailText,
  memberText,
  resultText,
  toFollowedRecord,
} from "../../../../daemon/audit/followed-record.ts";
import { isEventSubject } from "../../../../daemon/audit/outbox.ts";
import { planResumption } from "../../../../daemon/audit/resume.ts";
import { runStatus } from "../../../../daemon/audit/runs.ts";

const followed = (text: string) => toFollowedRecord(1, "t1", "etl", "0", text);

test("a delivery is read from both forms of the reply subject", () => {
  const expected = { streamSeq: 41, consumerSeq: 7, time: "1700000000123456789", pending: 3 };
  expect(parseDelivery("$JS.ACK.MS_STATE.audit-1.1.41.7.1700000000123456789.3")).toEqual(expected);
  expect(parseDelivery("$JS.ACK.hub.ACC.MS_STATE.audit-1.1.41.7.1700000000123456789.3.x1")).toEqual(
    expected,
  );
  expect(parseDelivery("_INBOX.abc.1")).toBeNull();
});

test("an instant of the broker has the same digits in a delivery and in a message that is read back", () => {
  expect(toNanos("2023-11-14T22:13:20.1234Z")).toBe("1700000000123400000");
  expect(toNanos("2023-11-14T22:13:20Z")).toBe("1700000000000000000");
});

test("a result keeps 64-bit integers as they were written", () => {
  const text = '{"s":"completed","g":1,"a":1,"l":5,"t":1,"r":{"id":9007199254740993},"w":"w1"}';
  expect(resultText(followed(text))).toBe('{"id":9007199254740993}');
});

test("a member's text is found past strings, nesting and other members of the same name", () => {
  expect(memberText('{"e":{"r":1,"x":"\\"r\\":2"},"r" : [1, {"r":3}] ,"z":0}', "r")).toBe(
    '[1, {"r":3}]',
  );
  expect(memberText('{"r":7}', "r")).toBe("7");
  expect(memberText('{"e":{"r":1}}', "r")).toBeNull();
});

test("what is no record is kept as unreadable and stops nothing", () => {
  const bad = followed("not json");
  expect(bad.record).toBeNull();
  expect(JSON.parse(detailText(bad))).toEqual({ unreadable: "not json" });
});

test("the timeline keeps a long record without its result", () => {
  const text = JSON.stringify({ s: "completed", g: 1, a: 1, l: 5, t: 1, r: "x".repeat(5000) });
  expect(JSON.parse(detailText(followed(text)))).toEqual({
    s: "completed",
    g: 1,
    a: 1,
    l: 5,
    t: 1,
    events: 0,
    bytes: text.length,
  });
});

test.each([
  ["events.cls.sync.completed", true],
  ["ms.event.task.done", true],
  ["ms.task.10.etl.x", false],
  ["$JS.API.STREAM.DELETE.MS_TASKS", false],
  ["events.*", false],
  ["events.a b", false],
  ["events.", false],
  ["events", false],
])("an event of a handler may go to %s: %s", (subject, allowed) => {
  expect(isEventSubject(subject, "ms")).toBe(allowed);
});

const FACTS = { created: "c1", firstSeq: 1, lastSeq: 300_500 };
const cursor = (changes: object) => ({ seq: 300_000, time: "5", stream: "c1", ...changes });

test.each([
  ["the same record at the cursor", cursor({}), FACTS, "5", { kind: "go-on" }],
  ["a purged record at the cursor", cursor({}), FACTS, null, { kind: "go-on" }],
  ["another stream", cursor({ stream: "c0" }), FACTS, "5", { kind: "rewind", seq: 0 }],
  ["an empty audit", cursor({ seq: 0, stream: "" }), FACTS, null, { kind: "rewind", seq: 0 }],
  ["another record at the cursor", cursor({}), FACTS, "6", { kind: "rewind", seq: 100_000 }],
  [
    "a stream that ends before the cursor",
    cursor({}),
    { ...FACTS, lastSeq: 299_000 },
    null,
    { kind: "rewind", seq: 99_000 },
  ],
])("with %s the audit knows where to go on", (_, at, facts, time, expected) => {
  expect(planResumption(at, facts, time)).toMatchObject(expected);
});

test("a run is what its phases are", () => {
  const task = (phase: string, status: "completed" | "dead" | "running" | "cancelled") => ({
    phase,
    status,
    endedAt: 1,
    warnings: 0,
  });
  expect(runStatus(["a", "b"], [task("a", "completed")])).toBe("running");
  expect(runStatus(["a", "b"], [task("a", "completed"), task("b", "completed")])).toBe("completed");
  expect(runStatus(["a", "b"], [task("a", "dead")])).toBe("failed");
  expect(runStatus(["a", "b"], [task("a", "cancelled")])).toBe("cancelled");
  expect(runStatus(["a"], [task("a", "dead"), task("a", "running")])).toBe("running");
});
