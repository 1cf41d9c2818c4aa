import { afterAll, beforeAll, expect, it } from "vitest";
import type { TestDaemon } from "../../../support/daemon.ts";
import { type Effects, effects } from "../../../support/effects.ts";
import { addPeople, type People } from "../../../support/people.ts";
import { startScenario } from "../../../support/scenario.ts";

/** Often enough that an answer which does not wait for the audit is caught. */
const TIMES = 25;
const LATER = { delayMs: 3_600_000 };

let daemon: TestDaemon;
let people: People;
let seen: Effects;

beforeAll(async () => {
  seen = effects();
  daemon = await startScenario({ a: { slots: 2 } });
  people = await addPeople(daemon.dataDir);
});
afterAll(async () => {
  await people.close();
  await daemon.close();
  seen.remove();
});

async function waitingTask(): Promise<string> {
  return (await daemon.client.enqueue("test.work", seen.input("later"), LATER)).id;
}

it("who cancels a task finds that at once in its timeline, in lists, in counts and in queries", async () => {
  const { client } = daemon;
  const where = { status: ["cancelled" as const], name: "test.work" };
  const before = (await client.status()).counts.cancelled;
  for (let n = 1; n <= TIMES; n++) {
    const id = await waitingTask();
    await client.cancel(id, { reason: "not needed" });
    const { events } = await client.request("audit_task", { id });
    expect(events.at(-1)).toMatchObject({ kind: "task.cancelled" });
    await client.cancel(await waitingTask());
    expect((await client.list({ where, limit: 1000 })).tasks).toHaveLength(4 * n - 2);
    await client.cancel(await waitingTask());
    expect((await client.status()).counts.cancelled).toBe(before + 4 * n - 1);
    await client.cancel(await waitingTask());
    const { rows } = await client.request("audit_query", { query: "by-status" });
    expect(rows).toContainEqual(["cancelled", before + 4 * n]);
  }
});

it("who acts by a filter reaches what was changed just before", async () => {
  const { client } = daemon;
  const target = { where: { status: ["cancelled" as const], name: "test.fail" } };
  for (let n = 0; n < TIMES; n++) {
    const { id } = await client.enqueue("test.fail", seen.input("never"), LATER);
    await client.cancel(id);
    expect((await client.cancel({ where: { ...target.where } }, { dryRun: true })).matched).toBe(
      n + 1,
    );
  }
});

it("who moves a task finds the change in its history at once", async () => {
  for (let n = 0; n < TIMES; n++) {
    const id = await waitingTask();
    await daemon.client.escalate(id, 9, "now");
    expect((await daemon.client.get(id)).priorityHistory).toMatchObject([{ from: 5, to: 9 }]);
  }
});

it("who has a task's result finds the attempt that made it at once", async () => {
  for (let n = 0; n < TIMES; n++) {
    const task = await daemon.client.enqueue("test.work", seen.input("now"));
    await daemon.client.waitResult(task);
    const { attemptHistory } = await daemon.client.get(task.id);
    expect(attemptHistory).toMatchObject([{ attempt: 1, outcome: "completed" }]);
  }
});

it("who was refused is in the audit and in the task's timeline at once", async () => {
  const operator = people.clients.Operator;
  for (let n = 1; n <= TIMES; n++) {
    const id = await waitingTask();
    await expect(operator.cancel(id)).rejects.toMatchObject({ code: "not-permitted" });
    const { events } = await daemon.client.request("audit_task", { id });
    expect(events.map(({ kind }) => kind)).toContain("refused");
    await expect(operator.cancel(id)).rejects.toMatchObject({ code: "not-permitted" });
    const { rows } = await daemon.client.request("audit_query", { query: "refusals" });
    expect(rows).toHaveLength(2 * n);
  }
});
