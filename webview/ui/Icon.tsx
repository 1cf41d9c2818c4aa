import type { IconName } from "./icon-names.ts";
import { ICON_SHAPES } from "./icon-shapes.ts";

export type Tone = "ok" | "bad" | "wait" | "idle" | "run" | "plain";

/** An icon of 16 px. Without `label` it says nothing: the word beside it does. */
export function Icon(props: {
  name: IconName;
  tone?: Tone;
  label?: string;
  spin?: boolean;
  class?: string;
}) {
  const { name, tone = "plain", label, spin = false } = props;
  const classes = ["icon", `tone-${tone}`, spin ? "spin" : "", props.class ?? ""].join(" ").trim();
  const shapes = ICON_SHAPES[name].map((d) => <path key={d} d={d} />);
  return label === undefined ? (
    <svg class={classes} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      {shapes}
    </svg>
  ) : (
    <svg class={classes} viewBox="0 0 16 16" width="16" height="16" role="img" aria-label={label}>
      <title>{label}</title>
      {shapes}
    </svg>
  );
}
