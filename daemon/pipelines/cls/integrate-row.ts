import {
  type ContractCheck,
  checkContract,
  contractChecks,
  contractNumberDiffers,
  toDateCell,
} from "./contract-check.ts";
import { type DailyRow, siteOf } from "./daily.ts";
import { baselineRowsOf, type Lookup, type LookupRow } from "./lookup.ts";
import type { Mappings } from "./mappings.ts";
import { type Candidate, findCandidates, type MatchSource } from "./match.ts";
import { highestUomPrice } from "./uom-price.ts";
import { formatMoney, parseDay } from "./values.ts";

/** A baseline row that a decision rests on. Dates are ISO days where they parse, else as the cell has them. */
export interface Evidence {
  readonly key: string;
  readonly item: string;
  readonly corpAcct: string | null;
  readonly vendorCode: string | null;
  readonly vendorName: string | null;
  readonly vendorCatalogue: string | null;
  readonly manufacturerCatalogue: string | null;
  readonly contractNumber: string | null;
  readonly contractStart: string | null;
  readonly contractEnd: string | null;
  readonly price1: string | null;
  readonly check: ContractCheck;
  /** The dates alone decide the check; this tells when they are those of another contract. */
  readonly contractNumberDiffers: boolean;
}

/** A daily row with one of its candidates; with `candidate` null when it has none. Numbers of money are decimal text. */
export interface IntegratedRow {
  readonly index: number;
  readonly sourceFile: string;
  readonly candidate: string | null;
  readonly preferred: boolean;
  /** The daily row has more than one candidate. */
  readonly duplicate: boolean;
  readonly score: number;
  readonly reasons: readonly string[];
  readonly source: MatchSource | null;
  readonly contractChecks: readonly ContractCheck[];
  readonly highestUomPrice: string | null;
  readonly suggestedVendor: string | null;
  readonly suggestedManufacturer: string | null;
  readonly description: string | null;
  /** Vendors of the item at the row's site, in the order of their sequence. */
  readonly siteVendors: readonly string[];
  readonly evidence: readonly Evidence[];
}

/** One line per candidate, best first; one without candidate when there is none. `warning` is about the price. */
export function integrateRow(
  daily: DailyRow,
  lookup: Lookup,
  mappings: Mappings,
): { readonly rows: readonly IntegratedRow[]; readonly warning: string | null } {
  const found = lookup.rowsByNumbers(daily.distributorPartNumber, daily.manufacturerPartNumber);
  const candidates = findCandidates(daily, found);
  const { price, warning } = highestUomPrice(daily.prices);
  const common = {
    index: daily.index,
    sourceFile: daily.sourceFile,
    duplicate: candidates.length > 1,
    highestUomPrice: price,
    suggestedVendor: mappings.vendorOf(daily.distributorNumber),
    suggestedManufacturer: mappings.manufacturerOf(daily.manufacturerNumber),
  };
  if (candidates.length === 0) return { rows: [{ ...common, ...NO_CANDIDATE }], warning };
  const rows = candidates.map((candidate) => ({
    ...common,
    ...describeCandidate(candidate, daily, lookup.rowsOfItem(candidate.item)),
  }));
  return { rows, warning };
}

type CandidatePart = Omit<
  IntegratedRow,
  | "index"
  | "sourceFile"
  | "duplicate"
  | "highestUomPrice"
  | "suggestedVendor"
  | "suggestedManufacturer"
>;

const NO_CANDIDATE: CandidatePart = {
  candidate: null,
  preferred: false,
  score: 0,
  reasons: [],
  source: null,
  contractChecks: [],
  description: null,
  siteVendors: [],
  evidence: [],
};

function describeCandidate(
  candidate: Candidate,
  daily: DailyRow,
  itemRows: readonly LookupRow[],
): CandidatePart {
  const siteRows = itemRows.filter(
    (row) => daily.site !== null && siteOf(row.account) === daily.site,
  );
  const evidence = baselineRowsOf(itemRows, daily.site, daily.distributor).map((row) =>
    toEvidence(row, daily),
  );
  return {
    candidate: candidate.item,
    preferred: candidate.preferred,
    score: candidate.score,
    reasons: candidate.reasons,
    source: candidate.source,
    contractChecks: contractChecks(evidence.map(({ check }) => check)),
    description: descriptionOf(siteRows) ?? descriptionOf(itemRows),
    siteVendors: vendorsBySequence(siteRows),
    evidence,
  };
}

function toEvidence(row: LookupRow, daily: DailyRow): Evidence {
  const span = {
    start: toDateCell(row.contractEff, parseDay),
    end: toDateCell(row.contractExp, parseDay),
  };
  return {
    key: row.key,
    item: row.item,
    corpAcct: row.account,
    vendorCode: row.vendor,
    vendorName: row.vendorName,
    vendorCatalogue: row.vendorCatalogue,
    manufacturerCatalogue: row.manufacturerCatalogue,
    contractNumber: row.contractNumber,
    contractStart: row.contractEffDay ?? row.contractEff,
    contractEnd: row.contractExpDay ?? row.contractExp,
    price1: row.price1 === null ? null : formatMoney(row.price1),
    check: checkContract(span, daily.contract),
    contractNumberDiffers: contractNumberDiffers(row.contractNumber, daily.contractNumber),
  };
}

function descriptionOf(rows: readonly LookupRow[]): string | null {
  return rows.find((row) => row.description !== null)?.description ?? null;
}

/** Distinct codes; those without a sequence come last. */
function vendorsBySequence(rows: readonly LookupRow[]): string[] {
  const last = Number.POSITIVE_INFINITY;
  const sorted = [...rows].sort((a, b) =>
    compare(a.vendorSequence ?? last, b.vendorSequence ?? last),
  );
  return [...new Set(sorted.flatMap(({ vendor }) => (vendor === null ? [] : [vendor])))];
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
