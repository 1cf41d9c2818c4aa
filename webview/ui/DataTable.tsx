import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { Checkbox } from "./controls.tsx";
import { Icon } from "./Icon.tsx";
import { plural, t } from "./text.ts";
import { rowAfterKey } from "./virtual-window.ts";

export interface Column<T> {
  readonly id: string;
  readonly title: string;
  readonly cell: (row: T) => ComponentChildren;
  /** Absent: the column cannot be sorted by. Null sorts last either way. */
  readonly sortBy?: (row: T) => number | string | null;
  /** `num`: right-aligned; `grow`: takes the room that is left, cut with dots; `wide`: hidden when narrow. */
  readonly look?: string;
}

export interface Sort {
  readonly column: string;
  readonly isDown: boolean;
}

/** Sorted by a column; the order of equal rows stays. Pure. */
function sortRows<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  sort: Sort | null,
): readonly T[] {
  const by = columns.find(({ id }) => id === sort?.column)?.sortBy;
  if (by === undefined || sort === null) return rows;
  const sign = sort.isDown ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [left, right] = [by(a), by(b)];
    if (left === right) return 0;
    if (left === null) return 1;
    if (right === null) return -1;
    return (left < right ? -1 : 1) * sign;
  });
}

export interface DataTableProps<T> {
  /** What the table is about, for screen readers. */
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  readonly sort?: Sort | null;
  readonly onSort?: (sort: Sort) => void;
  readonly onOpen?: (row: T) => void;
  /** The row whose detail is open. */
  readonly openKey?: string | null;
  /** Absent: rows cannot be ticked. */
  readonly ticked?: ReadonlySet<string>;
  readonly onTick?: (ticked: ReadonlySet<string>) => void;
  /** The name of a row in the label of its box. */
  readonly nameOf?: (row: T) => string;
  /** Keys of a row beyond arrows, Enter and Space; true: done. */
  readonly onRowKey?: (key: string, row: T) => boolean;
}

/** A native table: sorting by its headers, ticking, and arrows, j and k from row to row. */
export function DataTable<T>(props: DataTableProps<T>) {
  const { columns, keyOf, ticked, openKey = null } = props;
  const [ownSort, setOwnSort] = useState<Sort | null>(null);
  const sort = props.sort === undefined ? ownSort : props.sort;
  const rows = sortRows(props.rows, columns, sort);
  const [active, setActive] = useState<string | null>(null);
  const body = useRef<HTMLTableSectionElement>(null);
  const activeIndex = Math.max(
    0,
    rows.findIndex((row) => keyOf(row) === active),
  );

  function toggle(row: T): void {
    if (ticked === undefined) return;
    const next = new Set(ticked);
    if (!next.delete(keyOf(row))) next.add(keyOf(row));
    props.onTick?.(next);
  }

  function onKeyDown(event: KeyboardEvent, row: T): void {
    // Keys of a button or box inside the row are theirs.
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey)
      return;
    const next = rowAfterKey(event.key, rows.indexOf(row), rows.length, 10);
    const isDone =
      next !== null ||
      (event.key === "Enter" && props.onOpen !== undefined) ||
      (event.key === " " && ticked !== undefined) ||
      props.onRowKey?.(event.key, row) === true;
    if (!isDone) return;
    event.preventDefault();
    event.stopPropagation();
    if (next !== null) (body.current?.children[next] as HTMLElement | undefined)?.focus();
    else if (event.key === "Enter") props.onOpen?.(row);
    else if (event.key === " ") toggle(row);
  }

  return (
    <table class="data-table" aria-label={props.label}>
      <thead>
        <tr>
          {ticked !== undefined && (
            <th class="tick-cell">
              <TickAll rows={rows} keyOf={keyOf} ticked={ticked} onTick={props.onTick} />
            </th>
          )}
          {columns.map((column) => (
            <Header
              key={column.id}
              column={column}
              sort={sort}
              onSort={props.onSort ?? setOwnSort}
            />
          ))}
        </tr>
      </thead>
      <tbody ref={body}>
        {rows.map((row, index) => {
          const key = keyOf(row);
          return (
            <tr
              key={key}
              tabIndex={index === activeIndex ? 0 : -1}
              aria-current={key === openKey ? "true" : undefined}
              class={`${ticked?.has(key) === true ? "is-ticked" : ""} ${props.onOpen === undefined ? "" : "opens"}`}
              onFocus={() => setActive(key)}
              onClick={() => props.onOpen?.(row)}
              onKeyDown={(event) => onKeyDown(event, row)}
            >
              {ticked !== undefined && (
                <td class="tick-cell">
                  <Checkbox
                    hideLabel
                    label={t("Select {name}", { name: props.nameOf?.(row) ?? key })}
                    checked={ticked.has(key)}
                    onChange={() => toggle(row)}
                  />
                </td>
              )}
              {columns.map((column) => (
                <td key={column.id} class={column.look}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Header<T>(props: { column: Column<T>; sort: Sort | null; onSort: (sort: Sort) => void }) {
  const { column, sort, onSort } = props;
  if (column.sortBy === undefined) {
    return (
      <th scope="col" class={column.look}>
        {column.title === "" ? <span class="unseen">{t("Actions")}</span> : column.title}
      </th>
    );
  }
  const isBy = sort?.column === column.id;
  const isDown = isBy && sort.isDown;
  return (
    <th
      scope="col"
      class={column.look}
      aria-sort={isBy ? (isDown ? "descending" : "ascending") : "none"}
    >
      <button
        type="button"
        class="plain sorter"
        onClick={() => onSort({ column: column.id, isDown: isBy && !isDown })}
      >
        {column.title}
        {isBy && <Icon name={isDown ? "chevron-down" : "chevron-up"} />}
      </button>
    </th>
  );
}

function TickAll<T>(props: {
  rows: readonly T[];
  keyOf: (row: T) => string;
  ticked: ReadonlySet<string>;
  onTick: ((ticked: ReadonlySet<string>) => void) | undefined;
}) {
  const { rows, keyOf, ticked, onTick } = props;
  const count = rows.filter((row) => ticked.has(keyOf(row))).length;
  const isAll = rows.length > 0 && count === rows.length;
  return (
    <Checkbox
      hideLabel
      label={plural(rows.length, "Select the row", "Select all {n} rows shown")}
      checked={isAll}
      indeterminate={count > 0 && !isAll}
      onChange={() => onTick?.(new Set(isAll ? [] : rows.map(keyOf)))}
    />
  );
}
