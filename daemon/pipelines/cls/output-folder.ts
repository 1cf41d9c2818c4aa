import { randomBytes } from "node:crypto";
import { mkdir, readdir, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AppError } from "../../../shared/errors.ts";
import { MANIFEST_FILE, readManifest } from "./manifest.ts";

/** Files that desktops and spreadsheet programs drop by themselves; nobody misses them. */
const LITTER = /^(\.DS_Store|Thumbs\.db|desktop\.ini|~\$.*|\.~lock\..*#)$/i;
const NAMES_SHOWN = 3;

/** Partial folders that this process is filling now; another of its number is left over from a process before. */
const active = new Set<string>();

/** A folder to fill. `commit` puts it in the place of the output, `discard` removes it; both may be called again. */
export interface PendingFolder {
  readonly path: string;
  commit(): Promise<void>;
  discard(): Promise<void>;
}

/**
 * Opens a folder beside `given` (or beside the folder that it links to) for an export, having made sure that it may be replaced:
 * it must be absent, empty or a former export.
 * Throws `cls-output-occupied`. Folders that killed processes left behind are removed.
 */
export async function openPendingFolder(given: string): Promise<PendingFolder> {
  const out = await followLink(given);
  await requireReplaceable(out);
  await requireReplaceable(previousOf(out));
  await mkdir(dirname(out), { recursive: true });
  await removeLeftOvers(out);
  const path = `${out}.partial-${process.pid}-${randomBytes(4).toString("hex")}`;
  active.add(path);
  await mkdir(path);
  let open = true;
  const close = (): void => {
    open = false;
    active.delete(path);
  };
  return {
    path,
    async commit() {
      if (!open) return;
      await replace(out, path);
      close();
    },
    async discard() {
      if (!open) return;
      await rm(path, { recursive: true, force: true });
      close();
    },
  };
}

/** A link stays, and what it names is replaced. */
async function followLink(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return path;
    throw error;
  }
}

function previousOf(out: string): string {
  return `${out}.previous`;
}

/**
 * Two renames. Killed before the first, `out` is untouched; between them, the former export is in `.previous` and `out` is absent,
 * which the next run takes for a new folder; after the second, all is done. A half-written `out` is never seen.
 */
async function replace(out: string, pending: string): Promise<void> {
  // Judged again: the export took a while, and something may have been put there.
  const state = await requireReplaceable(out);
  const previous = previousOf(out);
  if (state === "former") {
    await requireReplaceable(previous);
    await rm(previous, { recursive: true, force: true });
    await rename(out, previous);
  } else if (state === "empty") {
    await rm(out, { recursive: true });
  }
  try {
    await rename(pending, out);
  } catch (error) {
    if (state === "former") await rename(previous, out);
    throw error;
  }
}

/** Throws `cls-output-occupied` for anything that is not ours to replace. */
async function requireReplaceable(path: string): Promise<"absent" | "empty" | "former"> {
  let names: string[];
  try {
    names = await readdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return "absent";
    if (code !== "ENOTDIR") throw error;
    throw new AppError("cls-output-occupied", { path, what: "it is a file" }, error);
  }
  const found = names.filter((name) => !LITTER.test(name)).sort();
  if (found.length === 0) return "empty";
  const manifest = await readManifest(path);
  const ours = new Set([MANIFEST_FILE, ...(manifest?.files ?? []).map(({ name }) => name)]);
  const others = manifest === null ? found : found.filter((name) => !ours.has(name));
  if (others.length === 0) return "former";
  const more = others.length > NAMES_SHOWN ? ` and ${others.length - NAMES_SHOWN} more` : "";
  const what = `${others.slice(0, NAMES_SHOWN).join(", ")}${more}`;
  throw new AppError("cls-output-occupied", { path, what });
}

async function removeLeftOvers(out: string): Promise<void> {
  const start = `${basename(out)}.partial-`;
  for (const name of await readdir(dirname(out))) {
    if (!name.startsWith(start)) continue;
    const path = join(dirname(out), name);
    const pid = Number(/^\d+/.exec(name.slice(start.length))?.[0] ?? Number.NaN);
    if (Number.isNaN(pid) || active.has(path)) continue;
    if (pid !== process.pid && isAlive(pid)) continue;
    await rm(path, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not permitted means that the process is there and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
