import type { BulkOutcome, TaskFilter } from "../../shared/control.ts";
import { type AppError, fromUnknown, type WireError } from "../../shared/errors.ts";
import type { AuditStore } from "../audit/audit-store.ts";

const SHOWN_REFUSALS = 100;
const CONCURRENCY = 32;
const BULK_LIMIT = 100_000;

export type Target = { readonly ids: readonly string[] } | { readonly where: TaskFilter };

/** The ids that a target names now. A filter is answered by the audit's present state. */
export async function idsOf(audit: AuditStore, target: Target): Promise<readonly string[]> {
  return "ids" in target ? target.ids : audit.offThread.ids(target.where, BULK_LIMIT);
}

/** Acts on each id by itself: one refusal never keeps the others. A lone id that is refused throws its refusal. */
export async function actOnEach(
  ids: readonly string[],
  dryRun: boolean,
  act: (id: string) => Promise<unknown>,
): Promise<BulkOutcome> {
  if (dryRun) return { matched: ids.length, applied: 0, refused: [], refusedCount: 0, dryRun };
  const refused: { id: string; error: WireError }[] = [];
  let refusedCount = 0;
  let applied = 0;
  let next = 0;
  let firstError: AppError | null = null;
  const lane = async (): Promise<void> => {
    while (next < ids.length) {
      const id = ids[next++]!;
      try {
        await act(id);
        applied++;
      } catch (error) {
        const known = fromUnknown(error);
        firstError ??= known;
        refusedCount++;
        if (refused.length < SHOWN_REFUSALS) refused.push({ id, error: known.toWire() });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, ids.length) }, lane));
  if (ids.length === 1 && firstError !== null) throw firstError;
  return { matched: ids.length, applied, refused, refusedCount, dryRun };
}
