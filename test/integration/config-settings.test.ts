import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readConfigSettings } from "../../daemon/config-settings.ts";
import { loadSettings } from "../../daemon/settings.ts";
import { tempDir } from "../support/temp-dir.ts";

function config(text: string): string {
  const file = join(tempDir(), "msgsys.config.ts");
  writeFileSync(file, text);
  return file;
}

test("the settings that a config file exports are read, whatever else it prints", async () => {
  const file = config(`
    console.log("noise");
    type Level = "debug";
    const logLevel: Level = "debug";
    export const settings = { logLevel, lease: { heartbeatMs: 100 * 2 } };
  `);
  expect(await readConfigSettings(file)).toEqual({
    logLevel: "debug",
    lease: { heartbeatMs: 200 },
  });
});

test("a config file without settings has none, and the name msg-sys means this one in it", async () => {
  const file = config(`
    import { defineTask } from "msg-sys";
    if (typeof defineTask !== "function") throw new Error("not the SDK");
    export default { tasks: [] };
  `);
  expect(await readConfigSettings(file)).toBeNull();
});

test("a config file that throws is told with its line", async () => {
  const file = config(`export const a = 1;\n\nthrow new Error("no such table");\n`);
  await expect(readConfigSettings(file)).rejects.toMatchObject({
    code: "bad-config-file",
    message: `${file}:3: no such table`,
  });
});

test("a config file that does not end is given up, and one that ends the process is told", async () => {
  await expect(readConfigSettings(config("for (;;) {}"), 300)).rejects.toMatchObject({
    code: "bad-config-file",
    message: expect.stringContaining("did not finish loading within 300 ms"),
  });
  await expect(readConfigSettings(config("process.exit(7)"))).rejects.toMatchObject({
    message: expect.stringContaining("exit code 7"),
  });
});

test("a config file cannot change the process that reads it", async () => {
  const file = config(`
    process.env.MSGSYS_LOG_LEVEL = "error";
    globalThis.tampered = true;
    export const settings = { logLevel: "warn" };
  `);
  const { settings, sources } = await loadSettings({
    cwd: join(file, ".."),
    env: process.env,
    flags: {},
  });
  expect(settings.logLevel).toBe("warn");
  expect(sources["logLevel"]).toBe(`logLevel in ${file}`);
  expect("tampered" in globalThis).toBe(false);
});
