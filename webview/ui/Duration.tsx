import { now } from "../state/clock.ts";
import { exactCount, formatDuration, formatInstant, formatRelative } from "./format.ts";

/** A length of time; the exact milliseconds on hover. Null is a dash. */
export function Duration(props: { ms: number | null }) {
  const { ms } = props;
  if (ms === null) return <span class="dim">–</span>;
  return <span title={`${exactCount(ms)} ms`}>{formatDuration(Math.max(0, ms))}</span>;
}

/** Time since `at`, growing. For what still runs or waits. */
export function Elapsed(props: { since: number }) {
  return <Duration ms={Math.max(0, now.value - props.since)} />;
}

/** How long ago (or ahead); the instant on hover, in ISO for machines. Takes epoch ms or ISO 8601. */
export function RelativeTime(props: { at: number | string | null }) {
  if (props.at === null) return <span class="dim">–</span>;
  const at = typeof props.at === "string" ? Date.parse(props.at) : props.at;
  const iso = new Date(at).toISOString();
  return (
    <time dateTime={iso} title={`${formatInstant(at)}\n${iso}`}>
      {formatRelative(at, now.value)}
    </time>
  );
}
