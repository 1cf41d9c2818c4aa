/** What a comparison of contract dates says. `New Contract` also stands for "there is no row to compare with". */
export const CONTRACT_CHECKS = [
  "Date Matched",
  "New Contract",
  "Start Date not Match",
  "End Date not Match",
  "Start & End Date not Match",
  "Exception",
] as const;
export type ContractCheck = (typeof CONTRACT_CHECKS)[number];

/** A date cell after parsing: a day (`2025-11-19`), blank, or text that is no date. */
export type DateCell =
  | { readonly kind: "day"; readonly day: string }
  | { readonly kind: "blank" }
  | { readonly kind: "invalid" };

/** First and last day of a contract, each as its cell says. */
export interface ContractSpan {
  readonly start: DateCell;
  readonly end: DateCell;
}

/** Tells a blank cell from one that holds something other than a date; `parse` answers null for no date. */
export function toDateCell(text: string | null, parse: (text: string) => string | null): DateCell {
  if (text === null || text.trim() === "") return { kind: "blank" };
  const day = parse(text);
  return day === null ? { kind: "invalid" } : { kind: "day", day };
}

/**
 * Compares the contract of one baseline row with the daily row's.
 * A baseline row without any date has no contract yet; every other gap is an exception, never a mismatch.
 */
export function checkContract(baseline: ContractSpan, daily: ContractSpan): ContractCheck {
  if (baseline.start.kind === "blank" && baseline.end.kind === "blank") return "New Contract";
  const startSame = sameDay(baseline.start, daily.start);
  const endSame = sameDay(baseline.end, daily.end);
  if (startSame === null || endSame === null) return "Exception";
  if (startSame && endSame) return "Date Matched";
  if (endSame) return "Start Date not Match";
  return startSame ? "End Date not Match" : "Start & End Date not Match";
}

/** The distinct words in the order they first occur; without baseline rows the contract is new. */
export function contractChecks(checks: readonly ContractCheck[]): ContractCheck[] {
  return checks.length === 0 ? ["New Contract"] : [...new Set(checks)];
}

/** Whether two contract numbers name different contracts. Blank and `N/A` both say that there is none. */
export function contractNumberDiffers(baseline: string | null, daily: string | null): boolean {
  return contractNumber(baseline) !== contractNumber(daily);
}

function contractNumber(text: string | null): string {
  const number = text?.trim() ?? "";
  return number.toUpperCase() === "N/A" ? "" : number;
}

/** null when one of the two is no day. */
function sameDay(a: DateCell, b: DateCell): boolean | null {
  return a.kind === "day" && b.kind === "day" ? a.day === b.day : null;
}
