import type { PendingItem } from "./act-params.ts";
import type { PendingRow } from "./sync-pending.ts";

const NAMED = 3;

/** A row of the conflict or review list with the reason why it is there, in words. */
export function toPendingItem(row: PendingRow): PendingItem {
  const { differences, ...rest } = row;
  return {
    ...rest,
    why: whyPending(row),
    differences: differences.map(([column, stored, incoming]) => ({ column, stored, incoming })),
  };
}

/** Why sync did not take a row by itself. Columns that differ only in their writing are not counted. */
export function whyPending({ kind, storedDate, day, differences }: PendingRow): string {
  if (kind === "review") {
    return `it has no update date, so nobody can say whether it is newer than the stored row of ${storedDate ?? "an unknown date"}`;
  }
  const names = differences.filter(([, , , writing]) => writing === 0).map(([column]) => column);
  const more = names.length - NAMED;
  const listed = `${names.slice(0, NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  return `same update date as the stored row (${day ?? "none"}), but another ${listed}`;
}
