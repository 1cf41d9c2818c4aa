import { expect, test } from "vitest";
import { whyPending } from "../../../../../daemon/pipelines/cls/pending-words.ts";
import type { FieldChange } from "../../../../../daemon/pipelines/cls/row-diff.ts";
import type { PendingRow } from "../../../../../daemon/pipelines/cls/sync-pending.ts";

const why = (differences: readonly FieldChange[]): string =>
  whyPending({
    kind: "conflict",
    storedDate: "2025-10-01",
    day: "2025-10-01",
    differences,
  } as PendingRow);

test("a conflict names what differs in meaning, the first three columns, and counts the rest", () => {
  const columns = ["Price1", "Vendor Name", "UOM", "QOE", "Brand"];
  expect(why(columns.map((name) => [name, "a", "b", 0] as const))).toBe(
    "same update date as the stored row (2025-10-01), but another Price1, Vendor Name, UOM and 2 more",
  );
  expect(
    why([
      ["Price1", "1.0", "1.00", 1],
      ["Brand", "a", "b", 0],
    ]),
  ).toMatch(/another Brand$/);
});
