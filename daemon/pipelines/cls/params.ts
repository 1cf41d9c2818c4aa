import * as z from "zod";

/** The phases of CLS_ALL in the order they run. */
export const CLS_PHASES = ["sync", "integrate", "classify", "export"] as const;
export type ClsPhase = (typeof CLS_PHASES)[number];

/** What every phase gets: where the input lies, where the export goes, and how to treat single cases. */
export const clsParams = z.object({
  root: z
    .string()
    .min(1)
    .meta({ description: "Folder with reports/0031, daily_files and ref_files" }),
  out: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "Folder that the export is written to (phase export)" }),
  dryRun: z.boolean().default(false).meta({ description: "Say what would happen, change nothing" }),
  fresh: z
    .boolean()
    .default(false)
    .meta({ description: "Start with an empty store instead of the one kept for this root" }),
  sameDate: z.enum(["keep", "take", "review"]).default("keep").meta({
    description:
      "A row with the stored date but other content: keep the stored one, take the new one, or leave it for review",
  }),
  excludedAccounts: z
    .array(z.string())
    .default(["0202", "0205", "0502", "0405"])
    .meta({ description: "Corp Acct values whose rows are left out" }),
  excludedVendorPrefixes: z
    .array(z.string())
    .default(["ZZZ"])
    .meta({ description: "Vendor names starting so are left out of look-ups" }),
  excludedItemPrefixes: z
    .array(z.string())
    .default(["PM"])
    .meta({ description: "Item numbers starting so are left out of look-ups" }),
  mirrorAccounts: z
    .array(z.tuple([z.string(), z.string()]))
    .default([
      ["0201", "0204"],
      ["0501", "0504"],
    ])
    .meta({ description: "Pairs [kept, mirror] of accounts" }),
  maxIncrements: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(10)
    .meta({ description: "Increment files applied in one run; the rest waits" }),
  archive: z.boolean().default(false).meta({
    description: "Move applied files to archive/ beside them (otherwise inputs are never touched)",
  }),
  rulesFile: z
    .string()
    .optional()
    .meta({ description: "YAML rule file of the phase classify; the built-in one when absent" }),
  checkout: z.string().optional().meta({
    description:
      "Folder of a Python CLS_Allscripts checkout that serves the phases named in checkoutPhases",
  }),
  checkoutPhases: z
    .array(z.enum(CLS_PHASES))
    .default([])
    .meta({ description: "Phases that the Python checkout serves" }),
  python: z
    .string()
    .default("python3")
    .meta({ description: "Python interpreter for the checkout" }),
});
export type ClsParams = z.output<typeof clsParams>;
/** As a caller writes them: all but `root` may be absent. */
export type ClsParamsInput = z.input<typeof clsParams>;

const artifact = z.object({
  path: z.string(),
  bytes: z.number().int(),
  sha256: z.string(),
  rows: z.number().int(),
});

const fileResult = z.object({
  name: z.string(),
  status: z.enum(["applied", "failed", "skipped"]),
  reason: z.string().optional(),
  rowsNew: z.number().int(),
  rowsUpdated: z.number().int(),
  rowsSkipped: z.number().int(),
  rowsConflict: z.number().int(),
  rowsReview: z.number().int(),
  rowsFiltered: z.number().int(),
});
export type ClsFileResult = z.output<typeof fileResult>;

/** The result of one phase. Counts are rows; `durationMs` is monotonic. */
export const clsPipelineResult = z.object({
  phase: z.enum(CLS_PHASES),
  rowsIn: z.number().int(),
  rowsNew: z.number().int(),
  rowsUpdated: z.number().int(),
  rowsSkipped: z.number().int(),
  rowsConflict: z.number().int(),
  rowsReview: z.number().int(),
  rowsFiltered: z.number().int(),
  warnings: z.array(z.string()),
  artifacts: z.array(artifact),
  durationMs: z.number(),
  /** sync: rows in the store afterwards, distinct keys over the run, rows sharing a key inside full files. */
  finalRows: z.number().int().optional(),
  keysNew: z.number().int().optional(),
  keysUpdated: z.number().int().optional(),
  duplicateKeys: z.number().int().optional(),
  files: z.array(fileResult).optional(),
  /** integrate: rows of the baseline that look-ups use. */
  rowsLookup: z.number().int().optional(),
  /** classify: rows per bucket. */
  buckets: z.record(z.string(), z.number().int()).optional(),
  rulesSha256: z.string().optional(),
});
export type CLSPipelineResult = z.output<typeof clsPipelineResult>;

/** What a phase may use of the world. The task handlers fill it from the task context; tests fill it by hand. */
export interface ClsContext {
  readonly runId: string;
  /** The data directory of the daemon; stores lie in `<dataDir>/cls`. */
  readonly dataDir: string;
  readonly signal: AbortSignal;
  /** At least each second while work goes on. `done`/`total` in rows or files as `what` says. */
  progress(p: { done: number; total: number | null; what: string }): void;
  log(
    level: "info" | "warn" | "error",
    event: string,
    data?: Readonly<Record<string, unknown>>,
  ): void;
}
