import { LEVEL_NAMES } from "../../shared/priority.ts";
import { DAY, formatDuration, HOUR, MINUTE, SECOND } from "../../shared/time.ts";
import type { Say } from "../../shared/view/rows.ts";

/** What node makers need of the world: the user's language and the time. */
export interface Words {
  readonly say: Say;
  /** BCP 47. */
  readonly locale: string;
  /** Epoch ms. */
  readonly now: number;
}

/** How long ago an instant was, in steps so coarse that a tree need not be drawn anew all the time: `30 s`, `4m`, `2h 05m`. */
export function age(at: string, { now }: Words): string {
  const ms = Math.max(0, now - Date.parse(at));
  if (ms < MINUTE) return `${Math.floor(ms / (10 * SECOND)) * 10} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m`;
  return formatDuration(ms - (ms % MINUTE));
}

/** How long something lasts that began then, to the second. */
export function lasting(at: string, { now }: Words): string {
  return formatDuration(Math.max(0, now - Date.parse(at)));
}

/** `just now`, `12 min ago`; a date from a day on. */
export function ago(at: string, { say, locale, now }: Words): string {
  const ms = now - Date.parse(at);
  if (ms < 10 * SECOND) return say("just now");
  if (ms >= DAY) return instant(at, locale);
  const format = new Intl.RelativeTimeFormat(locale, { style: "short", numeric: "always" });
  if (ms < MINUTE) return format.format(-Math.floor(ms / (10 * SECOND)) * 10, "second");
  if (ms < HOUR) return format.format(-Math.floor(ms / MINUTE), "minute");
  return format.format(-Math.floor(ms / HOUR), "hour");
}

/** Time until an instant: `48 s`; now when it has come. */
export function until(at: string, { say, now }: Words): string {
  const ms = Date.parse(at) - now;
  if (ms <= 0) return say("now");
  if (ms < MINUTE) return `${Math.ceil(ms / SECOND)} s`;
  return formatDuration(ms);
}

export function instant(at: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(
    Date.parse(at),
  );
}

/** The last six characters of an id; the whole belongs into the tooltip. */
export function shortId(id: string): string {
  return id.length > 10 ? `#${id.slice(-6)}` : `#${id}`;
}

/** `9 Urgent`. */
export function levelWords(level: number, say: Say): string {
  return `${level} ${levelName(level, say)}`;
}

function levelName(level: number, say: Say): string {
  switch (level) {
    case 0:
      return say("Lowest");
    case 1:
      return say("Maintenance");
    case 2:
      return say("Background");
    case 3:
      return say("Low");
    case 4:
      return say("Below normal");
    case 5:
      return say("Normal");
    case 6:
      return say("Above normal");
    case 7:
      return say("Raised");
    case 8:
      return say("Prioritize");
    case 9:
      return say("Urgent");
    case 10:
      return say("Critical");
    default:
      return LEVEL_NAMES[level] ?? String(level);
  }
}

/** `1,284` in the user's manner. */
export function count(n: number, locale: string): string {
  return new Intl.NumberFormat(locale).format(n);
}

/** `61 %`; null when the whole is not known. */
export function percent(progress: {
  readonly done: number;
  readonly total: number | null;
}): string | null {
  const { done, total } = progress;
  if (total === null || total <= 0) return null;
  return `${Math.min(100, Math.floor((100 * done) / total))} %`;
}
