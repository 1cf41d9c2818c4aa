import { stripVTControlCharacters } from "node:util";

/** A column of a table for people. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Cells longer than this lose their end; a table wider than the terminal takes more from the widest such column. */
  readonly shrinks?: boolean;
}

const GAP = "  ";
const LEAST_WIDTH = 8;

/**
 * Lines of an aligned table, without a trailing newline; no rows give the title line alone.
 * Columns that may shrink give way until the table fits into `width` characters.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { width = Number.POSITIVE_INFINITY, head = (text: string) => text } = {},
): string {
  const widths = columns.map((column, at) =>
    Math.max(column.title.length, ...rows.map((row) => visibleWidth(row[at] ?? ""))),
  );
  shrinkToFit(columns, widths, width);
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, at) => pad(cut(cells[at] ?? "", widths[at]!), widths[at]!, column.align))
      .join(GAP)
      .trimEnd();
  return [head(line(columns.map(({ title }) => title))), ...rows.map(line)].join("\n");
}

function shrinkToFit(columns: readonly Column[], widths: number[], width: number): void {
  const total = (): number =>
    widths.reduce((sum, w) => sum + w, 0) + GAP.length * (widths.length - 1);
  while (total() > width) {
    const widest = columns.reduce(
      (best, column, at) =>
        column.shrinks && (best === -1 || widths[at]! > widths[best]!) ? at : best,
      -1,
    );
    if (widest === -1 || widths[widest]! <= LEAST_WIDTH) return;
    widths[widest] = Math.max(LEAST_WIDTH, widths[widest]! - (total() - width));
  }
}

/** Colour codes take no room. */
function visibleWidth(text: string): number {
  return stripVTControlCharacters(text).length;
}

function cut(text: string, width: number): string {
  if (visibleWidth(text) <= width) return text;
  return `${stripVTControlCharacters(text).slice(0, width - 1)}…`;
}

function pad(text: string, width: number, align: Column["align"] = "left"): string {
  const space = " ".repeat(Math.max(0, width - visibleWidth(text)));
  return align === "right" ? space + text : text + space;
}

/** Two aligned columns without a title: what something is called, and what it is. */
export function renderFields(fields: readonly (readonly [string, string | null])[]): string {
  const known = fields.filter((field): field is readonly [string, string] => field[1] !== null);
  const width = Math.max(0, ...known.map(([name]) => name.length));
  return known
    .map(([name, value]) => {
      const [first = "", ...more] = value.split("\n");
      const indent = " ".repeat(width + GAP.length);
      return [`${name.padEnd(width)}${GAP}${first}`, ...more.map((text) => indent + text)].join(
        "\n",
      );
    })
    .join("\n");
}
