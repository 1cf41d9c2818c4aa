import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { runClassify } from "../../daemon/pipelines/cls/classify.ts";
import { runExport } from "../../daemon/pipelines/cls/export.ts";
import { runIntegrate } from "../../daemon/pipelines/cls/integrate.ts";
import {
  type ClsContext,
  type ClsParamsInput,
  clsParams,
} from "../../daemon/pipelines/cls/params.ts";
import { runSync } from "../../daemon/pipelines/cls/sync.ts";
import { aDailyRow, aReportRow, FULL_REPORT, type RootContent } from "./cls-root.ts";

/** A small root with a row for each bucket and one changed price. */
export const SMALL_ROOT: RootContent = {
  reports: {
    [FULL_REPORT]: [
      aReportRow("1"),
      aReportRow("2", { "Corp Acct": "0301" }),
      aReportRow("3", { "Contract EXP Date": "2030-01-01" }),
    ],
    "0031-Contract Item Price Cat Pkg Extract 2025_11_19.xlsx": [
      aReportRow("1", { Price1: "13", "Item Update Date": "2025-11-19" }),
    ],
  },
  daily: { "daily.xlsx": ["1", "2", "3", "4"].map((item) => aDailyRow(item)) },
  vendors: [["BV1", "AV1"]],
  manufacturers: [["BM1", "AM1"]],
};

/** Runs the phases after sync, in order. */
export async function runAfterSync(input: ClsParamsInput, ctx: ClsContext): Promise<void> {
  const params = clsParams.parse(input);
  await runIntegrate(params, ctx);
  await runClassify(params, ctx);
  await runExport(params, ctx);
}

/** Runs all four phases. */
export async function runAllPhases(input: ClsParamsInput, ctx: ClsContext): Promise<void> {
  await runSync(clsParams.parse(input), ctx);
  await runAfterSync(input, ctx);
}

/** sha256 of each file of an export, but for the manifest: it alone may differ between runs. */
export async function exportHashes(out: string): Promise<Record<string, string>> {
  const names = (await readdir(out)).filter((name) => name !== "manifest.json").sort();
  const hashes = names.map(async (name) => {
    const bytes = await readFile(join(out, name));
    return [name, createHash("sha256").update(bytes).digest("hex")] as const;
  });
  return Object.fromEntries(await Promise.all(hashes));
}
