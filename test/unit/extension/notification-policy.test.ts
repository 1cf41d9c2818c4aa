import { describe, expect, test } from "vitest";
import {
  GATHER_MS,
  MERGE_MS,
  NO_NOTICES,
  type Notice,
  type NoticeEvent,
  type NoticeState,
  noticesDueAt,
  reduceNotices,
} from "../../../extension/notification-policy.ts";
import { plainText } from "../../../extension/plain-text.ts";
import { OUTAGE_MS } from "../../../extension/status.ts";
import type { ConnectionState } from "../../../shared/connection.ts";

const CAUSE = { code: "closed", detail: "" } as const;
const lost: ConnectionState = {
  kind: "reconnecting",
  since: 0,
  attempt: 1,
  url: "u",
  cause: CAUSE,
  nextTryAt: null,
};
const offline: ConnectionState = {
  kind: "offline",
  since: 0,
  cause: { code: "no-daemon", detail: "" },
};
const back: ConnectionState = {
  kind: "connected",
  since: 0,
  url: "u",
  rttMs: null,
  daemonVersion: "1",
  serverVersion: "2",
};

/** What is told when these happen at these times; between them the policy is asked when it wants to be. */
function told(events: readonly (readonly [at: number, event: NoticeEvent])[], until: number) {
  let state: NoticeState = NO_NOTICES;
  const heard: [number, Notice][] = [];
  const take = (at: number, event: NoticeEvent): void => {
    const step = reduceNotices(state, event, at);
    state = step.state;
    heard.push(...step.notices.map((notice): [number, Notice] => [at, notice]));
  };
  const tickTo = (limit: number): void => {
    for (let due = noticesDueAt(state); due !== null && due < limit; due = noticesDueAt(state))
      take(due, { kind: "tick" });
  };
  for (const [at, event] of events) {
    tickTo(at);
    take(at, event);
  }
  tickTo(until);
  return heard;
}

const connection = (state: ConnectionState): NoticeEvent => ({ kind: "connection", state });
const dead = (cause: string): NoticeEvent => ({
  kind: "dead",
  letter: { taskId: "1", name: "etl.load", cause },
});

describe("outages", () => {
  test("a loss of less than ten seconds is never told", () => {
    expect(
      told(
        [
          [0, connection(lost)],
          [OUTAGE_MS - 1, connection(back)],
        ],
        60_000,
      ),
    ).toEqual([]);
  });

  test("one of ten seconds is told once, with the cause that it has by then", () => {
    expect(
      told(
        [
          [0, connection(lost)],
          [3000, connection(offline)],
        ],
        600_000,
      ),
    ).toEqual([[OUTAGE_MS, { kind: "outage", cause: "no-daemon" }]]);
  });

  test("its end is silent and takes back what was told; the next outage is told again", () => {
    expect(
      told(
        [
          [0, connection(lost)],
          [20_000, connection(back)],
          [30_000, connection(lost)],
        ],
        100_000,
      ),
    ).toEqual([
      [OUTAGE_MS, { kind: "outage", cause: "closed" }],
      [20_000, { kind: "recovered" }],
      [30_000 + OUTAGE_MS, { kind: "outage", cause: "closed" }],
    ]);
  });

  test("a window that never was connected has lost nothing", () => {
    expect(told([[0, connection(offline)]], 600_000)).toEqual([]);
  });

  test("a daemon that the user stopped is no outage", () => {
    const stopped: ConnectionState = { kind: "stopped", since: 0 };
    expect(
      told(
        [
          [0, connection(lost)],
          [500, connection(stopped)],
        ],
        600_000,
      ),
    ).toEqual([]);
  });
});

describe("dead letters", () => {
  test("those that come together are told together, by cause, the most frequent first", () => {
    expect(
      told(
        [
          [0, dead("poison")],
          [100, dead("timed-out")],
          [200, dead("timed-out")],
        ],
        600_000,
      ),
    ).toEqual([
      [
        GATHER_MS,
        {
          kind: "dead",
          total: 3,
          causes: [
            { cause: "timed-out", count: 2 },
            { cause: "poison", count: 1 },
          ],
        },
      ],
    ]);
  });

  test("after that a minute passes before the next are told, however many there are", () => {
    const more = Array.from({ length: 400 }, (_, n): [number, NoticeEvent] => [
      3000 + n * 100,
      dead("timed-out"),
    ]);
    const heard = told([[0, dead("poison")], ...more], 600_000);
    expect(heard.map(([at]) => at)).toEqual([GATHER_MS, GATHER_MS + MERGE_MS]);
    expect(heard[1]![1]).toMatchObject({ total: 400 });
  });
});

test("a text of a stranger is no link in a notification", () => {
  expect(plainText("see [here](command:evil)\nnow")).toBe("see [here] (command:evil) now");
  expect(plainText("x".repeat(1000)).length).toBeLessThanOrEqual(301);
});
