import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isLeaseLive, readLease, startLeaseFile } from "../../../../daemon/lifecycle/lease-file.ts";
import { noLog } from "../../../../daemon/log.ts";
import { tempDir } from "../../../support/temp-dir.ts";
import { until } from "../../../support/until.ts";

const FIRST = {
  pid: process.pid,
  version: "0.1.0",
  protocol: 1,
  natsUrl: "nats://127.0.0.1:4222",
  prefix: "ms",
  startedAt: "2026-11-01T00:00:00.000Z",
  state: "starting",
} as const;
const START_MS = Date.parse(FIRST.startedAt);

test("a lease is live while its process exists and it was refreshed within five seconds", () => {
  const lease = { ...FIRST, refreshedAt: FIRST.startedAt };
  expect(isLeaseLive(lease, START_MS + 5000, () => true)).toBe(true);
  expect(isLeaseLive(lease, START_MS + 5001, () => true)).toBe(false);
  expect(isLeaseLive(lease, START_MS, () => false)).toBe(false);
});

test("the lease can be read at once, follows its updates and is gone after the stop", async () => {
  const dataDir = tempDir();
  let nowMs = START_MS;
  const clock = { now: () => (nowMs += 1000), monotonic: () => nowMs };
  const lease = await startLeaseFile({ dataDir, clock, log: noLog, refreshMs: 5 }, FIRST);
  expect(readLease(dataDir)).toMatchObject({ state: "starting", pid: process.pid });
  await lease.update({ state: "ready" });
  expect(readLease(dataDir)?.state).toBe("ready");
  const before = readLease(dataDir)?.refreshedAt ?? "";
  await until(() => (readLease(dataDir)?.refreshedAt ?? "") > before);
  expect(statSync(join(dataDir, "daemon.json")).mode & 0o777).toBe(0o600);
  await lease.stop();
  expect(readdirSync(dataDir)).toEqual([]);
});

test("a damaged lease reads as none", () => {
  const dataDir = tempDir();
  writeFileSync(join(dataDir, "daemon.json"), '{"pid": 1');
  expect(readLease(dataDir)).toBeNull();
  writeFileSync(join(dataDir, "daemon.json"), '{"pid": "1"}');
  expect(readLease(dataDir)).toBeNull();
  expect(existsSync(join(dataDir, "daemon.json"))).toBe(true);
});
