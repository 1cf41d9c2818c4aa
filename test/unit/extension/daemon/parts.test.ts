import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createConnectionRecord } from "../../../../extension/daemon/connection-record.ts";
import { readLogLine } from "../../../../extension/daemon/log-line.ts";
import { type Tail, tailFile } from "../../../../extension/daemon/log-tail.ts";
import { daemonEnv } from "../../../../extension/daemon/spawn.ts";
import { HISTORY_LENGTH } from "../../../../shared/connection.ts";
import { until } from "../../../support/until.ts";

describe("the environment of a daemon", () => {
  test("what VS Code, Electron and a debugger put there is left out; VS Code's executable is a Node", () => {
    const env = {
      PATH: "/bin",
      HOME: "/home/ada",
      MSGSYS_DATA: "/d",
      VSCODE_PID: "1",
      VSCODE_INSPECTOR_OPTIONS: "x",
      ELECTRON_NO_ATTACH_CONSOLE: "1",
      NODE_OPTIONS: "--inspect",
      NODE_EXTRA_CA_CERTS: "/ca.pem",
      EMPTY: undefined,
    };
    expect(daemonEnv(env)).toEqual({
      PATH: "/bin",
      HOME: "/home/ada",
      MSGSYS_DATA: "/d",
      NODE_EXTRA_CA_CERTS: "/ca.pem",
      MALLOC_ARENA_MAX: "1",
      ELECTRON_RUN_AS_NODE: "1",
    });
  });
});

describe("the history of a connection", () => {
  const CAUSE = { code: "closed", detail: "" } as const;
  const opened = { kind: "opened", url: "u", daemonVersion: "1", serverVersion: "2" } as const;

  test("it keeps changes of kind and cause, not attempts and round trips", () => {
    const record = createConnectionRecord();
    record.dispatch({ kind: "dial", at: 1, url: "u" });
    record.dispatch({ kind: "dial", at: 2, url: "u" });
    record.dispatch({ ...opened, at: 3 });
    record.dispatch({ kind: "rtt", at: 4, rttMs: 1 });
    record.dispatch({ kind: "lost", at: 5, cause: CAUSE });
    record.dispatch({ kind: "retry", at: 6, cause: CAUSE, nextTryAt: null });
    record.dispatch({ kind: "retry", at: 7, cause: { code: "refused", detail: "" }, nextTryAt: 8 });
    expect(record.history().map(({ at, kind, cause }) => [at, kind, cause?.code])).toEqual([
      [1, "connecting", undefined],
      [3, "connected", undefined],
      [5, "reconnecting", "closed"],
      [7, "reconnecting", "refused"],
    ]);
  });

  test("a listener finds the change in the history already", () => {
    const record = createConnectionRecord();
    const lengths: number[] = [];
    record.state.onChange(() => lengths.push(record.history().length));
    record.dispatch({ kind: "dial", at: 1, url: "u" });
    expect(lengths).toEqual([1]);
  });

  test("it keeps the newest changes alone, at most two hundred", () => {
    const record = createConnectionRecord();
    for (let at = 0; at < 500; at += 2) {
      record.dispatch({ ...opened, at });
      record.dispatch({ kind: "lost", at: at + 1, cause: CAUSE });
    }
    expect(record.history()).toHaveLength(HISTORY_LENGTH);
    expect(record.history().at(-1)?.at).toBe(499);
  });
});

describe("the daemon's log", () => {
  test("a record is its time, service, event and the rest, at its level", () => {
    const record = {
      level: 40,
      time: Date.parse("2026-11-21T10:00:00Z"),
      service: "audit",
      event: "lease not refreshed",
      file: "x",
    };
    expect(readLogLine(JSON.stringify(record))).toEqual({
      level: "warn",
      text: '2026-11-21T10:00:00.000Z [audit] lease not refreshed {"file":"x"}',
    });
  });

  test("what is no record is shown as it is", () => {
    expect(readLogLine("plain words")).toEqual({ level: "info", text: "plain words" });
    expect(readLogLine('{"cut off')).toEqual({ level: "info", text: '{"cut off' });
  });
});

describe("a file that grows", () => {
  let dir = "";
  let tail: Tail | null = null;
  const lines: string[] = [];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "msgsys-tail-"));
    lines.length = 0;
  });
  afterEach(() => {
    tail?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test("it is waited for, whole lines are told once, and a new file of its name is begun anew", async () => {
    const file = join(dir, "daemon.log");
    tail = tailFile(file, (line) => lines.push(line));
    writeFileSync(file, "one\ntw");
    await until(() => lines.length === 1);
    appendFileSync(file, "o\n");
    await until(() => lines.length === 2);
    renameSync(file, `${file}.1`);
    writeFileSync(file, "three\n");
    await until(() => lines.length === 3);
    expect(lines).toEqual(["one", "two", "three"]);
  });

  test("of a long one the end is told, from the beginning of a line", () => {
    const file = join(dir, "long.log");
    const all = Array.from({ length: 20_000 }, (_, n) => `line ${n}`);
    writeFileSync(file, `${all.join("\n")}\n`);
    tail = tailFile(file, (line) => lines.push(line));
    expect(lines.at(-1)).toBe("line 19999");
    expect(lines.length).toBeLessThan(10_000);
    expect(all).toContain(lines[0]);
  });
});
