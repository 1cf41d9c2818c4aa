import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { sha256OfFile } from "./inputs.ts";

export const MANIFEST_FILE = "manifest.json";

const exportedFile = z.object({
  name: z.string(),
  rows: z.number().int().meta({ description: "Data rows; a header does not count" }),
  bytes: z.number().int(),
  sha256: z.string(),
});
export type ExportedFile = z.output<typeof exportedFile>;

const manifest = z.object({
  kind: z.literal("cls-export"),
  version: z.literal(1),
  runId: z.string(),
  createdAt: z.string(),
  root: z.string(),
  rulesSha256: z.string(),
  input: z.string().meta({ description: "Names the input that the export was made from" }),
  buckets: z.record(z.string(), z.number().int()),
  files: z.array(exportedFile),
});
/** What an export folder says about itself: by it a former export is known from other folders. */
export type Manifest = z.output<typeof manifest>;

/** The manifest of a folder; null when it has none, or one that is not ours. */
export async function readManifest(folder: string): Promise<Manifest | null> {
  try {
    const parsed = manifest.safeParse(
      JSON.parse(await readFile(join(folder, MANIFEST_FILE), "utf8")),
    );
    return parsed.success ? parsed.data : null;
  } catch (error) {
    if (error instanceof SyntaxError || isMissing(error)) return null;
    throw error;
  }
}

/** Whether the folder is an export of this input (the manifest's `input`) with every file still as it was written. */
export async function isWholeExport(folder: string, input: string): Promise<boolean> {
  const found = await readManifest(folder);
  if (found?.input !== input) return false;
  for (const { name, bytes, sha256 } of found.files) {
    const path = join(folder, name);
    // Ignored: a file that cannot be looked at is not as it was written.
    const stats = await stat(path).catch(() => null);
    if (stats?.size !== bytes || (await sha256OfFile(path)) !== sha256) return false;
  }
  return true;
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR";
}
