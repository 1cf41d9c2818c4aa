import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaultCacheDir, installIntoCache } from "../../../../daemon/nats/cache.ts";
import { type LocateOptions, locateNatsServer } from "../../../../daemon/nats/locate.ts";
import { expectedSha256, releaseArchiveName } from "../../../../daemon/nats/release-archive.ts";

let home = "";
let events: string[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "msgsys-locate-"));
  events = [];
});

afterEach(() => rm(home, { recursive: true, force: true }));

/** A program that prints the version of a server. */
async function fakeServer(path: string, version: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\necho "nats-server: v${version}"\n`, { mode: 0o755 });
  return path;
}

function locate(options: Partial<LocateOptions> = {}) {
  return locateNatsServer({
    cacheDir: join(home, "cache"),
    allowDownload: false,
    searchPath: [join(home, "bin")],
    log: (event, data) => events.push(`${event} ${JSON.stringify(data ?? {})}`),
    ...options,
  });
}

describe("the server that a setting names", () => {
  test("is taken before every other", async () => {
    await fakeServer(join(home, "bin/nats-server"), "2.15.1");
    const serverPath = await fakeServer(join(home, "mine"), "2.12.1");
    expect(await locate({ serverPath })).toEqual({
      path: serverPath,
      version: "2.12.1",
      source: "setting",
    });
  });

  test.each(["2.9.10", "2.12.0", "2.12.1-rc.1"])("is refused when it is %s", async (version) => {
    const serverPath = await fakeServer(join(home, "old"), version);
    await expect(locate({ serverPath })).rejects.toMatchObject({
      code: "nats-server-too-old",
      details: { found: version, where: serverPath, needed: "2.12.1" },
    });
  });

  test("is an error when it does not exist, even if another would do", async () => {
    await fakeServer(join(home, "bin/nats-server"), "2.15.1");
    await expect(locate({ serverPath: join(home, "nowhere") })).rejects.toMatchObject({
      code: "nats-server-missing",
      message: expect.stringContaining(`${join(home, "nowhere")}: not found`),
    });
  });
});

describe("without a setting", () => {
  test("the bundled server comes before PATH, and PATH before the cache", async () => {
    const cached = await fakeServer(
      join(home, "cache/nats-server/2.15.1-debian/nats-server"),
      "2.15.1",
    );
    expect(await locate()).toMatchObject({ path: cached, source: "cache" });
    const installed = await fakeServer(join(home, "bin/nats-server"), "2.14.5");
    expect(await locate()).toMatchObject({ path: installed, source: "path" });
    const bundled = await fakeServer(join(home, "bundled/nats-server"), "2.15.0");
    expect(await locate({ bundledDir: dirname(bundled) })).toMatchObject({
      path: bundled,
      source: "bundled",
    });
  });

  test("one on PATH that is too old is reported and the next is taken", async () => {
    const old = await fakeServer(join(home, "bin/nats-server"), "2.10.27");
    const fitting = await fakeServer(join(home, "sbin/nats-server"), "2.15.1");
    const searchPath = [dirname(old), dirname(fitting)];
    expect(await locate({ searchPath })).toMatchObject({ path: fitting, source: "path" });
    expect(events.join("\n")).toContain(`${old} is 2.10.27, 2.12.1 or newer is needed`);
  });

  test("one that is older than recommended is taken with a notice", async () => {
    await fakeServer(join(home, "bin/nats-server"), "2.12.1");
    await locate();
    expect(events.at(-1)).toMatch(/older than recommended.*2\.12\.1.*2\.14\.5/);
  });

  test("the newest of the cache is taken, and broken ones are passed over", async () => {
    await writeFile(
      await fakeServer(join(home, "cache/nats-server/2.16.0-release/nats-server"), ""),
      "\0",
    );
    await fakeServer(join(home, "cache/nats-server/2.9.10-release/nats-server"), "2.9.10");
    const newest = await fakeServer(
      join(home, "cache/nats-server/2.15.1-debian/nats-server"),
      "2.15.1",
    );
    await fakeServer(join(home, "cache/nats-server/2.14.5-debian/nats-server"), "2.14.5");
    expect(await locate()).toMatchObject({ path: newest, version: "2.15.1" });
  });

  test("an error lists what every way said", async () => {
    await fakeServer(join(home, "bin/nats-server"), "2.12.0");
    await mkdir(join(home, "bundled"));
    await expect(locate({ bundledDir: join(home, "bundled") })).rejects.toMatchObject({
      code: "nats-server-missing",
      message: expect.stringMatching(/bundled: .*not found.*PATH: .*2\.12\.0.*cache: nothing in/),
    });
  });

  test("a folder for a shipped server that is not there is not looked into", async () => {
    await expect(locate({ bundledDir: join(home, "none") })).rejects.toMatchObject({
      message: expect.not.stringContaining("bundled"),
    });
  });
});

describe("the cache", () => {
  const fill = (version: string) => (directory: string) =>
    fakeServer(join(directory, "unpacked/nats-server"), version);

  test("ends with one server when several set-ups fetch the same at once", async () => {
    const cacheDir = join(home, "cache");
    const found = await Promise.all(
      Array.from({ length: 8 }, () => installIntoCache(cacheDir, "release", fill("2.15.1"))),
    );
    expect(new Set(found.map((server) => server.path)).size).toBe(1);
    expect(await readdir(cacheDir)).toEqual(["nats-server"]);
    expect(await locate()).toMatchObject({ version: "2.15.1", source: "cache" });
  });

  test("replaces a damaged server of the same version", async () => {
    const damaged = join(home, "cache/nats-server/2.15.1-debian/nats-server");
    await writeFile(await fakeServer(damaged, ""), "");
    await installIntoCache(join(home, "cache"), "debian", fill("2.15.1"));
    expect(await locate()).toMatchObject({ path: damaged, version: "2.15.1" });
  });

  test("keeps nothing of a fetch that failed or brought an old server", async () => {
    const cacheDir = join(home, "cache");
    await expect(installIntoCache(cacheDir, "debian", fill("2.10.27"))).rejects.toThrow("2.10.27");
    await expect(
      installIntoCache(cacheDir, "debian", () => Promise.reject(new Error("no space"))),
    ).rejects.toThrow("no space");
    expect(await readdir(cacheDir, { recursive: true })).toEqual(["nats-server"]);
  });

  test("loses what a killed set-up left, but not what a running one holds", async () => {
    const cacheDir = join(home, "cache");
    await mkdir(join(cacheDir, "fetching-old"), { recursive: true });
    await mkdir(join(cacheDir, "fetching-now"));
    const twoHoursAgo = new Date(Date.now() - 7_200_000);
    await utimes(join(cacheDir, "fetching-old"), twoHoursAgo, twoHoursAgo);
    await installIntoCache(cacheDir, "debian", fill("2.15.1"));
    expect(await readdir(cacheDir)).toEqual(["fetching-now", "nats-server"]);
  });

  test("is where MSGSYS_CACHE says, else in the checkout, whatever the home directory is", async () => {
    expect(await defaultCacheDir({ MSGSYS_CACHE: "/elsewhere" })).toBe("/elsewhere");
    const root = join(import.meta.dirname, "../../../..");
    expect(await defaultCacheDir({ XDG_CACHE_HOME: "/other", HOME: "/none" })).toBe(
      join(root, ".cache"),
    );
  });
});

describe("an official release", () => {
  test.each([
    ["linux", "x64", "nats-server-v2.15.1-linux-amd64.tar.gz"],
    ["darwin", "arm64", "nats-server-v2.15.1-darwin-arm64.tar.gz"],
    ["win32", "x64", "nats-server-v2.15.1-windows-amd64.zip"],
    ["sunos", "x64", null],
    ["linux", "mips", null],
  ])("for %s %s is %s", (platform, arch, expected) => {
    expect(releaseArchiveName("2.15.1", platform, arch)).toBe(expected);
  });

  test("is checked against the line of its own name", () => {
    const sum = "a".repeat(64);
    const sums = `${"b".repeat(64)}  other.tar.gz\n${sum.toUpperCase()} *mine.tar.gz\nshort  bad.tar.gz\n`;
    expect(expectedSha256(sums, "mine.tar.gz")).toBe(sum);
    expect(expectedSha256(sums, "bad.tar.gz")).toBeNull();
    expect(expectedSha256(sums, "mine.tar")).toBeNull();
  });
});
