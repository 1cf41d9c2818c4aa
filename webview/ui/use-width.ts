import { useEffect, useState } from "preact/hooks";

/** From this width on a detail stands beside its list. */
export const WIDE_PX = 900;
/** Below this width tables become two-line rows. */
export const NARROW_PX = 600;

/** The width of the view, in pixels. */
export function useWidth(): number {
  const [width, setWidth] = useState(window.innerWidth);
  useEffect(() => {
    const onResize = (): void => setWidth(window.innerWidth);
    window.addEventListener("resize", onResize);
    return () => window.removeEventListener("resize", onResize);
  }, []);
  return width;
}
