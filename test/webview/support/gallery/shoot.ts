/**
 * Takes a picture of every screen in every state and theme, wide and narrow, and looks for faults of accessibility and
 * against the content security policy: `node test/webview/support/gallery/shoot.ts <folder> [name-part…]`. Exit code 1
 * when there is one. Needs a Chromium (CHROMIUM_PATH, or the one of the system).
 */
import { readFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { chromium, type Page } from "playwright-core";
import { PLAYS } from "./fake-host.ts";
import { serveGallery } from "./serve.ts";

const THEMES = ["dark", "light", "hc-dark", "hc-light"] as const;
const SIZES = {
  wide: { width: 1200, height: 800 },
  mid: { width: 900, height: 700 },
  narrow: { width: 420, height: 800 },
} as const;
const SCREENS = ["overview", "feed", "connection"] as const;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const BROWSER_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly target: unknown; readonly failureSummary?: string }[];
  }[];
}

async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const result = (await page.evaluate(
    "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] })",
  )) as AxeResult;
  return result.violations.flatMap(({ id, nodes }) =>
    nodes
      .slice(0, 3)
      .map((node) => `axe ${id}: ${String(node.target)} ${node.failureSummary ?? ""}`),
  );
}

async function main(folder: string, parts: readonly string[]): Promise<number> {
  await fs.mkdir(folder, { recursive: true });
  const { server, url } = await serveGallery();
  const browser = await chromium.launch({
    executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium",
    args: BROWSER_FLAGS,
  });
  let faults = 0;
  try {
    for (const screen of process.env["SCREENS"]?.split(",") ?? SCREENS) {
      for (const play of PLAYS) {
        for (const theme of THEMES) {
          for (const [size, viewport] of Object.entries(SIZES)) {
            const name = [screen.replace("?", "-"), play, theme, size].join("-");
            if (!parts.every((part) => name.includes(part))) continue;
            const page = await browser.newPage({ viewport });
            const said: string[] = [];
            page.on("console", (message) => {
              if (message.type() === "error") said.push(message.text());
            });
            page.on("pageerror", (error) => said.push(String(error)));
            await page.goto(`${url}?play=${play}&theme=${theme}&screen=${screen}`);
            await page.waitForSelector("h1");
            // Past the skeleton's delay and the loss of the connection.
            await page.waitForTimeout(900);
            await page.screenshot({ path: join(folder, `${name}.png`) });
            const sideways = await page.evaluate(
              "document.documentElement.scrollWidth > innerWidth || [...document.querySelectorAll('.screen')].some((s) => s.scrollWidth > s.clientWidth)",
            );
            const found = [
              ...said,
              ...(await faultsOf(page)),
              ...(sideways === true ? ["scrolls sideways"] : []),
            ];
            for (const fault of found) process.stdout.write(`${name}: ${fault}\n`);
            faults += found.length;
            await page.close();
          }
        }
      }
    }
  } finally {
    await browser.close();
    server.close();
  }
  process.stdout.write(`${faults} faults\n`);
  return faults === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv[2] ?? "screenshots", process.argv.slice(3));
