import type { TaskSummary } from "../../shared/control.ts";

export type Cell = string | number | null;

/** A table as it is saved: names of columns, and rows of as many cells. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

const TASK_COLUMNS = [
  "id",
  "name",
  "queue",
  "status",
  "priority",
  "attempts",
  "by",
  "runId",
  "createdAt",
  "startedAt",
  "endedAt",
  "durationMs",
  "error",
] as const satisfies readonly (keyof TaskSummary)[];

export function taskTable(tasks: readonly TaskSummary[]): Table {
  return {
    columns: TASK_COLUMNS,
    rows: tasks.map((task) => TASK_COLUMNS.map((column) => task[column])),
  };
}

/** CSV after RFC 4180. A cell that a spreadsheet would take for a formula gets an apostrophe before it. */
export function toCsv({ columns, rows }: Table): string {
  return [columns, ...rows]
    .map((row) => row.map(csvCell).join(","))
    .join("\r\n")
    .concat("\r\n");
}

function csvCell(value: Cell): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** JSON: a list of objects, one a row. */
export function toJson({ columns, rows }: Table): string {
  const objects = rows.map((row) =>
    Object.fromEntries(columns.map((column, index) => [column, row[index] ?? null])),
  );
  return `${JSON.stringify(objects, null, 2)}\n`;
}

/** `tasks-2026-05-01-1804.csv`: in local time, as the one who looks for it remembers it. */
export function fileName(what: string, at: number, kind: "csv" | "json"): string {
  const date = new Date(at);
  const two = (n: number): string => String(n).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${what}-${day}-${two(date.getHours())}${two(date.getMinutes())}.${kind}`;
}

/** Rows in which all words stand, in any cell. Without case. Pure. */
export function searchRows(
  rows: readonly (readonly Cell[])[],
  text: string,
): readonly (readonly Cell[])[] {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const all = row
      .map((cell) => String(cell ?? ""))
      .join("\u0000")
      .toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

/** The local midnight that a date begins with, or that follows it; epoch ms. Null: no date (of a date field). */
export function dayEdge(date: string, edge: "start" | "end"): number | null {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(date) ?? [];
  if (year === undefined) return null;
  const at = new Date(Number(year), Number(month) - 1, Number(day) + (edge === "end" ? 1 : 0));
  return at.getTime();
}
