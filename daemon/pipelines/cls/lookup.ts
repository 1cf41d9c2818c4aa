import { siteOf } from "./daily.ts";
import type { ClsParams } from "./params.ts";
import type { BaselineRow } from "./store.ts";

/** A baseline row that may be looked up: it has an item. */
export type LookupRow = BaselineRow & { readonly item: string };

/** Part numbers of the daily rows; nothing else of the baseline is worth keeping. */
export interface WantedNumbers {
  readonly distributor: ReadonlySet<string>;
  readonly manufacturer: ReadonlySet<string>;
}

/** What the first reading of the baseline finds, needed before any row can be judged. */
interface LookupPlan {
  /** Item and catalogue of each row of a kept account, per pair. */
  readonly twins: ReadonlySet<string>;
  /** Items that a wanted number may name. */
  readonly items: ReadonlySet<string>;
}

type Exclusions = Pick<
  ClsParams,
  "excludedAccounts" | "excludedVendorPrefixes" | "excludedItemPrefixes" | "mirrorAccounts"
>;

/** Decides which baseline rows look-ups may use. Two readings are needed: a mirror row is judged by its twin, which may come later. */
export interface LookupFilter {
  /** First reading: takes note of the row. */
  note(row: BaselineRow): void;
  plan(): LookupPlan;
  /** Second reading: whether the row may be looked up. */
  admits(row: BaselineRow): boolean;
}

/** A filter by the settings. `wanted` limits which items are remembered, so that memory follows the daily rows. */
export function createLookupFilter(settings: Exclusions, wanted: WantedNumbers): LookupFilter {
  const accounts = new Set(settings.excludedAccounts);
  const kept = new Map(settings.mirrorAccounts.map(([account, mirror]) => [account, mirror]));
  const mirrors = new Set(settings.mirrorAccounts.map(([, mirror]) => mirror));
  const twins = new Set<string>();
  const items = new Set<string>();
  const isExcluded = (row: BaselineRow): boolean =>
    (row.account !== null && accounts.has(row.account)) ||
    startsWithAny(row.item, settings.excludedItemPrefixes) ||
    startsWithAny(row.vendorName, settings.excludedVendorPrefixes);
  return {
    note(row) {
      if (isExcluded(row) || row.item === null) return;
      const mirror = row.account === null ? undefined : kept.get(row.account);
      if (mirror !== undefined) twins.add(twinKey(mirror, row));
      if (has(wanted.distributor, row.vendorCatalogue)) items.add(row.item);
      else if (has(wanted.manufacturer, row.manufacturerCatalogue)) items.add(row.item);
    },
    plan: () => ({ twins, items }),
    admits: (row) =>
      !isExcluded(row) &&
      !(row.account !== null && mirrors.has(row.account) && twins.has(twinKey(row.account, row))),
  };
}

function startsWithAny(text: string | null, prefixes: readonly string[]): boolean {
  return text !== null && prefixes.some((prefix) => prefix !== "" && text.startsWith(prefix));
}

function has(wanted: ReadonlySet<string>, text: string | null): boolean {
  return text !== null && wanted.has(text);
}

function twinKey(mirror: string, row: BaselineRow): string {
  return `${mirror}\u001f${row.item ?? ""}\u001f${row.vendorCatalogue ?? ""}`;
}

/** The look-up rows of the items that the daily rows may mean, by the ways they are asked for. */
export interface Lookup {
  /** Rows of every item that one of the two numbers names. */
  rowsByNumbers(distributorPart: string | null, manufacturerPart: string | null): LookupRow[];
  rowsOfItem(item: string): readonly LookupRow[];
}

/** Indexes look-up rows. Their order depends on their content only, never on where they lay in the store. */
export function createLookup(rows: readonly LookupRow[]): Lookup {
  const byItem = Map.groupBy([...rows].sort(compareRows), (row) => row.item);
  const byDistributorPart = itemsBy(rows, (row) => row.vendorCatalogue);
  const byManufacturerPart = itemsBy(rows, (row) => row.manufacturerCatalogue);
  return {
    rowsByNumbers(distributorPart, manufacturerPart) {
      const items = new Set([
        ...((distributorPart !== null && byDistributorPart.get(distributorPart)) || []),
        ...((manufacturerPart !== null && byManufacturerPart.get(manufacturerPart)) || []),
      ]);
      return [...items].flatMap((item) => byItem.get(item) ?? []);
    },
    rowsOfItem: (item) => byItem.get(item) ?? [],
  };
}

function itemsBy(
  rows: readonly LookupRow[],
  numberOf: (row: LookupRow) => string | null,
): Map<string, Set<string>> {
  const items = new Map<string, Set<string>>();
  for (const row of rows) {
    const number = numberOf(row);
    if (number === null) continue;
    const known = items.get(number);
    if (known === undefined) items.set(number, new Set([row.item]));
    else known.add(row.item);
  }
  return items;
}

/** The baseline rows of a candidate: its rows at the site, of the distributor. Blank matches nothing. */
export function baselineRowsOf(
  itemRows: readonly LookupRow[],
  site: string | null,
  distributor: string | null,
): LookupRow[] {
  if (site === null || distributor === null) return [];
  return itemRows.filter((row) => siteOf(row.account) === site && row.vendor === distributor);
}

const ORDER: readonly (keyof LookupRow)[] = [
  "item",
  "account",
  "vendor",
  "vendorSequence",
  "vendorCatalogue",
  "manufacturerCatalogue",
  "contractNumber",
  "contractEff",
  "contractExp",
  "price1",
  "vendorName",
  "description",
  "key",
];

function compareRows(a: LookupRow, b: LookupRow): number {
  for (const field of ORDER) {
    const left = a[field];
    const right = b[field];
    if (left === right) continue;
    // What is blank stands last, so that the first row of several is the one that says most.
    if (left === null) return 1;
    if (right === null) return -1;
    return left < right ? -1 : 1;
  }
  return 0;
}
