import { describe, expect, test } from "vitest";
import type { WorkSummary } from "../../../extension/app-context.ts";
import {
  OUTAGE_MS,
  outageSince,
  reduceShown,
  type Shown,
  type Status,
  type StatusInput,
  shownChangesAt,
  statusChangesAt,
  statusOf,
} from "../../../extension/status.ts";
import { brief, lookOf } from "../../../extension/status-look.ts";
import { english } from "../../../extension/translate.ts";
import {
  CAUSE_CODES,
  type CauseCode,
  type ConnectionState,
  GUIDANCE,
} from "../../../shared/connection.ts";

const NOW = 1_000_000;
const URL = "nats://127.0.0.1:4222";

const CONNECTED: ConnectionState = {
  kind: "connected",
  since: NOW - 60_000,
  url: URL,
  rttMs: 1.24,
  daemonVersion: "0.3.0",
  serverVersion: "2.15.1",
};

function cause(code: CauseCode, detail = "the reason of the system") {
  return { code, detail };
}

function work(change: Partial<WorkSummary> = {}): WorkSummary {
  return { waiting: 0, running: 0, deadUnseen: 0, deadCauses: [], backlog: null, ...change };
}

function input(change: Partial<StatusInput> = {}): StatusInput {
  return {
    connection: CONNECTED,
    history: [{ at: NOW - 60_000, kind: "connected", cause: null }],
    identity: { user: "ada", role: "Operator" },
    work: work(),
    live: true,
    remote: false,
    version: "0.3.0",
    now: NOW,
    ...change,
  };
}

function look(change: Partial<StatusInput> = {}) {
  return lookOf(statusOf(input(change)), NOW, english);
}

/** Lost at NOW - `ago`, after it had stood. */
function lost(ago: number, state: "reconnecting" | "offline", code: CauseCode) {
  const at = NOW - ago;
  const connection: ConnectionState =
    state === "offline"
      ? { kind: "offline", since: at + 100, cause: cause(code) }
      : {
          kind: "reconnecting",
          since: at,
          attempt: 2,
          url: URL,
          cause: cause(code),
          nextTryAt: null,
        };
  return {
    connection,
    history: [
      { at: NOW - 60_000, kind: "connected", cause: null },
      { at, kind: "reconnecting", cause: cause("closed") },
      ...(state === "offline"
        ? [{ at: at + 100, kind: "offline", cause: cause(code) } as const]
        : []),
    ],
  } as const;
}

describe("what the status bar says", () => {
  test("connected and nothing to do: the name alone, without a background", () => {
    expect(look()).toMatchObject({
      text: "$(pulse) msg_sys",
      background: null,
      command: "msgSys.dashboard.open",
      label: `msg_sys: connected to ${URL}, round trip 1.2 ms, ada as Operator, 0 waiting, 0 running`,
    });
  });

  test("connected with work: how many wait", () => {
    const said = look({ work: work({ waiting: 16, running: 3 }) });
    expect(said).toMatchObject({ text: "$(pulse) msg_sys 16", background: null });
    expect(said.label).toContain("16 waiting, 3 running");
    expect(said.tooltip).toContain("(command:msgSys.pipeline.run)");
  });

  test("connected before anybody knows the work: no counts are made up", () => {
    const said = look({ work: null });
    expect(said.text).toBe("$(pulse) msg_sys");
    expect(said.label).not.toContain("waiting");
  });

  test("new dead letters: their number and causes, and the way to them", () => {
    const said = look({
      work: work({ waiting: 16, deadUnseen: 3, deadCauses: ["timed-out (2)", "poison (1)"] }),
    });
    expect(said).toMatchObject({
      text: "$(error) msg_sys 3 dead",
      background: null,
      command: "msgSys.deadLetters.open",
      label: "msg_sys: 3 new dead letters: timed-out (2), poison (1)",
    });
  });

  test("one new dead letter is one", () => {
    expect(look({ work: work({ deadUnseen: 1 }) }).label).toBe("msg_sys: 1 new dead letter");
  });

  test("a backlog: where, since when, as a warning", () => {
    const said = look({ work: work({ backlog: { where: "etl", since: NOW - 240_000 } }) });
    expect(said).toMatchObject({
      text: "$(warning) msg_sys slow",
      background: "warning",
      label: "msg_sys: work is late in etl for 4m 00s",
    });
    expect(said.tooltip).toContain(encodeURIComponent('[{"screen":"queues"}]'));
  });

  test("live data paused: said, and resumed by a click", () => {
    expect(look({ live: false })).toMatchObject({
      text: "$(debug-pause) msg_sys paused",
      command: "msgSys.live.resume",
    });
  });

  test("before anything was looked for: neither connected nor lost", () => {
    expect(look({ connection: { kind: "idle" }, history: [] })).toMatchObject({
      text: "$(circle-outline) msg_sys",
      background: null,
    });
  });

  test("a daemon that is starting, and a first connection, turn without a background", () => {
    expect(look({ connection: { kind: "starting", since: NOW } })).toMatchObject({
      text: "$(loading~spin) msg_sys",
      background: null,
      label: "msg_sys: the daemon is starting",
    });
    expect(
      look({ connection: { kind: "connecting", since: NOW, attempt: 2, url: URL } }),
    ).toMatchObject({
      text: "$(loading~spin) msg_sys",
      background: null,
      label: `msg_sys: connecting to ${URL}, attempt 2`,
    });
  });

  test("lost for less than ten seconds: reconnecting, whether attempts go on or were given up", () => {
    for (const state of ["reconnecting", "offline"] as const)
      expect(look(lost(OUTAGE_MS - 1, state, "no-daemon"))).toMatchObject({
        text: "$(sync~spin) msg_sys",
        background: null,
      });
  });

  test("lost for ten seconds: offline as an error, with the cause in words and what helps", () => {
    for (const state of ["reconnecting", "offline"] as const) {
      const said = look(lost(OUTAGE_MS, state, "no-daemon"));
      expect(said).toMatchObject({
        text: "$(debug-disconnect) msg_sys offline",
        background: "error",
        command: "msgSys.connection.show",
      });
      expect(said.label).toContain(GUIDANCE["no-daemon"].what);
      expect(said.tooltip).toContain("the reason of the system");
      expect(said.tooltip).toContain("[Start Daemon](command:msgSys.daemon.start)");
    }
  });

  test("refused credentials are told at once: waiting mends nothing", () => {
    expect(look(lost(100, "offline", "credentials")).background).toBe("error");
  });

  test("no daemon, and none missed: off, with Start Daemon", () => {
    const history = [{ at: NOW - 50, kind: "offline", cause: cause("no-daemon") }] as const;
    const connection = { kind: "offline", since: NOW - 50, cause: cause("no-daemon") } as const;
    const off = {
      text: "$(circle-slash) msg_sys off",
      background: null,
      command: "msgSys.daemon.start",
    };
    expect(look({ connection, history })).toMatchObject(off);
    expect(look({ connection: { kind: "stopped", since: NOW } })).toMatchObject(off);
  });

  test("a start that failed is no quiet off: it is told at once", () => {
    const history = [{ at: NOW - 50, kind: "offline", cause: cause("port-taken") }] as const;
    const connection = { kind: "offline", since: NOW - 50, cause: cause("port-taken") } as const;
    expect(look({ connection, history })).toMatchObject({ background: "error" });
  });

  test("signed out of a daemon elsewhere: Sign In instead of Start Daemon", () => {
    const said = look({ connection: { kind: "stopped", since: NOW }, remote: true });
    expect(said.command).toBe("msgSys.account.signIn");
    expect(said.tooltip).not.toContain("daemon.start");
  });

  test("a daemon elsewhere that is gone cannot be started from here", () => {
    const said = look({ ...lost(OUTAGE_MS, "offline", "refused"), remote: true });
    expect(said.tooltip).not.toContain("msgSys.daemon.start)");
  });

  test("another version, same protocol: an update is asked for; of another machine's daemon it is not", () => {
    const connection = { ...CONNECTED, daemonVersion: "0.2.0" };
    expect(look({ connection })).toMatchObject({
      text: "$(warning) msg_sys update",
      background: "warning",
      command: "msgSys.daemon.restart",
      label: "msg_sys: the daemon is version 0.2.0, this extension 0.3.0",
    });
    expect(look({ connection, remote: true }).text).toBe("$(pulse) msg_sys");
  });

  test("another protocol: an update, not offline", () => {
    const connection = { kind: "offline", since: NOW, cause: cause("version-mismatch") } as const;
    expect(look({ connection })).toMatchObject({ text: "$(warning) msg_sys update" });
  });

  test("every cause has a sentence, a reason and something to do", () => {
    for (const code of CAUSE_CODES) {
      const { what, why, remedies } = GUIDANCE[code];
      expect([code, what.endsWith("."), why.endsWith(".")]).toEqual([code, true, true]);
      expect(remedies.length).toBeGreaterThan(0);
      expect(remedies.length).toBeLessThan(4);
    }
  });

  test("no text is longer than 24 characters besides its icon", () => {
    const states: Partial<StatusInput>[] = [
      { work: work({ waiting: 1_234_567 }) },
      { work: work({ deadUnseen: 1_234_567 }) },
      lost(OUTAGE_MS, "offline", "refused"),
      { live: false },
    ];
    for (const state of states)
      expect(look(state).text.replace(/\$\([\w~-]+\) /, "").length).toBeLessThanOrEqual(24);
  });

  test("texts of strangers are letters in the tooltip, never links, icons or HTML", () => {
    const evil = "[x](command:evil) <img src=x> $(bug) `code`\n# head https://evil.example";
    const { tooltip } = look({ work: work({ deadUnseen: 1, deadCauses: [evil] }) });
    expect(tooltip).not.toMatch(/\]\(command:evil|<img|\$\(bug\)|https:\/\/|\n#/);
  });

  test("large counts are short", () => {
    expect([0, 9999, 12_400, 999_949, 1_200_000].map(brief)).toEqual([
      "0",
      "9999",
      "12.4k",
      "999.9k",
      "1.2M",
    ]);
  });
});

describe("when an outage began", () => {
  const change = (at: number, kind: ConnectionState["kind"]) => ({ at, kind, cause: null });

  test("with the first change after the last connection", () => {
    const history = [change(1, "connected"), change(5, "reconnecting"), change(8, "offline")];
    expect(outageSince(history)).toBe(5);
  });

  test("never, when no connection ever stood, or when it was ended on purpose", () => {
    expect(outageSince([])).toBeNull();
    expect(outageSince([change(1, "connecting"), change(2, "offline")])).toBeNull();
    expect(
      outageSince([change(1, "connected"), change(2, "stopped"), change(3, "offline")]),
    ).toBeNull();
  });

  test("the status changes by itself when it becomes ten seconds old", () => {
    expect(statusChangesAt(input(lost(4000, "reconnecting", "closed")))).toBe(
      NOW - 4000 + OUTAGE_MS,
    );
    expect(statusChangesAt(input())).toBeNull();
  });
});

describe("when a change is shown", () => {
  const status = (kind: "quiet" | "reconnecting" | "offline" | "idle"): Status =>
    kind === "quiet" ? statusOf(input()) : kind === "idle" ? { kind } : worse(kind);
  const worse = (kind: "reconnecting" | "offline"): Status =>
    statusOf(input(lost(kind === "offline" ? OUTAGE_MS : 1, "reconnecting", "closed")));
  const showing = (shown: Status): Shown => ({ status: shown, at: 0, next: null });

  test("a worse status is shown after half a second", () => {
    const first = reduceShown(showing(status("quiet")), status("reconnecting"), 10_000);
    expect(first.status.kind).toBe("quiet");
    expect(shownChangesAt(first)).toBe(10_500);
    expect(reduceShown(first, status("reconnecting"), 10_499).status.kind).toBe("quiet");
    expect(reduceShown(first, status("reconnecting"), 10_500).status.kind).toBe("reconnecting");
  });

  test("a better status is shown after two seconds", () => {
    const first = reduceShown(showing(status("offline")), status("quiet"), 10_000);
    expect(shownChangesAt(first)).toBe(12_000);
    expect(reduceShown(first, status("quiet"), 12_000).status.kind).toBe("quiet");
  });

  test("what passes before it is due is never seen", () => {
    const lostNow = reduceShown(showing(status("quiet")), status("reconnecting"), 10_000);
    const back = reduceShown(lostNow, status("quiet"), 10_300);
    expect(back.status.kind).toBe("quiet");
    expect(reduceShown(back, status("quiet"), 12_000)).toMatchObject({ next: null });
    // A second loss begins its half second anew.
    expect(shownChangesAt(reduceShown(back, status("reconnecting"), 10_400))).toBe(10_900);
  });

  test("counts of the same status change at most once a second", () => {
    const shown: Shown = { status: statusOf(input()), at: 10_000, next: null };
    const more = statusOf(input({ identity: null }));
    expect(reduceShown(shown, more, 10_400).status).toBe(shown.status);
    expect(shownChangesAt(reduceShown(shown, more, 10_400))).toBe(11_000);
    expect(reduceShown(shown, more, 11_000).status).toBe(more);
  });

  test("the first status after the start is shown at once", () => {
    expect(reduceShown(showing(status("idle")), status("quiet"), 5).status.kind).toBe("quiet");
  });
});
