/** Which part number of the daily row found the item: the distributor's, the manufacturer's, or both. */
export type MatchSource = "DPN" | "MPN" | "DPN,MPN";

/** What the daily row offers to find an item by; blank is null. */
export interface PartNumbers {
  readonly distributorPartNumber: string | null;
  readonly manufacturerPartNumber: string | null;
  /** Vendor code of the distributor. */
  readonly distributor: string | null;
}

/** What a baseline row offers to be found by. */
export interface CatalogueRow {
  readonly item: string;
  readonly vendor: string | null;
  readonly vendorCatalogue: string | null;
  readonly manufacturerCatalogue: string | null;
}

/** An item that the daily row may mean. `reasons` explain the score, one word group each. */
export interface Candidate {
  readonly item: string;
  readonly source: MatchSource;
  readonly score: number;
  readonly reasons: readonly string[];
  readonly preferred: boolean;
}

/**
 * Points per reason. A distributor's number found at another vendor is weak: catalogue numbers repeat between vendors,
 * so one match with the right vendor (65, 55) outweighs, or nearly, both numbers without it (60).
 * A normalised match is a hint only: less than any exact one.
 */
const SCORES = { DPN: 35, MPN: 25, vendor: 30, normalised: 5 } as const;

/**
 * Finds and ranks the candidates of one daily row, best first; equal scores are ordered by item number.
 * `rows` are the look-up rows of every item that one of the two part numbers may name (others do no harm).
 */
export function findCandidates(part: PartNumbers, rows: Iterable<CatalogueRow>): Candidate[] {
  const byItem = Map.groupBy(rows, (row) => row.item);
  const found: Omit<Candidate, "preferred">[] = [];
  for (const [item, itemRows] of byItem) {
    const scored = scoreItem(part, itemRows);
    if (scored !== null) found.push({ item, ...scored });
  }
  found.sort((a, b) => b.score - a.score || (a.item < b.item ? -1 : 1));
  return found.map((candidate, rank) => ({ ...candidate, preferred: rank === 0 }));
}

/** null when neither number is found as it stands: likeness alone makes no candidate. */
function scoreItem(
  part: PartNumbers,
  rows: readonly CatalogueRow[],
): Omit<Candidate, "item" | "preferred"> | null {
  const { distributorPartNumber: dpn, manufacturerPartNumber: mpn } = part;
  const dpnRows = rows.filter((row) => same(row.vendorCatalogue, dpn));
  const mpnRows = rows.filter((row) => same(row.manufacturerCatalogue, mpn));
  const source = matchSource(dpnRows.length > 0, mpnRows.length > 0);
  if (source === null) return null;
  const reasons: string[] = [];
  let score = 0;
  const add = (points: number, reason: string): void => {
    score += points;
    reasons.push(reason);
  };
  if (dpnRows.length > 0) add(SCORES.DPN, "distributor part number");
  else if (rows.some((row) => alike(row.vendorCatalogue, dpn))) {
    add(SCORES.normalised, "distributor part number, normalised");
  }
  if (mpnRows.length > 0) add(SCORES.MPN, "manufacturer part number");
  else if (rows.some((row) => alike(row.manufacturerCatalogue, mpn))) {
    add(SCORES.normalised, "manufacturer part number, normalised");
  }
  if ([...dpnRows, ...mpnRows].some((row) => same(row.vendor, part.distributor))) {
    add(SCORES.vendor, "vendor");
  }
  return { source, score, reasons };
}

function matchSource(dpn: boolean, mpn: boolean): MatchSource | null {
  if (dpn && mpn) return "DPN,MPN";
  if (dpn) return "DPN";
  return mpn ? "MPN" : null;
}

/** Equal and not blank. */
function same(a: string | null, b: string | null): boolean {
  return a !== null && a !== "" && a === b;
}

function alike(a: string | null, b: string | null): boolean {
  const left = normalisePartNumber(a);
  return left !== "" && left === normalisePartNumber(b);
}

/** A part number without what people write differently: case, dashes, blanks, leading zeros. Blank gives an empty text. */
export function normalisePartNumber(text: string | null): string {
  return (text ?? "")
    .toUpperCase()
    .replace(/[\s\p{Pd}]+/gu, "")
    .replace(/^0+/, "");
}
