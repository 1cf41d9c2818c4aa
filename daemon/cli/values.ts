import { resolve } from "node:path";
import type { TaskFilter } from "../../shared/control.ts";
import { AppError } from "../../shared/errors.ts";
import { ESCALATIONS, isLevel, LEVEL_NAMES } from "../../shared/priority.ts";
import { TASK_STATUSES, type TaskStatus } from "../../shared/task.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../../shared/time.ts";

/** A value of the command line that cannot be read. */
export function badUsage(what: string): AppError {
  return new AppError("bad-usage", { what });
}

const LEVEL_WORDS = new Map<string, number>([
  ...LEVEL_NAMES.map((name, level) => [name.toLowerCase().replace(/ /g, "-"), level] as const),
  ...Object.entries(ESCALATIONS),
]);

/** `9`, `urgent`, `below-normal`. Throws `bad-usage`. */
export function parseLevel(text: string): number {
  const level = /^\d+$/.test(text) ? Number(text) : LEVEL_WORDS.get(text.toLowerCase());
  if (isLevel(level)) return level;
  throw badUsage(
    `${text} is no level: 0 to 10, or one of ${[...new Set(LEVEL_WORDS.keys())].join(", ")}.`,
  );
}

const UNIT_MS: Record<string, number> = { ms: 1, s: SECOND, m: MINUTE, h: HOUR, d: DAY };

/** `500ms`, `30s`, `5m`, `2h`, `1d`; a bare number is seconds. Milliseconds. Throws `bad-usage`. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text.trim());
  if (match === null) throw badUsage(`${text} is no time: for example 500ms, 30s, 5m, 2h or 1d.`);
  return Math.round(Number(match[1]) * UNIT_MS[match[2] ?? "s"]!);
}

/** `2026-05-01T08:00:00Z` or any form that Date reads, as epoch milliseconds. Throws `bad-usage`. */
export function parseInstant(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms))
    throw badUsage(`${text} is no date and time, for example 2026-05-01T08:00:00Z.`);
  return ms;
}

/** When something began: an instant, or a time ago such as `10m`. Epoch milliseconds. Throws `bad-usage`. */
export function parseSince(text: string, nowMs: number): number {
  if (/^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/.test(text.trim())) return nowMs - parseDuration(text);
  if (/^\d+$/.test(text.trim()))
    throw badUsage(`${text} is no time: write 10m or an instant, and --from for a sequence.`);
  return parseInstant(text);
}

export function parseCount(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1) throw badUsage(`${text} is no number above 0.`);
  return Number(text);
}

export function parseStatuses(text: string): TaskStatus[] {
  return text.split(",").map((word) => {
    if (TASK_STATUSES.includes(word as TaskStatus)) return word as TaskStatus;
    throw badUsage(`${word} is no status: ${TASK_STATUSES.join(", ")}.`);
  });
}

type Reader = (value: string) => TaskFilter;

const WHERE: Record<string, Reader> = {
  status: (value) => ({ status: parseStatuses(value.replaceAll("|", ",")) }),
  queue: (queue) => ({ queue }),
  name: (name) => ({ name }),
  level: (value) => ({ level: parseLevel(value) }),
  "min-level": (value) => ({ minLevel: parseLevel(value) }),
  "max-level": (value) => ({ maxLevel: parseLevel(value) }),
  bucket: (value) => ({ bucket: parseBucket(value) }),
  run: (runId) => ({ runId }),
  by: (by) => ({ by }),
  text: (text) => ({ text }),
  "created-after": (value) => ({ createdAfter: parseInstant(value) }),
  "created-before": (value) => ({ createdBefore: parseInstant(value) }),
};

/** `status=waiting|retrying,queue=etl` as a filter. Throws `bad-usage`. */
export function parseWhere(text: string): TaskFilter {
  return Object.assign(
    {},
    ...text.split(",").map((part) => {
      const at = part.indexOf("=");
      const reader = WHERE[part.slice(0, at).trim()];
      if (at < 1 || reader === undefined)
        throw badUsage(
          `${part} is no condition: write key=value with commas between; keys are ${Object.keys(WHERE).join(", ")}.`,
        );
      return reader(part.slice(at + 1).trim());
    }),
  );
}

export function parseBucket(value: string): "high" | "normal" | "low" {
  if (value === "high" || value === "normal" || value === "low") return value;
  throw badUsage(`${value} is no bucket: high, normal or low.`);
}

/** `key=json`; a value that is no JSON is taken as text. Throws `bad-usage`. */
export function parseParams(pairs: readonly string[]): Record<string, unknown> {
  const params: Record<string, unknown> = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) throw badUsage(`${pair} is no parameter: write key=value.`);
    params[pair.slice(0, at)] = jsonOrText(pair.slice(at + 1));
  }
  return params;
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Ignored: `--param python=python3` is meant as text.
    return text;
  }
}

/** A path as the person meant it, from where they stand. */
export function absolutePath(cwd: string, path: string): string {
  return resolve(cwd, path);
}
