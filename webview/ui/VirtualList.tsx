// biome-ignore-all lint/a11y/useSemanticElements: a native table cannot leave rows out without losing its layout.
// biome-ignore-all lint/a11y/useFocusableInteractive: the focus stays on the list, which names its active row.
// biome-ignore-all lint/a11y/useKeyWithClickEvents: the keys of the rows are those of the list, which has the focus.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { theme } from "./theme.ts";
import { useStyle } from "./use-style.ts";
import { rowAfterKey, scrollToShow, windowOf } from "./virtual-window.ts";

const ROW_PX = 22;
const OVERSCAN = 12;
/** For a screen reader so many rows are really there. */
const OVERSCAN_READER = 200;

/** A cell of a row. */
export function Cell(props: { class?: string; title?: string; children: ComponentChildren }) {
  return (
    <span role="gridcell" class={props.class} title={props.title}>
      {props.children}
    </span>
  );
}

export interface VirtualListProps<T> {
  readonly label: string;
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string | number;
  /** The cells of a row, each a `Cell`. */
  readonly cells: (row: T) => ComponentChildren;
  readonly rowClass?: (row: T) => string;
  readonly rowPx?: number;
  readonly activeKey: string | number | null;
  readonly onActive: (row: T) => void;
  readonly onOpen?: (row: T) => void;
  /** Keeps the last row in sight. */
  readonly follow?: boolean;
  /** The user scrolled away from the end, or back to it. */
  readonly onFollow?: (follow: boolean) => void;
}

/**
 * A long list of rows of one height, of which only those in sight exist. The focus stays on the list, which names its
 * active row, so that scrolling a row out of existence loses nothing. What is in sight stays there when rows before it go.
 */
export function VirtualList<T>(props: VirtualListProps<T>) {
  const { rows, keyOf, follow = false, rowPx = ROW_PX } = props;
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const above = useRef<HTMLDivElement>(null);
  const below = useRef<HTMLDivElement>(null);
  const anchor = useRef<{ key: string | number; offsetPx: number } | null>(null);
  const lastTop = useRef(0);
  const [view, setView] = useState({ scrollPx: 0, viewPx: 400 });
  const overscan = theme.value.screenReader ? OVERSCAN_READER : OVERSCAN;
  const shown = windowOf({ count: rows.length, rowPx, overscan, ...view });
  const activeIndex = rows.findIndex((row) => keyOf(row) === props.activeKey);

  const isFollowing = useRef(follow);
  isFollowing.current = follow;
  useStyle(above, { height: `${shown.abovePx}px` });
  useStyle(below, { height: `${shown.belowPx}px` });
  useLayoutEffect(() => {
    const list = box.current;
    if (list === null) return;
    if (follow) list.scrollTop = list.scrollHeight;
    else keepInSight(list);
    lastTop.current = list.scrollTop;
    measure();
  }, [rows, follow, rowPx]);
  useEffect(() => {
    const observer = new ResizeObserver(() => {
      if (isFollowing.current && box.current !== null)
        box.current.scrollTop = box.current.scrollHeight;
      measure();
    });
    if (box.current !== null) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);

  function keepInSight(list: HTMLDivElement): void {
    const held = anchor.current;
    if (held === null) return;
    const index = rows.findIndex((row) => keyOf(row) === held.key);
    if (index >= 0) list.scrollTop = index * rowPx + held.offsetPx;
  }

  function measure(): void {
    const list = box.current;
    if (list === null) return;
    const { scrollTop: scrollPx, clientHeight } = list;
    // Without a layout (in tests) a screenful is assumed.
    const viewPx = clientHeight === 0 ? 400 : clientHeight;
    setView((old) =>
      old.scrollPx === scrollPx && old.viewPx === viewPx ? old : { scrollPx, viewPx },
    );
    const first = rows[Math.floor(scrollPx / rowPx)];
    anchor.current = first === undefined ? null : { key: keyOf(first), offsetPx: scrollPx % rowPx };
  }

  function onScroll(): void {
    measure();
    const list = box.current;
    if (list === null) return;
    const isAtEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - rowPx;
    // Only a way up is a wish to stay, and only a way down one to follow: the end itself also comes and goes.
    const moved = list.scrollTop - lastTop.current;
    lastTop.current = list.scrollTop;
    if (isAtEnd && moved > 0 && !follow) props.onFollow?.(true);
    else if (!isAtEnd && moved < 0 && follow) props.onFollow?.(false);
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && activeIndex >= 0) {
      event.preventDefault();
      props.onOpen?.(rows[activeIndex]!);
      return;
    }
    const page = Math.max(1, Math.floor(view.viewPx / rowPx) - 1);
    const next = rowAfterKey(event.key, activeIndex, rows.length, page);
    if (next === null) return;
    event.preventDefault();
    event.stopPropagation();
    if (box.current !== null) box.current.scrollTop = scrollToShow(next, { rowPx, ...view });
    props.onActive(rows[next]!);
    if (event.key === "End") props.onFollow?.(true);
  }

  return (
    <div
      class="virtual"
      ref={box}
      role="grid"
      tabIndex={0}
      aria-label={props.label}
      aria-rowcount={rows.length}
      aria-activedescendant={
        activeIndex >= shown.from && activeIndex < shown.to ? `${id}-${props.activeKey}` : undefined
      }
      onScroll={onScroll}
      onKeyDown={onKeyDown}
    >
      <div ref={above} role="presentation" />
      {rows.slice(shown.from, shown.to).map((row, offset) => {
        const key = keyOf(row);
        const index = shown.from + offset;
        return (
          <div
            key={key}
            id={`${id}-${key}`}
            role="row"
            tabIndex={-1}
            class={`virtual-row ${props.rowClass?.(row) ?? ""}`}
            aria-rowindex={index + 1}
            aria-selected={key === props.activeKey}
            onClick={() => {
              props.onActive(row);
              box.current?.focus({ preventScroll: true });
            }}
            onDblClick={() => props.onOpen?.(row)}
          >
            {props.cells(row)}
          </div>
        );
      })}
      <div ref={below} role="presentation" />
    </div>
  );
}
