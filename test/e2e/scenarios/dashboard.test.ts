import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ConnectedClient } from "../../../daemon/sdk.ts";
import { until } from "../../support/until.ts";
import type { Workbench } from "../pages/workbench.ts";
import { GATED, ONE_SLOT, startVsCode, type VsCode } from "../support/vscode.ts";

/** Labels in VS Code's picker, and what it calls them inside. */
const THEMES = [
  ["Light Modern", "Light Modern"],
  ["Dark High Contrast", "Default High Contrast"],
  ["Light High Contrast", "Default High Contrast Light"],
  ["Dark 2026", "Dark 2026"],
  ["Light 2026", "Light 2026"],
  ["Dark Modern", "Dark Modern"],
] as const;

let code: VsCode;
let window: Workbench;
let client: ConnectedClient;

beforeAll(async () => {
  code = await startVsCode({ files: GATED, env: ONE_SLOT });
  window = await code.openWindow();
  await window.openViews();
  await window.palette.run("msg_sys: Start Daemon");
  await until(() => code.lease()?.state === "ready");
  client = await code.client();
  await until(async () => (await client.definitions()).tasks.length >= 2);
  await work();
});

afterAll(() => code?.close());

const gate = (name: string) => ({ gate: join(code.home, name), order: join(code.home, "order") });

/** A task that holds the slot until its gate opens, and behind it one that waits and one that was moved. */
async function work(): Promise<void> {
  const enqueue = (table: string) => client.enqueue("etl.load", { table, ...gate("first") });
  const first = await enqueue("customers");
  await until(async () => (await client.get(first.id)).status === "running");
  await enqueue("orders");
  await client.escalate((await enqueue("parts")).id, 8, "first of the month");
}

test("the dashboard opens on the overview and is connected", async () => {
  await window.palette.run("msg_sys: Open Dashboard");
  await expect.poll(() => window.dashboard().text()).toMatch(/Connected/);
  expect((await window.dashboard().screens())[0]).toBe("Overview");
});

test("a domain event that a task publishes is in the live feed within a second", async () => {
  await window.dashboard().go("Live feed");
  const feed = await window.dashboard().locator('[role="log"]');
  await feed.waitFor();
  writeFileSync(gate("first").gate, "");
  await until(
    async () => (await client.list({ where: { status: ["completed"] } })).tasks.length > 0,
  );
  await expect
    .poll(() => feed.textContent(), { timeout: 1000, interval: 20 })
    .toContain("events.etl.loaded");
  await window.shot("dashboard/live-feed");
});

test("a window that is loaded again shows the dashboard where it was", async () => {
  await window.reload();
  await expect
    .poll(async () => {
      const current = await window.dashboard().locator('.rail-item[aria-current="page"]');
      return current.textContent();
    })
    .toBe("Live feed");
});

test("the live feed stands in the side bar too", async () => {
  await window.openViews();
  await window.openPane("Live Feed");
  await expect.poll(() => window.feed().text()).toContain("events kept");
  // It begins when it opens: what came a moment before is not in it.
  const shown = async (): Promise<string> => {
    await client.enqueue("etl.broken", { why: "column amount is not a number" });
    return window.feed().text();
  };
  await expect.poll(shown, { interval: 1000 }).toContain("etl.broken");
  expect(await window.feed().violations()).toEqual([]);
});

test("there is something of every kind to show", async () => {
  for (const table of ["prices", "vendors"])
    await client.enqueue("etl.load", { table, ...gate("never") });
  await until(async () => (await client.list({ where: { status: ["running"] } })).tasks.length > 0);
});

test.each(THEMES)("in %s no screen breaks a rule of accessibility", async (label, id) => {
  await window.theme(label, id);
  const found: string[] = [];
  for (const screen of await window.dashboard().screens()) {
    await window.dashboard().go(screen);
    for (const violation of await window.dashboard().violations())
      found.push(`${screen}: ${violation}`);
    await window.shot(`dashboard/${id}/${screen}`);
  }
  expect(found).toEqual([]);
});

test("nothing of all this broke the page's policy or was an error in the console", () => {
  expect(window.errors).toEqual([]);
});
