import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";

/**
 * Sets style properties by the object model, which a strict content security policy allows; `style` attributes it does
 * not. Properties are CSS names, custom ones included.
 */
export function useStyle(
  ref: RefObject<HTMLElement | null>,
  style: Readonly<Record<string, string>>,
): void {
  useLayoutEffect(() => {
    for (const [name, value] of Object.entries(style)) ref.current?.style.setProperty(name, value);
  });
}
