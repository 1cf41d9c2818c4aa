import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { nuid } from "@nats-io/nuid";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => daemon.close());

const startsIn = (file: string): string[] =>
  existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line.startsWith("start"))
    : [];

it("a quick task whose enqueue is repeated at once, while and after it runs, starts once", async () => {
  const { client, dataDir } = daemon;
  const file = join(dataDir, "repeats");
  const ids = Array.from({ length: 20 }, () => nuid.next());
  // Workers take a task without a claim only when they know it to be quick.
  await client.waitResult((await client.enqueue("test.work", { file: `${file}.first` })).id);

  const outcomes = await Promise.all(
    ids.flatMap((id) =>
      Array.from({ length: 10 }, () => client.enqueue("test.work", { file }, { id })),
    ),
  );
  await Promise.all(ids.map((id) => client.waitResult(id)));
  const later = await Promise.all(ids.map((id) => client.enqueue("test.work", { file }, { id })));

  expect(outcomes.filter(({ deduplicated }) => !deduplicated)).toHaveLength(ids.length);
  expect(later.every(({ deduplicated }) => deduplicated)).toBe(true);
  const { waiting } = await until(
    async () => (await client.status()).counts,
    (counts) => counts.waiting === 0 && counts.running === 0,
  );
  expect(waiting).toBe(0);
  expect(startsIn(file)).toHaveLength(ids.length);
});

it("a repeat of a task that waits adds no second message of it", async () => {
  const { client } = daemon;
  const id = nuid.next();
  await client.request("declare", {
    definitions: [{ name: "nobody.works", queue: "nobody", inputSchema: {} }],
  });
  for (let i = 0; i < 3; i += 1) await client.enqueue("nobody.works", { i: 1 }, { id });
  const { queues } = await client.request("queues", {});
  const lane = queues.find(({ queue }) => queue === "nobody");
  // A worker that meets it holds it for a moment before it gives it back: no name of its own.
  expect((lane?.waiting ?? 0) + (lane?.running ?? 0)).toBe(1);
  await client.cancel(id);
});
