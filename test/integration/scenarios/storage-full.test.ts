import { appendFileSync, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Enqueued } from "../../../shared/bus/client.ts";
import { AppError } from "../../../shared/errors.ts";
import { cli } from "../../support/cli.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { canMount, mountSmallDisk } from "../../support/small-disk.ts";
import { until } from "../../support/until.ts";

const SMALL = {
  "workers.pools": '{"only":{"queues":["test"],"slots":4}}',
  "lease.heartbeatMs": 500,
};

function fill(file: string): void {
  const chunk = Buffer.alloc(65_536);
  try {
    for (;;) appendFileSync(file, chunk);
  } catch (error) {
    // Ignored: that is the end of the disk, which was wanted.
    expect((error as NodeJS.ErrnoException).code).toBe("ENOSPC");
  }
}

/** Enqueues one after the other until one is refused; those before it were accepted. */
async function enqueueUntilRefused(
  daemon: TestDaemon,
  name: string,
  input: object,
): Promise<{ accepted: Enqueued[]; error: AppError }> {
  const accepted: Enqueued[] = [];
  for (let n = 0; n < 5000; n++) {
    try {
      accepted.push(await daemon.client.enqueue(name, input));
    } catch (error) {
      if (error instanceof AppError) return { accepted, error };
      throw error;
    }
  }
  throw new Error("never refused");
}

test.skipIf(!canMount())(
  "on a full disk an enqueue is refused as such, readers keep working, and all goes on when there is space",
  async () => {
    const { dir, unmount } = mountSmallDisk(64)!;
    onTestFinished(unmount);
    const dataDir = join(dir, "data");
    mkdirSync(dataDir);
    const daemon = await startDaemon({ dataDir, set: SMALL });
    onTestFinished(() => daemon.close());
    const { client } = daemon;
    const input = { file: join(tmpdir(), "msgsys-full-trace") };
    onTestFinished(() => rmSync(input.file, { force: true }));
    const before = await client.enqueue("test.work", input);
    await client.waitResult(before);
    const parked = await client.enqueue("test.work", input, { delayMs: 2000 });
    fill(join(dir, "filler"));

    const { accepted, error } = await enqueueUntilRefused(daemon, "test.work", {
      ...input,
      label: "x".repeat(20_000),
    });
    expect(error).toMatchObject({ code: "disk-full", exitCode: 1 });
    expect(error.hint).toContain(dataDir);
    expect((await client.get(before.id)).status).toBe("completed");
    expect((await client.list()).tasks.length).toBeGreaterThan(0);
    const status = await client.status();
    expect(status.daemon.state).toBe("degraded");
    expect(status.daemon.degraded.join("\n")).toMatch(/disk-full: .*no space left/i);
    // The daemon can still be found although its lease file cannot grow.
    const end = await cli([
      "--data",
      dataDir,
      "--json",
      "--no-start",
      "enqueue",
      "test.work",
      "{}",
    ]);
    expect(end.code).not.toBe(4);

    rmSync(join(dir, "filler"));
    const after = await until(
      // Always the same task: one that was stored although its answer was lost is not enqueued again.
      () => client.enqueue("test.work", input, { id: "afterwards" }).catch(() => null),
      (task) => task !== null,
    );
    expect(await client.waitResult(after!)).toMatchObject({ label: "" });
    for (const task of [parked, ...accepted]) await client.waitEnd(task.id);
    await until(
      () => client.status(),
      ({ daemon: { state } }) => state === "ready",
    );
    const { counts } = await until(
      () => client.status(),
      ({ counts: { completed } }) => completed === accepted.length + 3,
    );
    expect(counts).toMatchObject({ waiting: 0, dead: 0 });
    expect(await client.request("audit_verify", {})).toMatchObject({ ok: true });
  },
);

test("at the broker's own limit an enqueue is refused as queue-full, and taken again once there is room", async () => {
  const daemon = await startDaemon({
    set: { ...SMALL, "nats.maxFileStoreBytes": 4 * 1_048_576 },
  });
  onTestFinished(() => daemon.close());
  const { client } = daemon;
  await client.request("declare", { definitions: [{ name: "un.served", queue: "unserved" }] });
  const input = { text: "x".repeat(100_000) };
  const { accepted, error } = await enqueueUntilRefused(daemon, "un.served", input);
  expect(accepted.length).toBeGreaterThan(5);
  expect(error).toMatchObject({ code: "queue-full", exitCode: 1 });
  expect(error.hint).toContain("nats.maxFileStoreBytes");
  const { tasks } = await client.list({ where: { queue: "unserved" }, limit: 1000 });
  expect(tasks.map(({ id }) => id).sort()).toEqual(accepted.map(({ id }) => id).sort());

  await client.cancel({ ids: accepted.slice(0, 3).map(({ id }) => id) });
  const again = await until(
    () => client.enqueue("un.served", input).catch(() => null),
    (task) => task !== null,
  );
  expect(await client.get(again!.id)).toMatchObject({ status: "waiting" });
});
