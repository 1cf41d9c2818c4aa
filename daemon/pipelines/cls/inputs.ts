import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../../shared/errors.ts";
import type { ClsParams } from "./params.ts";

/** An input file with its content's name. `name` is that in its folder. */
export interface InputFile {
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
}

const DAILY_FOLDER = "daily_files";
const REF_FOLDER = "ref_files";
const TABLE = /\.(xlsx|xlsm|csv)$/i;

/** The daily files in name order. Throws `cls-folder-missing` when there is no folder for them. */
export async function listDailyFiles(params: ClsParams): Promise<InputFile[]> {
  const names = await tableNames(join(params.root, DAILY_FOLDER));
  if (names === null) {
    throw new AppError("cls-folder-missing", { path: params.root, what: DAILY_FOLDER });
  }
  return hashAll(join(params.root, DAILY_FOLDER), names);
}

/** The reference files in name order; none when their folder is absent. */
export async function listRefFiles(params: ClsParams): Promise<InputFile[]> {
  const folder = join(params.root, REF_FOLDER);
  return hashAll(folder, (await tableNames(folder)) ?? []);
}

/** Names by code unit, so that the order is the same on every machine. Files that editors keep beside open ones are left out. */
async function tableNames(folder: string): Promise<string[] | null> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory() && TABLE.test(entry.name))
      .map((entry) => entry.name)
      .filter((name) => !name.startsWith("~$") && !name.startsWith("."))
      .sort((a, b) => (a < b ? -1 : 1));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

async function hashAll(folder: string, names: readonly string[]): Promise<InputFile[]> {
  const files: InputFile[] = [];
  for (const name of names) {
    const path = join(folder, name);
    files.push({ name, path, sha256: await sha256OfFile(path) });
  }
  return files;
}

/** sha256 of a file's bytes, in hexadecimal digits, read in constant memory. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest("hex");
}
