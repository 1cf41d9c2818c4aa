import type * as z from "zod";
import { AppError } from "../../../shared/errors.ts";
import type { DecideResult, decideInput, UndoneResult, undoInput } from "./act-params.ts";
import { type StoredFile, storedFiles } from "./file-store.ts";
import { lockOptions, withLockedStore } from "./locked-store.ts";
import { createPace } from "./pace.ts";
import type { ClsContext } from "./params.ts";
import { notSynced } from "./phase-run.ts";
import { type ClsStore, clsStoreExists } from "./store.ts";
import { decidePending } from "./sync-pending.ts";
import { undoFile } from "./sync-undo.ts";
import { chooseFile } from "./undo-plan.ts";

/**
 * Does `work` on the store of a root alone: a sync or another act that is at work there is waited for.
 * Fails with `cls-phase-missing` before the first sync.
 */
function withStoreToChange<T>(
  root: string,
  ctx: ClsContext,
  work: (store: ClsStore) => T | Promise<T>,
): Promise<T> {
  if (!clsStoreExists(ctx.dataDir, root)) throw notSynced({ root });
  return withLockedStore(ctx.dataDir, root, lockOptions(ctx), work);
}

/**
 * Takes back what an applied file changed. A repeated execution answers what the first one did.
 * Fails with `cls-file-unknown`, `cls-undo-refused`, `cls-undo-needs-later`, `cls-phase-missing`.
 */
export async function undoAppliedFile(
  input: z.output<typeof undoInput>,
  ctx: ClsContext,
): Promise<UndoneResult> {
  const { root, reason, keepLater, again, dryRun } = input;
  return withStoreToChange(root, ctx, async (store) => {
    const file = fileCalled(store, input.file, root);
    const pace = createPace(ctx);
    const { restored, removed, keptByLater, storedRows } = await undoFile(store, file.id, {
      taskId: ctx.runId,
      at: new Date().toISOString(),
      ...{ reason, keepLater, again, dryRun },
      tick: (done, total) => pace.tick(done, total, `keys of ${file.name}`),
    });
    const counts = { restored, removed, keptByLater, storedRows };
    if (!dryRun) ctx.log("info", "cls.file.undone", { file: file.name, reason, ...counts });
    return {
      ...{ root, file: file.name, fileId: file.id, kind: file.kind },
      ...counts,
      ...{ again, dryRun, archivedTo: file.archivedTo },
    };
  });
}

function fileCalled(store: ClsStore, wanted: string, root: string): StoredFile {
  const choice = chooseFile(storedFiles(store), wanted);
  if (choice.found !== null) return choice.found;
  const names = choice.candidates.map(({ name }) => name).join(", ");
  throw new AppError("cls-file-unknown", {
    root,
    what: names === "" ? `is called ${wanted}` : `alone is called ${wanted}: ${names}`,
  });
}

/** Decides on rows of the conflict and review lists, each by itself; what is refused says why. */
export async function decideRows(
  input: z.output<typeof decideInput>,
  ctx: ClsContext,
): Promise<DecideResult> {
  const { root, decision } = input;
  return withStoreToChange(root, ctx, async (store) => {
    const pace = createPace(ctx);
    const decided: number[] = [];
    const refused: { id: number; what: string }[] = [];
    for (const id of new Set(input.ids)) {
      await pace.tick(decided.length, input.ids.length, "rows");
      try {
        decidePending(store, id, decision, ctx.runId, new Date().toISOString());
        decided.push(id);
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== "cls-decision-refused") throw error;
        refused.push({ id, what: error.message });
      }
    }
    ctx.log("info", "cls.rows.decided", { decision, decided: decided.length });
    return { root, decision, decided, refused };
  });
}
