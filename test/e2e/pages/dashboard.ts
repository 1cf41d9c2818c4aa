import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Frame, Locator, Page } from "playwright-core";
import { until } from "../../support/until.ts";

const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** A webview of ours: the dashboard or the feed of the side bar. */
export interface DashboardPage {
  /** Its document now; waits until it is there and has drawn. A hidden webview that is shown again has another one. */
  frame(): Promise<Frame>;
  /** Whether there is one at all. */
  isOpen(): Promise<boolean>;
  locator(selector: string): Promise<Locator>;
  text(): Promise<string>;
  /** The words of the rail, from the top. */
  screens(): Promise<string[]>;
  /** What VS Code calls the theme that it shows. */
  themeId(): Promise<string | undefined>;
  /** Opens a screen by its entry in the rail, and waits until it no longer loads. */
  go(name: string): Promise<void>;
  /** Rules of accessibility that the screen breaks, each with where; none is the aim. */
  violations(): Promise<string[]>;
}

export function createDashboardPage(page: Page, surface: "dashboard" | "feed"): DashboardPage {
  async function find(): Promise<Frame | null> {
    for (const frame of page.frames()) {
      if (!frame.url().includes("fake.html")) continue;
      // Ignored: the document went away while it was asked.
      const found = await frame.evaluate(() => document.body.dataset["surface"]).catch(() => null);
      if (found === surface) return frame;
    }
    return null;
  }

  async function frame(): Promise<Frame> {
    const found = await until(find);
    await found!.locator("#root > *").first().waitFor();
    return found!;
  }

  return {
    frame,
    isOpen: async () => (await find()) !== null,
    locator: async (selector) => (await frame()).locator(selector),
    text: async () =>
      (await frame())
        .locator("#root")
        .textContent()
        .then((text) => text ?? ""),
    screens: async () => (await frame()).locator(".rail-word").allTextContents(),
    themeId: async () => (await frame()).evaluate(() => document.body.dataset["vscodeThemeId"]),
    async go(name) {
      const at = await frame();
      await at.locator(".rail-item").filter({ hasText: name }).click();
      await at.locator('.rail-item[aria-current="page"]').filter({ hasText: name }).waitFor();
      await until(
        () => at.locator(".skeleton").count(),
        (count) => count === 0,
      );
    },
    async violations() {
      const at = await frame();
      await at.evaluate(AXE);
      return at.evaluate(async () => {
        const { axe } = globalThis as unknown as {
          axe: {
            run(): Promise<{
              violations: {
                id: string;
                nodes: { target: string[]; html: string; failureSummary: string }[];
              }[];
            }>;
          };
        };
        const { violations } = await axe.run();
        return violations.flatMap(({ id, nodes }) =>
          nodes.map(
            ({ target, html, failureSummary }) =>
              `${id}: ${target.join(" ")} ${html.slice(0, 200)} ${failureSummary}`,
          ),
        );
      });
    },
  };
}
