import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { canMount, mountSmallDisk } from "../support/small-disk.ts";

const LOG = new URL("../../daemon/log-stdout.ts", import.meta.url).href;

/** The exit code of a process with this code, whose standard output and error are files on a full disk. */
async function exitOf(code: string): Promise<number | null> {
  const disk = mountSmallDisk(1)!;
  const output = openSync(join(disk.dir, "out"), "a");
  try {
    expect(() => writeFileSync(join(disk.dir, "fill"), Buffer.alloc(2 ** 21))).toThrow("ENOSPC");
    const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
      stdio: ["ignore", output, output],
    });
    const [exit] = (await once(child, "exit")) as [number | null];
    return exit;
  } finally {
    closeSync(output);
    disk.unmount();
  }
}

test.skipIf(!canMount()).each([
  ["a line on standard error", "console.error('x');"],
  ["a line on standard output", "console.log('x');"],
  ["its own log", "log.info('x');"],
])("a process in the background outlives a full disk that does not take %s", async (_, act) => {
  const code = `
    import { createStdoutLog, outliveFullDisk } from ${JSON.stringify(LOG)};
    outliveFullDisk();
    const log = createStdoutLog({}, "info");
    let turns = 0;
    const next = () => {
      if (++turns > 5) process.exit(7);
      ${act}
      setTimeout(next, 1);
    };
    next();`;
  expect(await exitOf(code)).toBe(7);
});
