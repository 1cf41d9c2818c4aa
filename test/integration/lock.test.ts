import { fork } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../daemon/clock.ts";
import { startLeaseFile } from "../../daemon/lifecycle/lease-file.ts";
import { lockDataDir } from "../../daemon/lifecycle/lock.ts";
import { noLog } from "../../daemon/log.ts";
import { tempDir } from "../support/temp-dir.ts";

/** A data directory that another process holds. */
async function heldDir() {
  const dataDir = join(tempDir(), "data");
  const program = join(import.meta.dirname, "../support/hold-lock-child.ts");
  const child = fork(program, [dataDir], { execArgv: [] });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "message");
  return { dataDir, child };
}

test("the directory and the lock are for this user only", () => {
  const dataDir = join(tempDir(), "a", "b");
  const lock = lockDataDir(dataDir);
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  expect(statSync(join(dataDir, "lock.db")).mode & 0o777).toBe(0o600);
  lock.release();
});

test("a directory that others may read is closed to them", () => {
  const dataDir = tempDir();
  chmodSync(dataDir, 0o755);
  lockDataDir(dataDir).release();
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
});

test("a second process is refused while the first one lives", async () => {
  const { dataDir } = await heldDir();
  expect(() => lockDataDir(dataDir)).toThrow(
    expect.objectContaining({
      code: "data-directory-locked",
      message: `Another process holds the data directory ${dataDir} (pid unknown).`,
    }),
  );
});

test("when a daemon holds it, the refusal names the daemon", async () => {
  const { dataDir, child } = await heldDir();
  const lease = await startLeaseFile(
    { dataDir, clock: systemClock, log: noLog },
    {
      pid: child.pid!,
      version: "0.1.0",
      protocol: 1,
      natsUrl: "nats://127.0.0.1:1",
      prefix: "ms",
      startedAt: new Date().toISOString(),
      state: "ready",
    },
  );
  onTestFinished(() => lease.stop());
  expect(() => lockDataDir(dataDir)).toThrow(
    expect.objectContaining({
      code: "already-running",
      message: `A daemon already runs on ${dataDir} (pid ${child.pid}).`,
    }),
  );
});

test("kill -9 of the holder frees the directory", async () => {
  const { dataDir, child } = await heldDir();
  child.kill("SIGKILL");
  await once(child, "exit");
  lockDataDir(dataDir).release();
});

test("the same process cannot hold it twice, and can again after the release", () => {
  const dataDir = tempDir();
  const lock = lockDataDir(dataDir);
  expect(() => lockDataDir(dataDir)).toThrow(
    expect.objectContaining({ code: "data-directory-locked" }),
  );
  lock.release();
  lock.release();
  lockDataDir(dataDir).release();
});

test("a file in the place of the directory is told as unwritable", () => {
  const dataDir = join(tempDir(), "data");
  writeFileSync(dataDir, "", { mode: 0o644 });
  expect(() => lockDataDir(dataDir)).toThrow(
    expect.objectContaining({ code: "data-directory-unwritable" }),
  );
  expect(() => lockDataDir(join(dataDir, "below"))).toThrow(
    expect.objectContaining({ code: "data-directory-unwritable" }),
  );
  expect(statSync(dataDir).mode & 0o777).toBe(0o644);
});

test.runIf(process.platform === "linux")(
  "a place where nothing can be made is told as unwritable, and soon",
  () => {
    for (const dataDir of ["/proc/msgsys", "/proc/msgsys/below"])
      expect(() => lockDataDir(dataDir)).toThrow(
        expect.objectContaining({ code: "data-directory-unwritable" }),
      );
  },
);

test("a lock that cannot be opened is told as unwritable, not as held", () => {
  const dataDir = tempDir();
  mkdirSync(join(dataDir, "lock.db"));
  expect(() => lockDataDir(dataDir)).toThrow(
    expect.objectContaining({
      code: "data-directory-unwritable",
      message: expect.stringContaining("lock.db"),
    }),
  );
});

test.skipIf(process.getuid?.() === 0 || process.platform === "win32")(
  "a directory without the right to write is told as unwritable",
  () => {
    const parent = tempDir();
    chmodSync(parent, 0o500);
    onTestFinished(() => chmodSync(parent, 0o700));
    expect(() => lockDataDir(join(parent, "data"))).toThrow(
      expect.objectContaining({ code: "data-directory-unwritable" }),
    );
  },
);
