import { afterAll, beforeAll, expect, test } from "vitest";
import type { Workbench } from "../pages/workbench.ts";
import { startVsCode, type VsCode } from "../support/vscode.ts";

let code: VsCode;
let window: Workbench;

beforeAll(async () => {
  code = await startVsCode();
  window = await code.openWindow();
});

afterAll(() => code?.close());

test("the installed package brings its container with four views to the activity bar", async () => {
  await window.openViews();
  const headers = window.page.locator(".part.sidebar .pane-header h3");
  await expect
    .poll(() => headers.allInnerTexts())
    .toEqual(["Queues", "Pipelines", "Dead Letters", "Live Feed"]);
  await window.shot("installed/views");
});

test("the palette finds what a person would search for", async () => {
  expect(await window.palette.search("Run CLS Integrate")).toContainEqual(
    expect.stringMatching(/^msg_sys: Run CLS Integrate/),
  );
  expect(await window.palette.search("msg_sys: Open Dashboard")).toContainEqual(
    expect.stringMatching(/^msg_sys: Open Dashboard/),
  );
});

test("VS Code's console tells of no error of ours", () => {
  expect(window.errors).toEqual([]);
});
