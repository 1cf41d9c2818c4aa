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

test("Run CLS Integrate from the palette asks for the folder, then shows all and waits for Enter", async () => {
  await window.palette.run("msg_sys: Run CLS Integrate");
  await expect.poll(() => window.palette.box.textContent()).toContain("Run CLS Integrate – root");
  await window.palette.typed(root);
  await window.palette.box
    .getByRole("option", { name: /Run CLS Integrate/ })
    .first()
    .waitFor();
  await window.shot("first-run/ask-all");
  await window.palette.pick(/Run CLS Integrate/);
});

test("the tree follows the run to its end", async () => {
  const tree = window.tree("Pipelines");
  await tree.row(/^Run /).waitFor();
  await expect
    .poll(() => tree.row(/^Run /).getAttribute("aria-label"), { timeout: 60_000 })
    .toMatch(/Completed/);
  await tree.expand(/^Run /);
  await tree.row("sync").waitFor();
  await tree.row("integrate").waitFor();
  await window.shot("first-run/tree");
});

test("the audit has the run with both phases, and every hash fits", async () => {
  const client = await code.client();
  const { runs } = await client.request("runs", {});
  expect(runs).toMatchObject([
    {
      pipeline: "cls_all",
      status: "completed",
      by: client.user,
      phases: [
        { phase: "sync", status: "completed" },
        { phase: "integrate", status: "completed" },
      ],
    },
  ]);
  const taskId = runs[0]?.phases[1]?.taskId ?? "";
  const { events } = await client.request("audit_task", { id: taskId });
  expect(events.map(({ kind }) => kind)).toContain("task.completed");
  expect(await client.request("audit_verify", {})).toMatchObject({ ok: true });
});

test("the dashboard opens and shows the run", async () => {
  await window.palette.run("msg_sys: Open Dashboard");
  await expect.poll(() => window.dashboard().text()).toMatch(/cls_all/i);
  await window.shot("first-run/dashboard");
});
