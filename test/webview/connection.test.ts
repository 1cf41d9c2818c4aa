import { describe, expect, test } from "vitest";
import { CAUSE_CODES, type ConnectionChange, GUIDANCE } from "../../shared/connection.ts";
import { phaseOf, stateOf, uptimeOf } from "../../webview/state/connection.ts";

const HOUR = 3_600_000;
const up = (at: number): ConnectionChange => ({ at, kind: "connected", cause: null });
const down = (at: number, kind: ConnectionChange["kind"] = "reconnecting"): ConnectionChange => ({
  at,
  kind,
  cause: { code: "closed", detail: "" },
});

describe("the uptime band", () => {
  test("shows connected, partly, not connected and not known each by a shape of its own", () => {
    const history = [up(2 * HOUR), down(5.5 * HOUR), up(7.5 * HOUR)];
    const { cells } = uptimeOf(history, 8 * HOUR, { spanMs: 8 * HOUR, cells: 8 });
    expect(cells).toEqual(["unknown", "unknown", "up", "up", "up", "partly", "down", "partly"]);
  });

  test("counts the share of the known time alone", () => {
    const { share } = uptimeOf([up(4 * HOUR), down(7 * HOUR)], 8 * HOUR, { spanMs: 8 * HOUR });
    expect(share).toBe(0.75);
    expect(uptimeOf([], 8 * HOUR).share).toBeNull();
  });

  test("one outage with several kinds of trouble is one drop, and as long as all of them", () => {
    const history = [up(0), down(HOUR), down(2 * HOUR, "offline"), up(4 * HOUR)];
    const told = uptimeOf(history, 8 * HOUR, { spanMs: 8 * HOUR });
    expect([told.drops, told.longestDownMs]).toEqual([1, 3 * HOUR]);
  });

  test("what was before the span counts only from its beginning", () => {
    const told = uptimeOf([down(0), up(5 * HOUR)], 8 * HOUR, { spanMs: 4 * HOUR });
    expect([told.share, told.drops, told.longestDownMs]).toEqual([0.75, 0, HOUR]);
  });
});

describe("a browser's own link", () => {
  const connected = {
    kind: "connected",
    since: 0,
    url: "nats://x",
    rttMs: 1,
    daemonVersion: "1",
    serverVersion: "2",
  } as const;

  test("overrules what the host told last when it is closed", () => {
    const link = { kind: "closed", since: 5, attempt: 2, nextTryAt: 9 } as const;
    const state = stateOf(connected, link, "127.0.0.1:8050");
    expect(state).toMatchObject({ kind: "reconnecting", since: 5, attempt: 2, nextTryAt: 9 });
    expect(phaseOf(state)).toBe("down");
  });

  test("is the first connecting before the host ever spoke", () => {
    const link = { kind: "closed", since: 5, attempt: 0, nextTryAt: null } as const;
    expect(stateOf({ kind: "idle" }, link, "x")).toMatchObject({ kind: "connecting", attempt: 1 });
  });

  test("that was signed out is offline for that reason", () => {
    const state = stateOf(connected, { kind: "signed-out", since: 5 }, "x");
    expect(state).toMatchObject({ kind: "offline", cause: { code: "not-signed-in" } });
  });
});

test.each(CAUSE_CODES)(
  "the cause %s has a sentence of what, one of why, and one to three remedies",
  (code) => {
    const { what, why, remedies } = GUIDANCE[code];
    expect([what.endsWith("."), why.endsWith(".")]).toEqual([true, true]);
    expect(remedies.length).toBeGreaterThan(0);
    expect(remedies.length).toBeLessThan(4);
  },
);
