import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { resolveDataDir } from "../../../../daemon/settings.ts";
import { dataDirOf } from "../../../../extension/daemon/data-dir.ts";
import { judgeLease, locateDaemon } from "../../../../extension/daemon/locate.ts";
import { ownerLogin } from "../../../../extension/daemon/login.ts";
import { parseSeed, userOfFile } from "../../../../extension/daemon/seed.ts";
import { PROTOCOL_VERSION } from "../../../../shared/control.ts";
import type { DaemonLease } from "../../../../shared/settings.ts";

const NOW = Date.parse("2026-11-21T10:00:00Z");

function aLease(change: Partial<DaemonLease> = {}): DaemonLease {
  return {
    pid: 4711,
    version: "0.1.0",
    protocol: PROTOCOL_VERSION,
    natsUrl: "nats://127.0.0.1:4222",
    prefix: "ms",
    startedAt: "2026-11-21T09:00:00Z",
    refreshedAt: "2026-11-21T09:59:59Z",
    state: "ready",
    ...change,
  };
}

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "msgsys-locate-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe("the daemon of a data directory", () => {
  const judge = (lease: DaemonLease | null, alive = true): string =>
    judgeLease(lease, NOW, () => alive).kind;

  test("a lease that is refreshed by a process that lives is a daemon", () => {
    expect(judge(aLease())).toBe("ready");
  });

  test("no lease, an old one, or one of a process that is gone is none", () => {
    expect(judge(null)).toBe("absent");
    expect(judge(aLease({ refreshedAt: "2026-11-21T09:59:54Z" }))).toBe("absent");
    expect(judge(aLease(), false)).toBe("absent");
  });

  test("one that starts or stops is passing", () => {
    expect(judge(aLease({ state: "starting" }))).toBe("passing");
    expect(judge(aLease({ state: "stopping" }))).toBe("passing");
  });

  test("one of another protocol is a mismatch, whatever it does", () => {
    const protocol = PROTOCOL_VERSION + 1;
    expect(judge(aLease({ protocol }))).toBe("mismatch");
    expect(judge(aLease({ protocol, state: "starting" }))).toBe("mismatch");
  });

  test("a lease file that is damaged is no daemon", () => {
    writeFileSync(join(dir, "daemon.json"), '{"pid":"x"');
    expect(locateDaemon(dir, NOW)).toEqual({ kind: "absent" });
  });

  test("this very process counts as alive, and its lease is read", () => {
    writeFileSync(join(dir, "daemon.json"), JSON.stringify(aLease({ pid: process.pid })));
    expect(locateDaemon(dir, NOW).kind).toBe("ready");
  });
});

describe("the data directory", () => {
  const cases = [
    { env: {}, platform: "linux" },
    { env: { XDG_DATA_HOME: "/xdg" }, platform: "linux" },
    { env: { XDG_DATA_HOME: "relative" }, platform: "linux" },
    { env: { MSGSYS_DATA: "~/here" }, platform: "linux" },
    { env: { MSGSYS_DATA: "below" }, platform: "darwin" },
    { env: {}, platform: "darwin" },
    { env: {}, platform: "win32" },
    { env: { LOCALAPPDATA: "C:\\Local" }, platform: "win32" },
  ] as const;

  test.each(cases)("it is the same for extension and daemon with %o", ({ env, platform }) => {
    const home = platform === "win32" ? "C:\\Users\\ada" : "/home/ada";
    const base = platform === "win32" ? "C:\\work" : "/project";
    const ours = dataDirOf({ setting: "", base, env, platform, home });
    expect(ours).toBe(resolveDataDir({ env, platform, home, cwd: base }));
  });

  test("the setting comes before the variable, relative to the workspace", () => {
    const inputs = { base: "/project", platform: "linux", home: "/home/ada" } as const;
    const env = { MSGSYS_DATA: "/other" };
    expect(dataDirOf({ ...inputs, env, setting: ".msgsys" })).toBe("/project/.msgsys");
    expect(dataDirOf({ ...inputs, env, setting: "~/x" })).toBe("/home/ada/x");
  });
});

describe("who logs in at a daemon of this machine", () => {
  const SEED = `SU${"A".repeat(56)}`;
  const keep = (user: string): void => writeFileSync(join(dir, "keys", `${user}.nk`), `${SEED}\n`);
  beforeEach(() => mkdirSync(join(dir, "keys")));

  test("the person at the machine, by the name that the daemon gives them", () => {
    keep("ada-l");
    expect(ownerLogin(dir, "Ada L.")).toEqual({ user: "ada-l", seed: SEED });
  });

  test("another's directory: the first user of it whose seed lies there", () => {
    const users = [{ name: "grace" }, { name: "linus" }];
    writeFileSync(join(dir, "keys", "users.json"), JSON.stringify({ users }));
    keep("linus");
    expect(ownerLogin(dir, "ada")).toMatchObject({ user: "linus" });
  });

  test("without any seed it says which file is missing", () => {
    expect(() => ownerLogin(dir, "ada")).toThrow(/keys\/ada\.nk cannot be used/);
  });

  test("a credentials file holds a seed of a user, and its name is the user's", () => {
    expect(parseSeed(` ${SEED}\n`)).toBe(SEED);
    for (const text of ["", "UAAA", `SA${"A".repeat(56)}`, `${SEED}${SEED}`])
      expect(() => parseSeed(text)).toThrow("no seed of a user");
    expect(userOfFile("/x/ada.nk")).toBe("ada");
    expect(userOfFile("/x/My Creds.nk")).toBeNull();
  });
});
