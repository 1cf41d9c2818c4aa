/** Which rows of a long list are rendered. `to` is exclusive; heights in pixels. Pure. */
export interface RowWindow {
  readonly from: number;
  readonly to: number;
  readonly abovePx: number;
  readonly belowPx: number;
}

export function windowOf(list: {
  readonly count: number;
  readonly rowPx: number;
  readonly scrollPx: number;
  readonly viewPx: number;
  /** Rows rendered beyond both edges, so that a quick scroll meets no white. */
  readonly overscan: number;
}): RowWindow {
  const { count, rowPx, scrollPx, viewPx, overscan } = list;
  const first = Math.floor(Math.max(0, scrollPx) / rowPx);
  const last = Math.ceil((Math.max(0, scrollPx) + viewPx) / rowPx);
  const from = Math.max(0, Math.min(first - overscan, count));
  const to = Math.max(from, Math.min(last + overscan, count));
  return { from, to, abovePx: from * rowPx, belowPx: (count - to) * rowPx };
}

/** Where to scroll so that a row is wholly seen; the same place when it is. */
export function scrollToShow(
  index: number,
  list: { readonly rowPx: number; readonly scrollPx: number; readonly viewPx: number },
): number {
  const top = index * list.rowPx;
  if (top < list.scrollPx) return top;
  const bottom = top + list.rowPx;
  return bottom > list.scrollPx + list.viewPx ? bottom - list.viewPx : list.scrollPx;
}

/** The row that a key leads to from `index`; null when the key moves nothing. */
export function rowAfterKey(
  key: string,
  index: number,
  count: number,
  page: number,
): number | null {
  const last = count - 1;
  if (last < 0) return null;
  const clamp = (n: number): number => Math.max(0, Math.min(last, n));
  switch (key) {
    case "ArrowDown":
    case "j":
      return clamp(index + 1);
    case "ArrowUp":
    case "k":
      return clamp(index < 0 ? last : index - 1);
    case "PageDown":
      return clamp(index + page);
    case "PageUp":
      return clamp(index - page);
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return null;
  }
}
