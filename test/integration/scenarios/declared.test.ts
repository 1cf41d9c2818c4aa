import { afterAll, beforeAll, expect, test } from "vitest";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon?.close());

test("a task declared for workers that are not up yet waits for them, and says so", async () => {
  await daemon.client.request("declare", {
    definitions: [{ name: "later.job", queue: "later", inputSchema: {} }],
  });
  const task = await daemon.client.enqueue("later.job", {});
  const { status } = await daemon.client.get(task.id);
  expect(status).toBe("waiting");
  const { sentence } = await until(() => daemon.client.why(task.id));
  expect(sentence).toContain("No worker of the queue later knows the task later.job");
  expect((await daemon.client.get(task.id)).status).toBe("waiting");
  await daemon.client.cancel(task.id);
});
