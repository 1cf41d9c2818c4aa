/** Where the bundled parts of the product lie, and whether they still are what the sources say. */
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(fileURLToPath(import.meta.url));
export const DIST = join(ROOT, "dist");

/** What every part is made of, besides the installed packages, for which the lock file stands. */
const EVERY = ["build.mjs", "package.json", "package-lock.json"];

/**
 * The parts: each has a file that lists what was written, whose time is that of the newest source when the part was begun.
 * The program (daemon, workers, command line) runs without the other two, and is never behind because of them.
 */
export const PARTS = {
  daemon: { built: join(DIST, "built"), sources: ["daemon", "shared", ...EVERY] },
  extension: {
    built: join(DIST, "extension.built"),
    sources: ["extension", "shared", ...EVERY],
  },
  webview: { built: join(DIST, "webview.built"), sources: ["webview", "shared", ...EVERY] },
};

/** False when the part was not bundled, or a source was changed, added or removed since. Takes milliseconds. */
export function isBundleFresh(part = "daemon") {
  const built = fs.statSync(PARTS[part].built, { throwIfNoEntry: false });
  return built !== undefined && newestSourceMs(part) <= built.mtimeMs;
}

/** Time of a part's newest source, 0 without any. */
export function newestSourceMs(part) {
  return newestMs(PARTS[part].sources.map((name) => join(ROOT, name)));
}

/** A folder's own time tells of files that came or went. */
function newestMs(paths) {
  let newest = 0;
  for (const path of paths) {
    const info = fs.statSync(path, { throwIfNoEntry: false });
    if (info === undefined) continue;
    newest = Math.max(newest, info.mtimeMs);
    if (!info.isDirectory()) continue;
    newest = Math.max(newest, newestMs(fs.readdirSync(path).map((name) => join(path, name))));
  }
  return newest;
}
