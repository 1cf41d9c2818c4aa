import type { FieldChange } from "./row-diff.ts";
import type { TypedRow } from "./row-store.ts";
import type { ClsStore, RowEvent } from "./store.ts";

/** Writes what became of the rows of one increment. */
export interface EventLog {
  event(row: number, key: string, event: RowEvent, price1: number | null): void;
  changes(row: number, typed: TypedRow, changes: readonly FieldChange[]): void;
  pending(
    row: number,
    kind: "conflict" | "review",
    typed: TypedRow,
    changes: readonly FieldChange[],
    decision: "keep" | "take" | null,
  ): void;
}

/** `layout` is that of the file; `now` gives an ISO time. */
export function createEventLog(
  { db }: ClsStore,
  file: number,
  layout: number,
  now: () => string,
): EventLog {
  const event = db.prepare(
    "INSERT INTO events (file, row, key, event, price1) VALUES (?, ?, ?, ?, ?)",
  );
  const change = db.prepare(
    "INSERT INTO changes (file, row, key, day, fields) VALUES (?, ?, ?, ?, ?)",
  );
  const pending = db.prepare(
    `INSERT INTO pending (file, row, kind, key, day, layout, cells, differences, decision, decided_by, decided_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  return {
    event: (row, key, name, price1) => void event.run(file, row, key, name, price1),
    changes: (row, { key, day }, changes) =>
      void change.run(file, row, key, day, JSON.stringify(changes)),
    pending: (row, kind, { key, day, text }, changes, decision) => {
      const by = decision === null ? null : "policy";
      const at = decision === null ? null : now();
      pending.run(
        file,
        row,
        kind,
        key,
        day,
        layout,
        text,
        JSON.stringify(changes),
        decision,
        by,
        at,
      );
    },
  };
}
