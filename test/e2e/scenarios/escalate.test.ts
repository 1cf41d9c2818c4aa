import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ConnectedClient } from "../../../daemon/sdk.ts";
import { until } from "../../support/until.ts";
import type { Workbench } from "../pages/workbench.ts";
import { GATED, ONE_SLOT, startVsCode, type VsCode } from "../support/vscode.ts";

const TABLES = ["customers", "orders", "parts", "prices", "vendors"];

let code: VsCode;
let window: Workbench;
let client: ConnectedClient;
let ids: readonly string[] = [];

beforeAll(async () => {
  code = await startVsCode({ files: GATED, env: ONE_SLOT });
  window = await code.openWindow();
  await window.openViews();
  await window.palette.run("msg_sys: Start Daemon");
  await until(() => code.lease()?.state === "ready");
  client = await code.client();
  await until(async () => (await client.definitions()).tasks.length >= 2);
  ids = await fill();
});

afterAll(() => code?.close());

/** One task that holds the only slot, and five that wait behind it. */
async function fill(): Promise<string[]> {
  const files = { gate: join(code.home, "gate"), order: join(code.home, "order") };
  const tasks = ["first", ...TABLES].map((table) => ({
    task: "etl.load",
    input: { table, ...files },
  }));
  const outcomes = await client.enqueueMany(tasks);
  return outcomes.map((outcome) => ("id" in outcome ? outcome.id : ""));
}

const last = (): string => ids.at(-1) ?? "";
const short = (id: string): string => id.slice(-6);

test("the tree of queues tells what waits and what runs", async () => {
  const normal = window.tree("Queues").row("Normal");
  await expect.poll(() => normal.textContent()).toContain("5 waiting · 1 running");
  await window.tree("Queues").row(short(last())).waitFor();
  await window.shot("escalate/queue");
});

test("the menu of a waiting task offers exactly what can be done with it", async () => {
  const entries = await window.tree("Queues").menuEntries(short(last()));
  expect(entries).toEqual(
    expect.arrayContaining([
      "Prioritize",
      "Urgent",
      "Critical",
      "Cancel",
      "Show Detail",
      "Copy Id",
    ]),
  );
  expect(entries).not.toContain("Redrive");
});

test("right click, Urgent, a reason: the task stands first, in the High bucket", async () => {
  await window.tree("Queues").menu(short(last()), "Urgent");
  await window.palette.enter("the board meets at nine");
  await expect
    .poll(() => window.tree("Queues").row(short(last())).textContent())
    .toContain("9 Urgent");
  await expect.poll(() => window.tree("Queues").row("High").textContent()).toContain("1 waiting");
  await window.shot("escalate/urgent");
});

test("it runs next, before those that were enqueued earlier", async () => {
  writeFileSync(join(code.home, "gate"), "");
  await until(async () => (await client.get(ids[4] ?? "")).status === "completed");
  const order = readFileSync(join(code.home, "order"), "utf8").trim().split("\n");
  expect(order).toEqual(["first", "vendors", ...TABLES.slice(0, -1)]);
});

test("its history says who moved it, from where to where, and why", async () => {
  const { priorityHistory } = await client.get(last());
  expect(priorityHistory).toMatchObject([
    { action: "urgent", from: 5, to: 9, by: client.user, reason: "the board meets at nine" },
  ]);
});
