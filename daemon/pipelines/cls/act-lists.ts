import { setImmediate as turn } from "node:timers/promises";
import type * as z from "zod";
import type {
  AppliedFile,
  FilesResult,
  filesInput,
  PendingResult,
  pendingInput,
} from "./act-params.ts";
import { type StoredFile, storedFiles } from "./file-store.ts";
import { createPace } from "./pace.ts";
import type { ClsContext } from "./params.ts";
import { toPendingItem } from "./pending-words.ts";
import { notSynced } from "./phase-run.ts";
import { type ClsStore, clsStoreExists, countRows, openClsStore } from "./store.ts";
import { countPending, listPending } from "./sync-pending.ts";
import { isForgotten, laterFiles, rowsAreKept } from "./sync-undo.ts";
import { planUndo } from "./undo-plan.ts";

/** Reads a root's store; readers wait for nobody. Fails with `cls-phase-missing` before the first sync. */
async function withStoreToRead<T>(
  root: string,
  { dataDir }: ClsContext,
  read: (store: ClsStore) => T | Promise<T>,
): Promise<T> {
  if (!clsStoreExists(dataDir, root)) throw notSynced({ root });
  const store = openClsStore(dataDir, root);
  try {
    return await read(store);
  } finally {
    store.close();
  }
}

/** Every file that was applied, the newest last, with whether it can be undone. */
export function listFiles(
  { root }: z.output<typeof filesInput>,
  ctx: ClsContext,
): Promise<FilesResult> {
  return withStoreToRead(root, ctx, async (store) => {
    const pace = createPace(ctx);
    const stored = storedFiles(store);
    const files: AppliedFile[] = [];
    for (const [at, file] of stored.entries()) {
      pace.beat(at, stored.length, "files");
      await turn();
      files.push(toAppliedFile(store, file));
    }
    return { root, storedRows: countRows(store), files };
  });
}

function toAppliedFile(store: ClsStore, file: StoredFile): AppliedFile {
  const { id, name, kind, day, sha256, state, appliedAt, runId, counts, archivedTo, undone } = file;
  const { rowsIn, rowsNew, rowsUpdated, rowsSkipped, rowsConflict, rowsReview, rowsFiltered } =
    counts;
  return {
    ...{ id, name, kind, day, state, appliedAt, runId, archivedTo },
    ...{ rowsIn, rowsNew, rowsUpdated, rowsSkipped, rowsConflict, rowsReview, rowsFiltered },
    sha256: sha256.replace(/^.*:/, ""),
    warnings: file.warnings.length,
    undo: undoOf(store, file),
    undone:
      undone === null
        ? null
        : {
            at: undone.at,
            taskId: undone.taskId,
            reason: undone.reason,
            again: isForgotten(file),
          },
  };
}

function undoOf(store: ClsStore, file: StoredFile): AppliedFile["undo"] {
  // Counting keys is work; for a file that cannot be undone anyway it would tell nothing.
  const later = file.state === "applied" && file.undoable ? laterFiles(store, file) : [];
  const plan = planUndo({ file, later, rowsKept: rowsAreKept(store, file) }, false);
  return plan.act === "undo"
    ? { possible: true, why: null, withKeepLater: false }
    : { possible: false, why: plan.what, withKeepLater: plan.code === "cls-undo-needs-later" };
}

/** The conflict or the review list of the files that are applied: one page of it. */
export function listPendingRows(
  kind: "conflict" | "review",
  input: z.output<typeof pendingInput>,
  ctx: ClsContext,
): Promise<PendingResult> {
  const { root, file, after, limit } = input;
  const filter = { kind, open: input.open, ...(file === undefined ? {} : { file }) };
  return withStoreToRead(root, ctx, (store) => {
    const found = [...listPending(store, filter, { after, limit: limit + 1 })];
    const rows = found.slice(0, limit).map(toPendingItem);
    return {
      root,
      total: countPending(store, filter),
      open: countPending(store, { ...filter, open: true }),
      rows,
      next: found.length > limit ? (rows.at(-1)?.id ?? null) : null,
    };
  });
}
