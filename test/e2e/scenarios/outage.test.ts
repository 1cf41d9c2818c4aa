import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../support/until.ts";
import type { Workbench } from "../pages/workbench.ts";
import { kill } from "../support/processes.ts";
import { startVsCode, type VsCode } from "../support/vscode.ts";

let code: VsCode;
let window: Workbench;

beforeAll(async () => {
  code = await startVsCode();
  window = await code.openWindow();
  await window.openViews();
  await window.palette.run("msg_sys: Start Daemon");
  await connected();
});

afterAll(() => code?.close());

const status = async (): Promise<string> =>
  (await window.status().locator("a").getAttribute("aria-label")) ?? "";

async function connected(): Promise<void> {
  const text = (): Promise<string | null> => window.welcome("Queues").textContent();
  await until(text, (words) => words?.includes("Nothing is queued.") ?? false);
}

function pidOf(program: RegExp): number {
  const found = code.processes().find(({ command }) => program.test(command));
  if (found === undefined) throw new Error(`no ${program.source} runs`);
  return found.pid;
}

test("while nats-server is down the status bar says so, and it recovers by itself", async () => {
  const daemon = pidOf(/daemon\.mjs/);
  await expect.poll(status).toMatch(/connected/i);
  // Held still, the daemon cannot start the server again at once, as it would.
  kill(daemon, "SIGSTOP");
  try {
    kill(pidOf(/bin\/nats-server/), "SIGKILL");
    await expect.poll(status).toMatch(/reconnecting|lost|offline/i);
    await window.shot("outage/reconnecting");
  } finally {
    kill(daemon, "SIGCONT");
  }
  await expect.poll(status, { timeout: 40_000 }).toMatch(/connected/i);
  expect(code.lease()?.pid).toBe(daemon);
  await connected();
});

test("a killed daemon is told with what to do, and Start brings another one", async () => {
  const daemon = pidOf(/daemon\.mjs/);
  kill(daemon, "SIGKILL");
  const start = window.welcome("Queues").getByRole("button", { name: "Start Daemon" });
  await start.waitFor({ timeout: 60_000 });
  await window.shot("outage/daemon-killed");
  await start.click();
  await connected();
  await until(() => code.lease()?.state === "ready" && code.lease()?.pid !== daemon);
});

test("two windows share one daemon, and it stays up when they close", async () => {
  const second = await code.openWindow();
  await second.openViews();
  await expect.poll(() => second.welcome("Queues").textContent()).toContain("Nothing is queued.");
  const daemons = (): number =>
    code.processes().filter(({ command }) => /daemon\.mjs/.test(command)).length;
  expect(daemons()).toBe(1);
  await second.close();
  await connected();
  expect(daemons()).toBe(1);
});
