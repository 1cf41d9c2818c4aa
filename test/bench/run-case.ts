import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CASES, type CaseName, type CaseResult, type CaseStart } from "./cases.ts";
import type { SystemName } from "./system.ts";

const SCRIPT = fileURLToPath(new URL("case.ts", import.meta.url));
const ORDERLY_MS = 8000;

/** One case as the document has it. `error`: why there are no numbers. */
export interface CaseReport {
  readonly case: CaseName;
  readonly system: SystemName;
  readonly round: number;
  readonly seconds: number;
  readonly loadBefore: number;
  readonly loadAfter: number;
  readonly result: CaseResult | null;
  readonly error: string | null;
}

/**
 * Runs a case in a process group of its own and removes everything that it left: processes and files. Never rejects: a
 * case that fails or takes longer than its limit is reported as such. `signal` ends it early.
 */
export async function runCase(
  name: CaseName,
  system: SystemName,
  { round, quick, signal }: { round: number; quick: boolean; signal: AbortSignal },
): Promise<CaseReport> {
  const dir = mkdtempSync(join(tmpdir(), "msgsys-bench-"));
  const began = performance.now();
  const loadBefore = load();
  const start: CaseStart = { name, system, quick, dir };
  const { result, error } = await inProcess(start, CASES[name].limitSeconds, signal);
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  return { case: name, system, round, seconds, loadBefore, loadAfter: load(), result, error };
}

async function inProcess(
  start: CaseStart,
  limitSeconds: number,
  signal: AbortSignal,
): Promise<Pick<CaseReport, "result" | "error">> {
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify(start)], {
    stdio: ["ignore", 2, 2, "ipc"],
    detached: true,
  });
  const pid = child.pid ?? 0;
  const killGroup = (): void => {
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // Ignored: nothing of the group is left.
    }
  };
  let result: CaseResult | null = null;
  let stopped: string | null = null;
  child.on("message", (message: CaseResult) => {
    result = message;
  });
  let killing: NodeJS.Timeout | undefined;
  const stop = (why: string): void => {
    stopped ??= why;
    child.kill("SIGTERM");
    killing = setTimeout(killGroup, ORDERLY_MS);
  };
  const onAbort = (): void => stop("interrupted");
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  const limit = setTimeout(() => stop(`not done within ${limitSeconds} s`), limitSeconds * 1000);
  const [code] = (await once(child, "exit")) as [number | null];
  signal.removeEventListener("abort", onAbort);
  clearTimeout(limit);
  clearTimeout(killing);
  killGroup();
  const error = stopped ?? (result === null ? `its process ended with ${code}` : null);
  return { result, error };
}

function load(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100;
}
