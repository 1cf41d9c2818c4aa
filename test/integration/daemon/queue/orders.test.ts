import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startDaemon, type TestDaemon } from "../../../support/daemon.ts";
import { until } from "../../../support/until.ts";

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.close());

it("a worker that is ordered to stop a task writes its end itself, and its answer reaches the daemon", async () => {
  const { client, dataDir } = daemon;
  const file = join(dataDir, "trace");
  const task = await client.enqueue("test.work", { file, ms: 60_000 });
  await until(
    async () => (await client.get(task.id)).status,
    (status) => status === "running",
  );

  const outcome = await client.cancel(task.id, { reason: "not needed" });

  expect(outcome.applied).toBe(1);
  await until(
    async () => (await client.get(task.id)).status,
    (status) => status === "cancelled",
  );
  const { events } = await client.request("audit_task", { id: task.id });
  const last = events.at(-1);
  expect(JSON.stringify(last)).toContain("not needed");
  expect(readFileSync(join(dataDir, "logs", "nats.log"), "utf8")).not.toContain("Violation");
  expect(readFileSync(join(dataDir, "logs", "daemon.log"), "utf8")).not.toContain(
    "worker_not_reached",
  );
});
