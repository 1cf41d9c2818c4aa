import type { ClsParams } from "./params.ts";
import type { RowEvent } from "./store.ts";

/** A 0031 file by its name. `day` is an ISO day for increments and `MM-DD` for full files, whose names have no year. */
export interface ReportFile {
  readonly name: string;
  readonly kind: "full" | "increment";
  readonly day: string;
}

const FULL = /\b0031\b.*[\s_-](\d{2})(\d{2})(?:\s*\(\d+\))?\.(?:xlsx|csv)$/i;
const INCREMENT = /\b0031\b.*[\s_-](\d{4})_(\d{2})_(\d{2})(?!\d).*\.(?:xlsx|csv)$/i;
/** Lock files of office programs and hidden files. */
const NO_REPORT = /^(?:~\$|\.)/;

/** What a file is by its name; null when it is no report, `ignored` when it is none of ours at all. */
export function reportFileOf(name: string): ReportFile | "ignored" | null {
  if (NO_REPORT.test(name)) return "ignored";
  const increment = INCREMENT.exec(name);
  if (increment !== null && isMonthDay(increment[2], increment[3])) {
    return { name, kind: "increment", day: `${increment[1]}-${increment[2]}-${increment[3]}` };
  }
  const full = FULL.exec(name);
  if (full !== null && isMonthDay(full[1], full[2])) {
    return { name, kind: "full", day: `${full[1]}-${full[2]}` };
  }
  return null;
}

function isMonthDay(month: string | undefined, day: string | undefined): boolean {
  return Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && Number(day) <= 31;
}

/** Full files first, the newest last; then the increments by day; equal days by name. */
export function orderFiles<T extends ReportFile>(files: readonly T[]): T[] {
  const byName = (a: T, b: T): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const fulls = files.filter((file) => file.kind === "full").sort(byName);
  const rank = rankMonthDays(fulls.map((file) => file.day));
  fulls.sort((a, b) => (rank.get(a.day) ?? 0) - (rank.get(b.day) ?? 0));
  const increments = files.filter((file) => file.kind === "increment").sort(byName);
  increments.sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0));
  return [...fulls, ...increments];
}

/**
 * Ranks days without a year, the oldest first. They lie on the circle of a year, so the largest gap between neighbours
 * is taken as the time between the newest and the oldest: `12-31` comes before `01-07`.
 */
export function rankMonthDays(days: readonly string[]): ReadonlyMap<string, number> {
  const sorted = [...new Set(days)].sort();
  const gapBefore = sorted.map((day, index) =>
    index === 0
      ? dayOfYear(day) + DAYS_OF_YEAR - dayOfYear(sorted.at(-1) ?? day)
      : dayOfYear(day) - dayOfYear(sorted[index - 1] ?? day),
  );
  const start = gapBefore.indexOf(Math.max(...gapBefore));
  return new Map(
    sorted.map((day, index) => [day, (index - start + sorted.length) % sorted.length]),
  );
}

const DAYS_OF_YEAR = 372;

/** Months as 31 days each: exact enough to compare gaps. */
function dayOfYear(monthDay: string): number {
  return Number(monthDay.slice(0, 2)) * 31 + Number(monthDay.slice(3));
}

/** What the store knows of a content seen before. */
export interface KnownFile {
  readonly name: string;
  readonly state: "applied" | "superseded" | "undone";
  /** ISO time. */
  readonly appliedAt: string;
  /** Applied by the same run before it was interrupted. */
  readonly bySameRun: boolean;
}

export type FileDecision =
  | { readonly act: "apply" }
  /** Reported as applied, with the counts that were stored then. */
  | { readonly act: "report" }
  | { readonly act: "skip" | "wait"; readonly reason: string };

export interface FileFacts {
  readonly file: ReportFile;
  /** By content, whatever its name was. */
  readonly known: KnownFile | null;
  /** The full file that the store was built from last. */
  readonly currentFull: { readonly name: string; readonly day: string } | null;
  readonly incrementsApplied: number;
  readonly maxIncrements: number;
}

/** What becomes of a file when its turn comes. */
export function decideFile(facts: FileFacts): FileDecision {
  const { file, known, currentFull } = facts;
  if (known !== null && known.state === "applied") {
    return known.bySameRun && known.name === file.name
      ? { act: "report" }
      : { act: "skip", reason: repeatReason(file, known) };
  }
  if (known !== null && known.state === "undone") {
    return { act: "skip", reason: `undone after it was applied on ${known.appliedAt}` };
  }
  if (file.kind === "full") {
    if (known !== null) return { act: "skip", reason: repeatReason(file, known) };
    return currentFull !== null && isOlder(file.day, currentFull.day)
      ? { act: "skip", reason: `older than the full file ${currentFull.name}, which is applied` }
      : { act: "apply" };
  }
  if (facts.incrementsApplied >= facts.maxIncrements) {
    return {
      act: "wait",
      reason: `waits for the next run: more than ${facts.maxIncrements} increments`,
    };
  }
  return { act: "apply" };
}

function repeatReason(file: ReportFile, known: KnownFile): string {
  const as = known.name === file.name ? "" : ` as ${known.name}`;
  return `already applied on ${known.appliedAt}${as}`;
}

function isOlder(day: string, than: string): boolean {
  const rank = rankMonthDays([day, than]);
  return (rank.get(day) ?? 0) < (rank.get(than) ?? 0);
}

export interface RowFacts {
  /** Null when blank or not a day. */
  readonly incomingDay: string | null;
  /** Null when the key is not stored; else its greatest day, null when it has none. */
  readonly stored: { readonly day: string | null } | null;
  /** True when no column differs, the update date apart. Asked only when it matters. */
  sameContent(): boolean;
}

/** What becomes of an increment's row whose account is not excluded. */
export function judgeRow({ incomingDay, stored, sameContent }: RowFacts): RowEvent {
  if (stored === null) return "new";
  if (stored.day === null) return sameContent() ? "updated_same" : "updated";
  if (incomingDay === null) return "review";
  if (incomingDay > stored.day) return sameContent() ? "updated_same" : "updated";
  if (incomingDay < stored.day) return "older";
  return sameContent() ? "older" : "conflict";
}

/** Whether the row's cells replace what is stored. */
export function isTaken(event: RowEvent, sameDate: ClsParams["sameDate"]): boolean {
  if (event === "conflict") return sameDate === "take";
  return event === "new" || event === "updated" || event === "updated_same";
}

/** What is decided at once on a listed row; null: a person decides. */
export function policyDecision(
  event: "conflict" | "review",
  sameDate: ClsParams["sameDate"],
): "keep" | "take" | null {
  return event === "review" || sameDate === "review" ? null : sameDate;
}
