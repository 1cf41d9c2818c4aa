import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "../support/sources.ts";

const DIST = join(ROOT, "dist");
const CONFIG = `import { defineConfig, defineTask, z } from "msg-sys";

const where = defineTask({ name: "test.where", input: z.object({ label: z.string() }) }, ({ label }) => ({
  label,
  program: process.argv[1],
  sdk: import.meta.resolve("msg-sys"),
}));

export default defineConfig({ tasks: [where] });
`;

let home = "";

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "msgsys-bundle-"));
  writeFileSync(join(home, "msgsys.config.ts"), CONFIG);
  const built = spawnSync(process.execPath, [join(ROOT, "build.mjs"), "daemon"], {
    encoding: "utf8",
  });
  expect(built).toMatchObject({ status: 0, stderr: "" });
  expect(cli("up", "--detach")).toMatchObject({ status: 0 });
});

afterAll(() => {
  cli("down");
  rmSync(home, { recursive: true, force: true });
});

function cli(...args: readonly string[]) {
  return spawnSync(
    process.execPath,
    [join(DIST, "cli.mjs"), "--data", join(home, "data"), "--json", ...args],
    { cwd: home, encoding: "utf8", timeout: 50_000 },
  );
}

test("a worker of the bundle runs a workspace's task with the bundle's SDK", () => {
  const ended = cli("enqueue", "test.where", '{"label":"a"}', "--wait");
  expect(ended).toMatchObject({ status: 0 });
  expect(JSON.parse(ended.stdout)).toMatchObject({
    result: {
      label: "a",
      program: join(DIST, "worker.mjs"),
      sdk: pathToFileURL(join(DIST, "sdk.mjs")).href,
    },
  });
});
