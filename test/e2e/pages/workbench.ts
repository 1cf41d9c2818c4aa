import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { until } from "../../support/until.ts";
import { createDashboardPage, type DashboardPage } from "./dashboard.ts";
import { createPalette, type Palette } from "./palette.ts";
import { createTree, type Tree } from "./tree.ts";

export interface WindowOptions {
  readonly url: string;
  /** The folder to open. */
  readonly workspace: string;
  readonly size?: { readonly width: number; readonly height: number };
}

/** One window of VS Code. Two of them are two browsers' worth of state, on one server. */
export interface Workbench {
  readonly page: Page;
  readonly palette: Palette;
  /** Errors of the page's console that VS Code itself does not cause here. */
  readonly errors: readonly string[];
  /** Opens the container of the activity bar. */
  openViews(): Promise<void>;
  tree(title: "Queues" | "Pipelines" | "Dead Letters"): Tree;
  /** The words of a view that is empty, with its links. */
  welcome(title: string): Locator;
  /** The item of the status bar. */
  status(): Locator;
  /** Toasts that show now. */
  toasts(): Locator;
  dashboard(): DashboardPage;
  feed(): DashboardPage;
  /** Opens a view of the container that is closed. */
  openPane(title: string): Promise<void>;
  /** Switches the colour theme by its label in the picker; `id` is what VS Code then calls it. */
  theme(label: string, id: string): Promise<void>;
  reload(): Promise<void>;
  shot(name: string): Promise<void>;
  close(): Promise<void>;
}

const LOCATOR_MS = 20_000;
const STATUS_ID = "msg-sys.msg-sys.msgSys.status";

const open = new Set<Workbench>();

/** The windows that are open now. */
export function openWindows(): readonly Workbench[] {
  return [...open];
}

/** What VS Code as a server, without its makers' network, says by itself. */
const HARMLESS = [
  /vsda/,
  // Machine code of the server that was not compiled here: it writes no log files, and goes on.
  /Could not locate the bindings file/,
  /native-watchdog/,
  /open-vsx\.org/,
  /ERR_NAME_NOT_RESOLVED/,
  /authentication provider 'github'/,
  // What it says of its own parts when the page is loaded again.
  /\[lifecycle\] Long running operations/,
  /vscode-web-db/,
  /Failed to load resource: the server responded with a status of 404/,
];

export async function openWindow(browser: Browser, options: WindowOptions): Promise<Workbench> {
  const { url, workspace, size = { width: 1400, height: 900 } } = options;
  const context = await browser.newContext({
    viewport: size,
    reducedMotion: "reduce",
    locale: "en-US",
    permissions: ["clipboard-read", "clipboard-write"],
  });
  context.setDefaultTimeout(LOCATOR_MS);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("console", (message) => {
    const text = `${message.text()} ${message.location().url}`;
    if (message.type() === "error" && !HARMLESS.some((known) => known.test(text)))
      errors.push(text);
  });
  const ready = (): Promise<void> =>
    page.locator(".monaco-workbench .part.statusbar").waitFor({ timeout: 60_000 });
  await page.goto(`${url}/?folder=${encodeURIComponent(workspace)}`);
  await ready();

  const container = (): Locator => page.getByRole("tab", { name: /^msg_sys/ }).first();
  const pane = (title: string): Locator =>
    page.locator(".pane").filter({ has: page.locator(`.pane-header[aria-label^="${title}"]`) });
  const window: Workbench = {
    page,
    palette: createPalette(page),
    errors,
    async openViews() {
      await container().waitFor();
      if ((await container().getAttribute("aria-expanded")) !== "true")
        await container().locator("a").click();
      await pane("Queues").waitFor();
    },
    tree: (title) => createTree(page, pane(title)),
    welcome: (title) => pane(title).locator(".welcome-view-content"),
    status: () => page.locator(`.statusbar-item[id="${STATUS_ID}"]`),
    toasts: () => page.locator(".notification-toast"),
    dashboard: () => createDashboardPage(page, "dashboard"),
    feed: () => createDashboardPage(page, "feed"),
    async openPane(title) {
      const header = pane(title).locator(".pane-header");
      if ((await header.getAttribute("aria-expanded")) !== "true") await header.click();
    },
    async theme(label, id) {
      await window.palette.run("Preferences: Color Theme");
      await window.palette.input.fill(label);
      await window.palette.pick(label);
      for (const view of [window.dashboard(), window.feed()])
        if (await view.isOpen())
          await until(
            () => view.themeId(),
            (now) => now === id,
          );
    },
    async reload() {
      // By its command: a browser that just loads the page again may do so before the window has kept its state.
      await Promise.all([
        page.waitForEvent("load", { timeout: 60_000 }),
        window.palette.run("Developer: Reload Window"),
      ]);
      await ready();
    },
    async shot(name) {
      const folder = process.env["MSGSYS_E2E_SHOTS"];
      if (folder === undefined) return;
      const path = join(folder, `${name}.png`);
      mkdirSync(dirname(path), { recursive: true });
      await page.screenshot({ path, animations: "disabled", caret: "hide" });
    },
    async close() {
      open.delete(window);
      await context.close();
    },
  };
  open.add(window);
  return window;
}
