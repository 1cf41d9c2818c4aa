import { DAY, formatDuration, HOUR, MINUTE, SECOND } from "../../shared/time.ts";
import { locale, t } from "./text.ts";

/** Made once a language: making one takes longer than formatting a screenful with it. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function inLocale(at: number, options: Intl.DateTimeFormatOptions): string {
  const name = `${locale()} ${JSON.stringify(options)}`;
  const formatter = formatters.get(name) ?? new Intl.DateTimeFormat(locale(), options);
  formatters.set(name, formatter);
  return formatter.format(at);
}

/** Thousands are parted by a narrow space that never breaks: `1 284`. */
export function exactCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** `1 284`; above 10,000 short: `12.4k`, `3.1M`. The exact value belongs into the tooltip. */
export function shortCount(count: number): string {
  if (count < 10_000) return exactCount(count);
  if (count < 999_500) return `${(count / 1000).toFixed(count < 100_000 ? 1 : 0)}k`;
  return `${(count / 1_000_000).toFixed(1)}M`;
}

/** A share of 0–1: `1.2 %`, `0 %`, `<0.1 %`. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return "<0.1\u202f%";
  return `${percent >= 99.95 || percent === 0 ? percent.toFixed(0) : percent.toFixed(1)}\u202f%`;
}

/** Bytes: `812 B`, `4.2 kB`, `5.0 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** Time of day with milliseconds, for rows that follow each other closely: `18:04:12.331`. */
export function formatClock(at: number, withMs = false): string {
  const date = new Date(at);
  const two = (n: number): string => String(n).padStart(2, "0");
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return withMs ? `${time}.${String(date.getMilliseconds()).padStart(3, "0")}` : time;
}

/** A round trip: tenths below ten milliseconds. */
export function formatRtt(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : formatDuration(ms);
}

/** Time of day; with the date when it is not the day of `now`. */
export function formatMoment(at: number, now: number): string {
  if (new Date(at).toDateString() === new Date(now).toDateString()) return formatClock(at);
  const day = inLocale(at, { day: "numeric", month: "short" });
  return `${day} ${formatClock(at)}`;
}

/** Date and time in the user's manner. */
export function formatInstant(at: number): string {
  return inLocale(at, { dateStyle: "medium", timeStyle: "medium" });
}

/** `just now`, `12 s ago`, `in 48 s`, `4 min ago`, `3 h ago`; a local date when a day or more lies between. */
export function formatRelative(at: number, now: number): string {
  const distance = at - now;
  const size = Math.abs(distance);
  if (size >= DAY) {
    return inLocale(at, { dateStyle: "medium", timeStyle: "short" });
  }
  // The clock of the view ticks each second: less cannot be told.
  if (size < 2 * SECOND) return t("just now");
  const [unit, length] =
    size < MINUTE
      ? (["second", SECOND] as const)
      : size < HOUR
        ? (["minute", MINUTE] as const)
        : (["hour", HOUR] as const);
  const count = Math.trunc(distance / length);
  return new Intl.RelativeTimeFormat(locale(), { style: "short", numeric: "always" }).format(
    count,
    unit,
  );
}

/** The last six characters of an id; the whole belongs into the tooltip. */
export function shortId(id: string): string {
  return id.length > 10 ? `#${id.slice(-6)}` : `#${id}`;
}

export { formatDuration };
