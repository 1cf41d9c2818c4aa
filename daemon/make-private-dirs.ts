import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a directory and those above it (0700). One at a time: where the system says that a new name cannot exist, as in
 * /proc, Node's own recursive way never ends. Throws the system's error; EEXIST when something else has the name.
 */
export function makePrivateDirs(dir: string): void {
  const found = statSync(dir, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found === undefined && dirname(dir) !== dir) makePrivateDirs(dirname(dir));
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (error) {
    // Ignored when another process has made it in between.
    if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}
