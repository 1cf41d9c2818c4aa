import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { defineTask, work } from "../../../daemon/sdk.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.close());

const double = defineTask({ name: "embedded.double", input: z.number() }, (n) => n * 2);

it("a process of the author's own runs tasks as a worker, and leaves in order", async () => {
  const { client, dataDir } = daemon;
  const working = await work({ dataDir, tasks: [double] });
  try {
    const results = await Promise.all(
      [1, 2, 3].map(async (n) =>
        client.waitResult((await client.enqueue("embedded.double", n)).id),
      ),
    );
    expect(results).toEqual([2, 4, 6]);
    const { workers } = await client.status();
    expect(workers.find(({ id }) => id === working.id)).toMatchObject({
      pool: "embedded",
      queues: ["embedded"],
    });
  } finally {
    await working.stop();
  }
  await until(
    async () => (await client.status()).workers,
    (workers) => workers.every(({ id, state }) => id !== working.id || state === "gone"),
  );
});

it("without a daemon it says so, and leaves nothing behind that keeps the process alive", async () => {
  await expect(
    work({ dataDir: `${daemon.dataDir}/nobody`, tasks: [double] }),
  ).rejects.toMatchObject({ code: "daemon-not-running" });
});
