import { describe, expect, test } from "vitest";
import { createFlowCounter, isFailedExecution } from "../../../../daemon/audit/flow-counts.ts";
import { toFollowedRecord } from "../../../../daemon/audit/followed-record.ts";
import { BOARD, BOARD_BYTES } from "../../../../daemon/audit/messages.ts";
import { encodeRecord, type JournalRecord } from "../../../../shared/task.ts";

type Some = Partial<JournalRecord> & Pick<JournalRecord, "s">;
const full = (record: Some): JournalRecord => ({ g: 1, a: 1, l: 5, t: 1000, ...record });

function counter() {
  const board = new BigInt64Array(new SharedArrayBuffer(BOARD_BYTES));
  const flows = createFlowCounter(board, 1000);
  return {
    count: (seq: number, record: Some) =>
      flows.count(toFollowedRecord(seq, "t1", "etl", "0", encodeRecord(full(record)))),
    reached: flows.reached,
    read: () =>
      (["completed", "failed", "dead", "cancelled"] as const).map((name) =>
        Number(board[BOARD[name]]),
      ),
  };
}

describe("an execution that failed", () => {
  const e = { code: "x", message: "no" };
  test.each<[string, Some, boolean]>([
    ["a retry", { s: "retrying", e }, true],
    ["a retry at once", { s: "waiting", e }, true],
    ["the last attempt", { s: "dead", e }, true],
    ["a lost worker", { s: "waiting", act: "lost" }, true],
    ["a completion", { s: "completed" }, false],
    ["a start", { s: "running" }, false],
    [
      "a change of priority, which repeats the old error",
      { s: "retrying", e, act: "urgent" },
      false,
    ],
    ["a task whose time has come, likewise", { s: "waiting", e, act: "due" }, false],
    ["a hand-back", { s: "waiting", act: "handback" }, false],
    ["a cancellation", { s: "cancelled", act: "cancel" }, false],
  ])("%s: %o is %o", (_, record, expected) => {
    expect(isFailedExecution(full(record))).toBe(expected);
  });
});

describe("counting", () => {
  test("each end and each failure is counted", () => {
    const { count, read } = counter();
    count(1, { s: "completed" });
    count(2, { s: "retrying", e: { code: "x", message: "no" } });
    count(3, { s: "dead", e: { code: "x", message: "no" } });
    count(4, { s: "cancelled", act: "cancel" });
    count(5, { s: "running" });
    expect(read()).toEqual([1, 2, 1, 1]);
  });

  test("a record that is read again counts once", () => {
    const { count, read } = counter();
    for (const seq of [1, 2, 1, 2, 3]) count(seq, { s: "completed" });
    expect(read()[0]).toBe(3);
  });

  test("a record of before the start counts for nothing", () => {
    const { count, read } = counter();
    count(1, { s: "completed", t: 999 });
    expect(read()[0]).toBe(0);
  });

  test("in a stream that lost records, or is new, the next ones count", () => {
    const { count, reached, read } = counter();
    for (const seq of [1, 2, 3]) count(seq, { s: "completed" });
    reached(1);
    count(2, { s: "completed" });
    expect(read()[0]).toBe(4);
  });
});
