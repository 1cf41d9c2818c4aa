import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, rename, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { AppError, describe } from "../../../shared/errors.ts";
import { orderFiles, type ReportFile, reportFileOf } from "./sync-plan.ts";

/** The folder of the 0031 reports under a root. */
export const REPORTS_FOLDER = join("reports", "0031");
const ARCHIVE_FOLDER = "archive";
const CHUNK_BYTES = 1024 * 1024;

export interface ReportFolder {
  /** In the order of their turn. */
  readonly files: readonly (ReportFile & { readonly path: string })[];
  /** Names that are no 0031 report. */
  readonly unknown: readonly string[];
}

/** Lists the report folder. Fails with `cls-folder-missing`. */
export async function listReports(root: string): Promise<ReportFolder> {
  const folder = join(root, REPORTS_FOLDER);
  const names = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new AppError(
      "cls-folder-missing",
      { path: root, what: `folder ${REPORTS_FOLDER}` },
      error,
    );
  });
  const files: (ReportFile & { path: string })[] = [];
  const unknown: string[] = [];
  for (const entry of names) {
    if (entry.isDirectory()) continue;
    const report = reportFileOf(entry.name);
    if (report === null) unknown.push(entry.name);
    else if (report !== "ignored") files.push({ ...report, path: join(folder, entry.name) });
  }
  return { files: orderFiles(files), unknown: unknown.sort() };
}

/** The sha256 of a file's content in hex. `tick` is called after each piece. Fails with `cls-file-unreadable`, or as `tick`. */
export async function hashFile(path: string, tick: () => void): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of chunksOf(path)) {
    hash.update(chunk);
    tick();
  }
  return hash.digest("hex");
}

async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>;
  } catch (error) {
    throw new AppError("cls-file-unreadable", { file: path, what: describe(error) }, error);
  }
}

/** Moves an applied file into `archive/` beside it, under a free name; returns where it is now. */
export async function moveToArchive(path: string): Promise<string> {
  const folder = join(path, "..", ARCHIVE_FOLDER);
  await mkdir(folder, { recursive: true });
  const extension = extname(path);
  const stem = basename(path, extension);
  for (let n = 1; ; n += 1) {
    const target = join(folder, n === 1 ? basename(path) : `${stem} (${n})${extension}`);
    const taken = await stat(target).then(
      () => true,
      () => false,
    );
    if (taken) continue;
    await rename(path, target);
    return target;
  }
}
