import { chmodSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { cliHere } from "../support/cli.ts";
import { tempDir } from "../support/temp-dir.ts";

const NOBODY = 65_534;

/** A directory that this process may not read until the test ends: as another user's would be. */
function foreignDir(): string {
  const dir = tempDir();
  chmodSync(dir, process.getuid?.() === 0 ? 0o700 : 0);
  if (process.getuid?.() === 0) process.seteuid?.(NOBODY);
  onTestFinished(() => {
    if (process.getuid?.() === 0) process.seteuid?.(0);
    chmodSync(dir, 0o700);
  });
  return dir;
}

test.skipIf(process.seteuid === undefined)(
  "of another user's data directory nobody is told that no daemon runs there",
  async () => {
    const dataDir = foreignDir();
    for (const argv of [["status"], ["down"], ["logs"], ["enqueue", "test.work", "{}"]]) {
      const { code, out, err } = await cliHere(["--data", dataDir, "--json", ...argv], {
        env: { MSGSYS_CREDS: join(dataDir, "none.nk") },
      });
      expect([argv, code, JSON.parse(out)]).toMatchObject([
        argv,
        5,
        { error: { code: "data-directory-unreadable" } },
      ]);
      expect(err).toContain(`Error: The data directory ${dataDir} cannot be read: `);
    }
  },
);
