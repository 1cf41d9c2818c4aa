import { spawn, spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../support/until.ts";

const ROOT = join(import.meta.dirname, "../..");
let home = "";

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "msgsys-setup-"));
});

afterEach(() => rm(home, { recursive: true, force: true }));

function run(file: string, args: readonly string[] = [], node = process.execPath) {
  return spawnSync(node, [file, ...args], { encoding: "utf8", timeout: 50_000 });
}

async function copyLauncher(): Promise<void> {
  for (const name of ["msgsys.mjs", "bundle.mjs"]) await cp(join(ROOT, name), join(home, name));
}

describe("the set-up", () => {
  test("does nothing when all is in place", () => {
    run(join(ROOT, "setup.mjs"));
    const again = run(join(ROOT, "setup.mjs"));
    expect(again).toMatchObject({ status: 0, stdout: "" });
    expect(again.stderr).toMatch(/^(setup: all is in place\n)?$/);
  });

  test("leaves a server and a command that work", async () => {
    run(join(ROOT, "setup.mjs"));
    const stamp = await readFile(join(ROOT, "node_modules/.msgsys-setup.json"), "utf8");
    const { natsServer } = JSON.parse(stamp) as { natsServer: string };
    expect(run("--version", [], natsServer).stdout).toMatch(/v\d+\.\d+\.\d+/);
    expect(await readFile(join(ROOT, "node_modules/.bin/msgsys"), "utf8")).toBe(
      await readFile(join(ROOT, "msgsys.mjs"), "utf8"),
    );
  });

  test("finds the lock file complete", () => {
    expect(run(join(ROOT, ".ci/complete-lock.mjs"), ["--check"])).toMatchObject({ status: 0 });
  });
});

describe("the lock of the set-up", () => {
  /** Takes the lock, writes `in`, stays a moment and writes `out`. */
  async function worker(): Promise<string> {
    const file = join(home, "worker.mjs");
    const lock = JSON.stringify(join(home, "lock"));
    const log = JSON.stringify(join(home, "log"));
    await writeFile(
      file,
      `import { appendFileSync } from "node:fs";
       import { withLock } from ${JSON.stringify(join(ROOT, "setup-lock.mjs"))};
       await withLock(${lock}, (text) => console.error(text), async () => {
         appendFileSync(${log}, "in ");
         await new Promise((resolve) => setTimeout(resolve, 100));
         appendFileSync(${log}, "out ");
       });`,
    );
    return file;
  }

  const ended = (child: ReturnType<typeof spawn>) =>
    new Promise((resolve) => child.on("close", resolve));

  test("lets one work at a time", async () => {
    const file = await worker();
    const children = Array.from({ length: 4 }, () => spawn(process.execPath, [file]));
    expect(await Promise.all(children.map(ended))).toEqual([0, 0, 0, 0]);
    expect(await readFile(join(home, "log"), "utf8")).toBe("in out ".repeat(4));
  });

  test("is taken over from a set-up that was killed", async () => {
    const file = await worker();
    await writeFile(join(home, "lock"), "elsewhere 1\n");
    const minuteAgo = new Date(Date.now() - 60_000);
    await utimes(join(home, "lock"), minuteAgo, minuteAgo);
    const result = run(file);
    expect(result).toMatchObject({ status: 0 });
    expect(result.stderr).toContain("removed the lock of a set-up that was killed");
  });
});

/** A Node of the machine that is too old for the CLI, if there is one. */
const oldNode = ["/usr/bin/node", "/usr/local/bin/node"].find((path) => {
  const version = /^v(\d+)\./.exec(spawnSync(path, ["--version"], { encoding: "utf8" }).stdout);
  return version !== null && Number(version[1]) < 22;
});

describe.each([
  { name: "a Node that fits", node: process.execPath },
  ...(oldNode === undefined ? [] : [{ name: "a Node that is too old", node: oldNode }]),
])("the launcher, started by $name,", ({ node }) => {
  beforeEach(async () => {
    await mkdir(join(home, "daemon/cli"), { recursive: true });
    await mkdir(join(home, "node_modules/node/bin"), { recursive: true });
    await copyLauncher();
    await writeFile(join(home, "package.json"), '{ "type": "module" }');
    await writeFile(
      join(home, "node_modules/node/bin/node"),
      `#!/bin/sh\nexec ${process.execPath} "$@"\n`,
      { mode: 0o755 },
    );
    await writeFile(
      join(home, "daemon/cli/main.ts"),
      `const args: string[] = process.argv.slice(2);
       if (args[0] === "wait") {
         process.on("SIGTERM", () => process.exit(7));
         setTimeout(() => undefined, 30_000);
       }
       console.log(JSON.stringify({ args, version: process.version }));
       if (args[0] === "die") process.kill(process.pid, "SIGKILL");
       process.exitCode = 3;`,
    );
  });

  test("runs the CLI on a new enough Node and passes arguments and exit code", () => {
    const result = run(join(home, "msgsys.mjs"), ["a", "b c", ""], node);
    expect(result).toMatchObject({ status: 3, stderr: "" });
    expect(JSON.parse(result.stdout)).toEqual({ args: ["a", "b c", ""], version: process.version });
  });

  test("passes a signal on and ends as the CLI ended", async () => {
    const child = spawn(node, [join(home, "msgsys.mjs"), "wait"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const closed = new Promise((resolve) => child.on("close", (...end) => resolve(end)));
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    await until(() => output.includes("\n"));
    child.kill("SIGTERM");
    expect(await closed).toEqual([7, null]);
  });

  test("runs the bundle, and the sources as soon as one was edited, added or removed", async () => {
    const launch = (): string => {
      const { stdout } = run(join(home, "msgsys.mjs"), [], node);
      return stdout === "bundle\n" ? "bundle" : "sources";
    };
    const at = async (ms: number, ...paths: readonly string[]): Promise<void> => {
      for (const path of paths) await utimes(join(home, path), ms / 1000, ms / 1000);
    };
    const sources = ["package.json", "daemon", "daemon/cli", "daemon/cli/main.ts"];
    await at(1_000_000, ...sources);
    await mkdir(join(home, "dist"));
    await writeFile(join(home, "dist/cli.mjs"), 'console.log("bundle");');
    expect(launch()).toBe("sources");
    await writeFile(join(home, "dist/built"), "");
    await at(1_000_000, "dist/built");
    expect(launch()).toBe("bundle");
    await at(1_002_000, "daemon/cli/main.ts");
    expect(launch()).toBe("sources");
    await at(1_002_000, "dist/built");
    expect(launch()).toBe("bundle");
    await writeFile(join(home, "daemon/cli/copied.ts"), "");
    await at(1_001_000, "daemon/cli/copied.ts");
    expect(launch()).toBe("sources");
    await rm(join(home, "daemon"), { recursive: true });
    expect(launch()).toBe("bundle");
  });

  test("dies of the signal that the CLI died of", () => {
    expect(run(join(home, "msgsys.mjs"), ["die"], node)).toMatchObject({ signal: "SIGKILL" });
  });
});

test.runIf(oldNode !== undefined)("the launcher says what to do when no Node fits", async () => {
  await copyLauncher();
  const env = { PATH: home };
  const result = spawnSync(oldNode ?? "", [join(home, "msgsys.mjs")], { encoding: "utf8", env });
  expect(result).toMatchObject({ status: 2, stdout: "" });
  expect(result.stderr).toMatch(/is too old, 22\.22 or newer is needed\.\nRun `npm run setup`/);
});
