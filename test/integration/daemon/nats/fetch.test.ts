import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fetchDebianPackage } from "../../../../daemon/nats/debian-package.ts";
import { fetchRelease, releaseArchiveName } from "../../../../daemon/nats/release-archive.ts";
import { natsServerVersion } from "../../../../daemon/nats/version.ts";

let home = "";
let site: Server | undefined;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "msgsys-fetch-"));
});

afterEach(async () => {
  site?.closeAllConnections();
  await new Promise((resolve) => (site ? site.close(resolve) : resolve(undefined)));
  site = undefined;
  await rm(home, { recursive: true, force: true });
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  site = server;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const VERSION = "2.15.1";
const ARCHIVE = releaseArchiveName(VERSION, process.platform, process.arch) ?? "";

/** An archive as the official ones are: a folder with the server in it. */
async function archive(version: string): Promise<Buffer> {
  const folder = join(home, "build", "nats-server");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "nats-server"), `#!/bin/sh\necho nats-server: v${version}\n`);
  await chmod(join(folder, "nats-server"), 0o755);
  execFileSync("tar", ["-czf", join(home, ARCHIVE), "-C", join(home, "build"), "nats-server"]);
  return readFile(join(home, ARCHIVE));
}

async function releaseSite(body: Buffer, sum: string): Promise<string> {
  const files = new Map<string, Buffer>([
    [`/v${VERSION}/SHA256SUMS`, Buffer.from(`${sum}  ${ARCHIVE}\n`)],
    [`/v${VERSION}/${ARCHIVE}`, body],
  ]);
  return serve((request, response) => {
    const file = files.get(request.url ?? "");
    response.writeHead(file === undefined ? 404 : 200).end(file);
  });
}

function fetchFrom(releasesUrl: string) {
  return fetchRelease({ cacheDir: join(home, "cache"), log: () => undefined, releasesUrl });
}

describe("an official release", () => {
  test("is fetched, checked and put into the cache", async () => {
    const body = await archive(VERSION);
    const sum = createHash("sha256").update(body).digest("hex");
    const server = await fetchFrom(await releaseSite(body, sum));
    expect(server).toEqual({
      path: join(home, "cache/nats-server/2.15.1-release/nats-server"),
      version: VERSION,
    });
    expect(await natsServerVersion(server.path)).toBe(VERSION);
  });

  test("is refused when its checksum is another, and leaves nothing behind", async () => {
    const url = await releaseSite(await archive(VERSION), "0".repeat(64));
    await expect(fetchFrom(url)).rejects.toThrow(
      /has the checksum [0-9a-f]{64}, SHA256SUMS says 0+/,
    );
    expect(existsSync(join(home, "cache"))).toBe(false);
  });

  test("that does not exist is told with its address", async () => {
    const url = await serve((_, response) => response.writeHead(404).end());
    await expect(fetchFrom(url)).rejects.toThrow(`${url}/v${VERSION}/SHA256SUMS: answered 404`);
  });

  test("from a host that does not answer is given up after some seconds", async () => {
    const url = await serve(() => undefined);
    await expect(fetchFrom(url)).rejects.toThrow(/timeout/);
  });
});

const hasApt = existsSync("/usr/bin/apt-get") && existsSync("/usr/share/keyrings");

describe("Debian's package", () => {
  test("is skipped when apt's sources name no Debian archive", async () => {
    await mkdir(join(home, "apt/sources.list.d"), { recursive: true });
    await writeFile(join(home, "apt/sources.list"), "deb http://vendor.example/apt stable main\n");
    await expect(
      fetchDebianPackage({ cacheDir: home, log: () => undefined, aptDir: join(home, "apt") }),
    ).rejects.toThrow("skipped, apt's sources name no Debian archive");
  });

  test.runIf(hasApt)("without a good signature is refused", async () => {
    const url = await serve((request, response) => {
      const found = request.url?.endsWith("/forky/Release");
      response.writeHead(found ? 200 : 404).end("Suite: forky\nCodename: forky\n");
    });
    await mkdir(join(home, "apt"));
    await writeFile(join(home, "apt/sources.list"), `deb [trusted=yes] ${url}/debian sid main\n`);
    await expect(
      fetchDebianPackage({ cacheDir: home, log: () => undefined, aptDir: join(home, "apt") }),
    ).rejects.toThrow(/forky: .*(not signed|does not have a Release file)/);
  });

  test.runIf(hasApt)(
    "comes from the machine's mirror and leaves the machine's apt alone",
    async () => {
      const lists = "/var/lib/apt/lists";
      const before = await stat(lists);
      const server = await fetchDebianPackage({ cacheDir: home, log: () => undefined });
      expect(server.path).toBe(join(home, `nats-server/${server.version}-debian/nats-server`));
      expect(await natsServerVersion(server.path)).toBe(server.version);
      expect(await readdir(home)).toEqual(["nats-server"]);
      expect((await stat(lists)).mtimeMs).toBe(before.mtimeMs);
    },
  );
});
