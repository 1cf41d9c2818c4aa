import { useRef } from "preact/hooks";
import { useStyle } from "./use-style.ts";

/** How far something is, when that is known: a share of 0–1. */
export function ProgressBar(props: { share: number; label: string }) {
  const fill = useRef<HTMLDivElement>(null);
  const percent = Math.round(props.share * 100);
  useStyle(fill, { width: `${percent}%` });
  return (
    <div
      class="progress"
      role="progressbar"
      aria-label={props.label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <div class="progress-fill" ref={fill} />
    </div>
  );
}
