import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Nothing but this machine is reached: every other name is unknown to the browser. */
export const BROWSER_ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
];

/** A Chromium of this machine, installed from Debian's archive when this is root; null: there is none to be had. */
export function ensureBrowser(say: (text: string) => void): string | null {
  const found = findBrowser();
  if (found !== null) return found;
  if (process.getuid?.() !== 0) return null;
  say("installing Chromium with apt");
  for (const args of [["update"], ["install", "-y", "--no-install-recommends", "chromium"]])
    spawnSync("apt-get", ["-q", ...args], { stdio: ["ignore", 2, 2] });
  return findBrowser();
}

function findBrowser(): string | null {
  const named = process.env["MSGSYS_E2E_BROWSER"];
  if (named) return named;
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const paths = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return paths.find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Ignored: it is not there.
    return false;
  }
}
