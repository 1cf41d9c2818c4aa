import { foldName, type ReportHeader, sameValue } from "./columns.ts";
import { CELL_SEPARATOR, unpackCells } from "./store.ts";

/** One differing column: [column, stored text, new text, 1 when both mean the same and only the writing differs]. */
export type FieldChange = readonly [
  field: string,
  old: string | null,
  now: string | null,
  onlyWriting: 0 | 1,
];

export interface RowSide {
  readonly header: ReportHeader;
  /** Packed cells. */
  readonly text: string;
}

/** The differences between a stored row and a new one, over the columns of both. */
export function diffRows(stored: RowSide, incoming: RowSide): FieldChange[] {
  if (stored.header === incoming.header) {
    return stored.text === incoming.text ? [] : diffSameLayout(stored, incoming);
  }
  return diffByName(stored, incoming);
}

function diffSameLayout(stored: RowSide, incoming: RowSide): FieldChange[] {
  const { names, kinds } = incoming.header;
  const before = stored.text.split(CELL_SEPARATOR);
  const after = incoming.text.split(CELL_SEPARATOR);
  const changes: FieldChange[] = [];
  for (let i = 0; i < names.length; i += 1) {
    if (before[i] === after[i]) continue;
    const old = before[i] || null;
    const now = after[i] || null;
    changes.push([names[i] ?? "", old, now, sameValue(kinds[i] ?? "text", old, now) ? 1 : 0]);
  }
  return changes;
}

function diffByName(stored: RowSide, incoming: RowSide): FieldChange[] {
  const before = byName(stored);
  const after = byName(incoming);
  const changes: FieldChange[] = [];
  for (const [folded, { name, kind }] of new Map([...before, ...after])) {
    const old = before.get(folded)?.cell ?? null;
    const now = after.get(folded)?.cell ?? null;
    if (old !== now) changes.push([name, old, now, sameValue(kind, old, now) ? 1 : 0]);
  }
  return changes;
}

function byName({ header, text }: RowSide) {
  const cells = unpackCells(text);
  return new Map(
    header.names.map((name, index) => [
      foldName(name),
      { name, kind: header.kinds[index] ?? ("text" as const), cell: cells[index] ?? null },
    ]),
  );
}

/** True when nothing but the update date differs in meaning. */
export function sameButDate(header: ReportHeader, changes: readonly FieldChange[]): boolean {
  const dateName = header.names[header.at.updateDate];
  return changes.every(([field, , , onlyWriting]) => onlyWriting === 1 || field === dateName);
}
