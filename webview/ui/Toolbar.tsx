import type { ComponentChildren } from "preact";

/** Controls in a row that wraps, above what they act on. */
export function Toolbar(props: { label: string; children: ComponentChildren }) {
  return (
    <div class="toolbar" role="toolbar" aria-label={props.label}>
      {props.children}
    </div>
  );
}
