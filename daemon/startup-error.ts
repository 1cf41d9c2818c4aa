import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { AppError } from "../shared/errors.ts";
import { writeAtomically } from "./write-atomically.ts";

/** Where a daemon that could not start says why, for whoever started it in the background. */
export const STARTUP_ERROR_FILE = "startup-error.json";

export async function writeStartupError(dataDir: string, error: AppError): Promise<void> {
  try {
    await writeAtomically(
      join(dataDir, STARTUP_ERROR_FILE),
      JSON.stringify({ ...error.toWire(), at: new Date().toISOString(), pid: process.pid }),
      { durable: false },
    );
  } catch {
    // Ignored: a data directory that cannot be written may be the very error; standard error has it.
  }
}

export async function clearStartupError(dataDir: string): Promise<void> {
  await rm(join(dataDir, STARTUP_ERROR_FILE), { force: true });
}
