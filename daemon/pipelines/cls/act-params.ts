import * as z from "zod";
import { CLS_PHASES, clsParams } from "./params.ts";

/** What the acts on a root's store take and answer. Counts are rows unless they say keys; instants are ISO 8601 UTC. */

const root = clsParams.shape.root;

/** The parameters of a run; `dryRun` and `archive` change nothing of a preview. */
export const previewInput = clsParams;

export const filesInput = z.object({ root });

export const pendingInput = z.object({
  root,
  file: z.string().min(1).optional().meta({ description: "Part of the name of the file" }),
  open: z.boolean().default(false).meta({ description: "Only rows that nobody decided on" }),
  after: z.number().int().min(0).default(0).meta({ description: "Only rows after this id" }),
  limit: z
    .number()
    .int()
    .min(1)
    .max(500)
    .default(100)
    .meta({ description: "At most so many rows" }),
});

export const undoInput = z.object({
  root,
  file: z
    .string()
    .min(1)
    .meta({ description: "Id or name of an applied file, or a part that no other name has" }),
  reason: z.string().trim().min(1).max(1000).meta({ description: "Why; kept with the file" }),
  keepLater: z
    .boolean()
    .default(false)
    .meta({ description: "Leave keys that a later file touched as that file left them" }),
  again: z.boolean().default(false).meta({ description: "Let the next sync apply the file again" }),
  dryRun: clsParams.shape.dryRun,
});

export const decideInput = z.object({
  root,
  ids: z
    .array(z.number().int().min(1))
    .min(1)
    .max(1000)
    .meta({ description: "Ids of rows on the conflict or review list" }),
  decision: z
    .enum(["keep", "take"])
    .meta({ description: "Keep what is stored, or take the row of the file" }),
  reason: z.string().trim().min(1).max(1000).meta({ description: "Why; kept with the task" }),
});

const rows = z.number().int();

const previewCounts = z.object({
  rowsIn: rows,
  rowsNew: rows,
  /** Something but the date differs. */
  rowsUpdated: rows,
  /** Equal to what is stored, but perhaps for a later date. */
  rowsSame: rows,
  rowsOlder: rows,
  rowsConflict: rows,
  rowsReview: rows,
  rowsFiltered: rows,
});
export type PreviewCounts = z.output<typeof previewCounts>;

const previewFile = previewCounts.extend({
  name: z.string(),
  kind: z.enum(["full", "increment"]),
  /** ISO day; of a full file `MM-DD`. */
  day: z.string(),
  would: z.enum(["apply", "skip", "wait", "fail"]),
  /** Why it would not be applied. */
  reason: z.string().nullable(),
  /** Of a full file: the stored rows that it would replace. */
  replaces: rows.nullable(),
});
export type PreviewFile = z.output<typeof previewFile>;

export const previewResult = z.object({
  root: z.string(),
  files: z.array(previewFile),
  /** Of the files that would be applied. */
  total: previewCounts,
  storedRows: z.object({ before: rows, after: rows }),
  keysNew: rows,
  keysUpdated: rows,
  /** What the phases after sync would do: they run when their result is missing or older than its input. */
  later: z.array(z.object({ phase: z.enum(CLS_PHASES), would: z.enum(["run", "skip"]) })),
  warnings: z.array(z.string()),
  durationMs: z.number(),
});
export type PreviewResult = z.output<typeof previewResult>;

const appliedFile = z.object({
  id: z.number().int(),
  name: z.string(),
  kind: z.enum(["full", "increment"]),
  day: z.string(),
  sha256: z.string(),
  state: z.enum(["applied", "superseded", "undone"]),
  appliedAt: z.string(),
  /** The run that applied it; the task's id when there was no run. */
  runId: z.string(),
  rowsIn: rows,
  rowsNew: rows,
  rowsUpdated: rows,
  rowsSkipped: rows,
  rowsConflict: rows,
  rowsReview: rows,
  rowsFiltered: rows,
  warnings: z.number().int(),
  archivedTo: z.string().nullable(),
  undo: z.object({
    possible: z.boolean(),
    /** Why not; null when it is possible. */
    why: z.string().nullable(),
    /** It is possible with `keepLater`. */
    withKeepLater: z.boolean(),
  }),
  undone: z
    .object({
      at: z.string(),
      /** The audit knows who asked for this task. */
      taskId: z.string(),
      reason: z.string(),
      /** The next sync applies the file again. */
      again: z.boolean(),
    })
    .nullable(),
});
export type AppliedFile = z.output<typeof appliedFile>;

export const filesResult = z.object({
  root: z.string(),
  storedRows: rows,
  files: z.array(appliedFile),
});
export type FilesResult = z.output<typeof filesResult>;

const pendingItem = z.object({
  id: z.number().int(),
  kind: z.enum(["conflict", "review"]),
  file: z.string(),
  /** Row of the sheet, the header is 1. */
  row: z.number().int(),
  key: z.string(),
  /** Prices and dates are text as the files have them: nothing is rounded. */
  storedPrice: z.string().nullable(),
  price: z.string().nullable(),
  storedDate: z.string().nullable(),
  /** ISO day of the row; null when blank. */
  day: z.string().nullable(),
  /** Why it is on the list, in words. */
  why: z.string(),
  differences: z.array(
    z.object({
      column: z.string(),
      stored: z.string().nullable(),
      incoming: z.string().nullable(),
    }),
  ),
  decision: z.enum(["keep", "take"]).nullable(),
  /** `policy`, or the task that decided. */
  decidedBy: z.string().nullable(),
  decidedAt: z.string().nullable(),
});
export type PendingItem = z.output<typeof pendingItem>;

export const pendingResult = z.object({
  root: z.string(),
  /** Rows that fit the filter, and how many of them nobody decided on. */
  total: rows,
  open: rows,
  rows: z.array(pendingItem),
  /** Give it as `after` for the rows that follow; null when these were the last. */
  next: z.number().int().nullable(),
});
export type PendingResult = z.output<typeof pendingResult>;

export const undoResult = z.object({
  root: z.string(),
  file: z.string(),
  fileId: z.number().int(),
  kind: z.enum(["full", "increment"]),
  /** Keys that have their former rows again. */
  restored: rows,
  /** Keys that are gone, because only this file had brought them. */
  removed: rows,
  /** Keys that stay as a later file left them. */
  keptByLater: rows,
  again: z.boolean(),
  /** It was done and taken back: the counts say what would be. */
  dryRun: z.boolean(),
  /** Where the input was moved when it was applied; the next sync does not look there. */
  archivedTo: z.string().nullable(),
  /** After it, in a dry run too. */
  storedRows: rows,
});
export type UndoneResult = z.output<typeof undoResult>;

export const decideResult = z.object({
  root: z.string(),
  decision: z.enum(["keep", "take"]),
  decided: z.array(z.number().int()),
  refused: z.array(z.object({ id: z.number().int(), what: z.string() })),
});
export type DecideResult = z.output<typeof decideResult>;
