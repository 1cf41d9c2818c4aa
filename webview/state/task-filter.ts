import type { TaskFilter } from "../../shared/control.ts";
import { TASK_STATUSES, type TaskStatus } from "../../shared/task.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../../shared/time.ts";
import { t } from "../ui/text.ts";
import { type FilterTerm, parseFilter } from "./filter.ts";

/** The keys of the filter of tasks, which the daemon answers. */
export const TASK_KEYS = [
  "status",
  "queue",
  "name",
  "bucket",
  "level",
  "by",
  "run",
  "since",
] as const;
export type TaskKey = (typeof TASK_KEYS)[number];

export interface TaskQuery {
  readonly where: TaskFilter;
  /**
   * Why a part cannot be asked, in sentences. With any of these nothing is to be asked: a list that is wider than what
   * somebody wrote invites to act on the wrong tasks.
   */
  readonly problems: readonly string[];
}

const BUCKETS = ["high", "normal", "low"] as const;
const LENGTHS: Readonly<Record<string, number>> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY };

/** What the daemon is asked for a filter's text. `now` is epoch ms, for `since:2h`. Pure but for the language. */
export function queryOf(text: string, now: number): TaskQuery {
  const where: Record<string, unknown> = {};
  const problems: string[] = [];
  const words: string[] = [];
  const statuses: TaskStatus[] = [];
  const taken = new Set<string>();
  for (const term of parseFilter(text, TASK_KEYS)) {
    const problem = refusalOf(term, taken);
    if (problem !== null) problems.push(problem);
    else if (term.key === null) words.push(term.value);
    else if (term.key === "status") statuses.push(term.value.toLowerCase() as TaskStatus);
    else Object.assign(where, conditionOf(term.key as TaskKey, term.value, now));
    if (term.key !== null && term.key !== "status") taken.add(term.key);
  }
  if (statuses.length > 0) where["status"] = [...new Set(statuses)];
  if (words.length > 0) where["text"] = words.join(" ");
  return { where: where as TaskFilter, problems };
}

function refusalOf({ key, value, isNegated }: FilterTerm, taken: ReadonlySet<string>) {
  if (isNegated) return t("Tasks cannot be left out: take the “-” away from {value}.", { value });
  if (key === null) return null;
  if (taken.has(key)) return t("{key} can be given once only.", { key });
  if (value.includes("*"))
    return t("{key} must be exact; a part of a name can be written without “{key}:”.", { key });
  const low = value.toLowerCase();
  const known: Readonly<Record<string, readonly string[]>> = {
    status: TASK_STATUSES,
    bucket: BUCKETS,
  };
  const choice = known[key];
  if (choice !== undefined && !choice.includes(low))
    return t("{key} is one of {choice}.", { key, choice: choice.join(", ") });
  if (key === "level" && levelsOf(value) === null)
    return t("A level is a number from 0 to 10, as in level:9, level:>=8 or level:0-3.");
  if (key === "since" && lengthOf(value) === null)
    return t("A time is a number with s, m, h or d, as in since:2h.");
  return null;
}

function conditionOf(key: TaskKey, value: string, now: number): TaskFilter {
  switch (key) {
    case "status":
      return { status: [value as TaskStatus] };
    case "queue":
      return { queue: value };
    case "name":
      return { name: value };
    case "bucket":
      return { bucket: value.toLowerCase() as (typeof BUCKETS)[number] };
    case "level":
      return levelsOf(value) ?? {};
    case "by":
      return { by: value };
    case "run":
      return { runId: value };
    case "since":
      return { createdAfter: startOf(now - (lengthOf(value) ?? 0)) };
    default:
      return key satisfies never;
  }
}

/** To the minute, so that a filter is the same question for a while. */
function startOf(at: number): number {
  return Math.floor(at / MINUTE) * MINUTE;
}

function levelsOf(value: string): TaskFilter | null {
  const [, sign, first, last] = /^(>=|<=)?(\d{1,2})(?:-(\d{1,2}))?$/.exec(value) ?? [];
  if (first === undefined || (sign !== undefined && last !== undefined)) return null;
  const from = Number(first);
  const to = last === undefined ? from : Number(last);
  if (from > 10 || to > 10 || to < from) return null;
  if (sign === ">=") return { minLevel: from };
  if (sign === "<=") return { maxLevel: from };
  return last === undefined ? { level: from } : { minLevel: from, maxLevel: to };
}

function lengthOf(value: string): number | null {
  const [, count, unit] = /^(\d{1,5})([smhd])$/i.exec(value) ?? [];
  return count === undefined ? null : Number(count) * (LENGTHS[unit!.toLowerCase()] ?? 0);
}

/** The filter, restricted to some statuses: those of both. Null: no task can be in both. */
export function within(where: TaskFilter, statuses: readonly TaskStatus[]): TaskFilter | null {
  const own = where.status ?? TASK_STATUSES;
  const both = own.filter((status) => statuses.includes(status));
  return both.length === 0 ? null : { ...where, status: both };
}

/** A filter's text with the terms of a key replaced: `null` takes them away. */
export function withKey(text: string, name: TaskKey, value: string | null): string {
  const others = [...text.matchAll(/"[^"]*"|[^\s"]+(?:"[^"]*")?/g)]
    .map(([term]) => term)
    .filter((term) => !term.toLowerCase().startsWith(`${name}:`));
  const term = value === null ? [] : [`${name}:${/\s/.test(value) ? `"${value}"` : value}`];
  return [...others, ...term].join(" ");
}
