import type { CLSPipelineResult, ClsPhase } from "../../daemon/pipelines/cls/params.ts";
import { type CliEnd, cliHere } from "./cli.ts";

/** What `msgsys run cls_all --wait --json` prints. */
export interface ClsRunResult {
  readonly runId: string;
  readonly status: string;
  readonly phases: Readonly<Record<ClsPhase, CLSPipelineResult>>;
  readonly warnings: number;
  readonly errors?: Readonly<Record<string, string>>;
}

/** A run and how its command line ended. */
export interface ClsRun extends CliEnd {
  readonly result: ClsRunResult;
}

/** Runs CLS_ALL on a data directory whose daemon is up, and waits for its end. */
export async function runCls(
  dataDir: string,
  root: string,
  out: string | null,
  ...more: readonly string[]
): Promise<ClsRun> {
  const where = ["--root", root, ...(out === null ? [] : ["--out", out])];
  const words = ["run", "cls_all", ...where, ...more, "--wait", "--json"];
  const end = await cliHere(["--data", dataDir, "--no-start", ...words]);
  if (end.out === "") throw new Error(`nothing was printed (exit ${end.code}): ${end.err}`);
  return { ...end, result: JSON.parse(end.out) as ClsRunResult };
}
