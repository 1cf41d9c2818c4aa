/** Where the bundled program lies, and whether it still is what the sources say. */
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(fileURLToPath(import.meta.url));
export const DIST = join(ROOT, "dist");
/** Its time is that of the newest source when the bundle was begun. */
export const BUILT = join(DIST, "built");
/** What the bundle is made of, besides the installed packages, for which the lock file stands. */
const SOURCES = ["daemon", "shared", "build.mjs", "package.json", "package-lock.json"];

/** False when there is no bundle, or when a source was changed, added or removed since it was made. Takes milliseconds. */
export function isBundleFresh() {
  const built = fs.statSync(BUILT, { throwIfNoEntry: false });
  return built !== undefined && newestSourceMs() <= built.mtimeMs;
}

/** Time of the newest source, 0 without any. A folder's own time tells of files that came or went. */
export function newestSourceMs(paths = SOURCES.map((name) => join(ROOT, name))) {
  let newest = 0;
  for (const path of paths) {
    const info = fs.statSync(path, { throwIfNoEntry: false });
    if (info === undefined) continue;
    newest = Math.max(newest, info.mtimeMs);
    if (!info.isDirectory()) continue;
    newest = Math.max(newest, newestSourceMs(fs.readdirSync(path).map((name) => join(path, name))));
  }
  return newest;
}
