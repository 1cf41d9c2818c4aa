import { LEVEL_NAMES } from "../../shared/priority.ts";
import type { TaskStatus } from "../../shared/task.ts";
import { formatDuration } from "../../shared/time.ts";
import type { Paint, Style } from "./io.ts";

/** `just now`, `3m 20s ago`, `in 15m 00s`; `–` for null. */
export function relativeTime(iso: string | null, nowMs: number): string {
  if (iso === null) return "–";
  const agoMs = nowMs - Date.parse(iso);
  if (Math.abs(agoMs) < 1000) return "just now";
  return agoMs > 0 ? `${formatDuration(agoMs)} ago` : `in ${formatDuration(-agoMs)}`;
}

export function durationWords(ms: number | null): string {
  return ms === null ? "–" : formatDuration(ms);
}

/** `8 Prioritize`. */
export function levelWords(level: number): string {
  return `${level} ${LEVEL_NAMES[level] ?? "?"}`;
}

/** `1,234`. */
export function countWords(count: number): string {
  return count.toLocaleString("en-US");
}

/** `1 task`, `3 tasks`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${countWords(count)} ${count === 1 ? one : many}`;
}

/** `512 B`, `3.4 MB`; thousands, as disks are sold. */
export function bytesWords(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

const STATUS_STYLE: Record<TaskStatus | "failed" | "pending", Style> = {
  scheduled: "gray",
  waiting: "yellow",
  running: "cyan",
  retrying: "magenta",
  completed: "green",
  cancelled: "gray",
  dead: "red",
  failed: "red",
  pending: "gray",
};

export function statusWords(status: keyof typeof STATUS_STYLE, paint: Paint): string {
  return paint(STATUS_STYLE[status], status);
}
