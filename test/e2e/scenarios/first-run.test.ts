import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { generateClsRoot } from "../../../daemon/pipelines/cls/generate.ts";
import type { Workbench } from "../pages/workbench.ts";
import { startVsCode, type VsCode } from "../support/vscode.ts";

/** Some thousand rows in workbooks and CSV files, as a plant's departments would send them. */
const INPUT = { rows: 3000, increments: 2, rowsPerIncrement: 300, dailyRows: 500, seed: 7 };

let code: VsCode;
let window: Workbench;
let root = "";

beforeAll(async () => {
  code = await startVsCode();
  root = join(code.workspace, "cls");
  mkdirSync(root);
  await generateClsRoot(root, INPUT);
  window = await code.openWindow();
});

afterAll(() => code?.close());

test("without a daemon the views say so and offer to start one", async () => {
  await window.openViews();
  const welcome = window.welcome("Queues");
  await expect.poll(() => welcome.textContent()).toContain("No daemon is running.");
  await window.shot("first-run/no-daemon");
});

test("the link of the welcome view starts the daemon, with nothing installed but the package", async () => {
  await window.welcome("Queues").getByRole("button", { name: "Start Daemon" }).click();
  await expect.poll(() => window.welcome("Queues").textContent()).toContain("Nothing is queued.");
  expect(code.lease()).toMatchObject({ state: "ready" });
  const programs = code.processes().map(({ command }) => command);
  expect(programs).toContainEqual(
    expect.stringMatching(/extensions\/msg-sys\.msg-sys-[^/]+\/bin\/nats-server/),
  );
  await window.shot("first-run/connected");
});

test("Run CLS Integrate from the palette asks for the folder and runs sync and integrate", async () => {
  await window.palette.run("msg_sys: Run CLS Integrate");
  await window.palette.box.waitFor();
  await window.shot("first-run/ask-folder");
});
