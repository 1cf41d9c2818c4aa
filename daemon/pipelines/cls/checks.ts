import { join } from "node:path";
import type { ReportHeader } from "./columns.ts";
import { reportHeader } from "./columns.ts";
import type { TypedRow } from "./row-store.ts";
import { type ClsStore, layoutReader, unpackCells } from "./store.ts";
import { openTable } from "./table-reader.ts";

/** How many cases a warning names; it always says how many there are. */
const EXAMPLES = 5;
const TELL_ROWS = 10_000;
export const BLANK_PERMITTED_FILE = "Blank Vpn Permitted.xlsx";

/** Reads the items whose Vendor Catalogue may be blank, from `ref_files`. Fails as reading a workbook does. */
export async function readBlankPermitted(refFiles: string): Promise<Set<string>> {
  const table = await openTable(join(refFiles, BLANK_PERMITTED_FILE));
  const at = Math.max(reportHeader(table.names).at.item, 0);
  const items = new Set<string>();
  for await (const batch of table.batches) {
    for (const { cells } of batch) if (cells[at]) items.add(cells[at]);
  }
  return items;
}

/** What a file brought that the checks look at. */
export interface Touched {
  readonly contracts: ReadonlySet<string>;
  /** Items with a blank Vendor Catalogue that may not have one. */
  readonly blank: ReadonlySet<string>;
  /** `item|first two digits of the account|vendor`, in which there should be one catalogue value. */
  readonly groups: ReadonlyMap<string, CatalogueGroup>;
  add(header: ReportHeader, typed: TypedRow, cells: readonly (string | null)[]): void;
}

interface CatalogueGroup {
  readonly item: string;
  readonly accountPrefix: string;
  readonly vendor: string;
}

export function createTouched(blankPermitted: ReadonlySet<string>): Touched {
  const contracts = new Set<string>();
  const blank = new Set<string>();
  const groups = new Map<string, CatalogueGroup>();
  return {
    contracts,
    blank,
    groups,
    add: (header, { contract, catalogue }, cells) => {
      const item = cells[header.at.item] ?? "";
      const accountPrefix = (cells[header.at.account] ?? "").slice(0, 2);
      const vendor = cells[header.at.vendor] ?? "";
      if (contract !== null) contracts.add(contract);
      if (catalogue === null && !blankPermitted.has(item)) blank.add(item);
      groups.set(`${item}|${accountPrefix}|${vendor}`, { item, accountPrefix, vendor });
    },
  };
}

/** The three checks for the rows a file brought, against all stored rows. Warnings only; nothing is changed. */
export function checkTouched({ db }: ClsStore, touched: Touched): string[] {
  const vendors = db
    .prepare("SELECT DISTINCT vendor FROM rows WHERE contract = ? ORDER BY vendor")
    .pluck();
  // The smallest and the largest are two index seeks, however many rows a contract has.
  const ends = db
    .prepare(
      `SELECT (SELECT MIN(vendor) FROM rows WHERE contract = ?) <> (SELECT MAX(vendor) FROM rows WHERE contract = ?)`,
    )
    .pluck();
  const contracts = [...touched.contracts]
    .filter((contract) => ends.get(contract, contract) === 1)
    .map((contract) => () => `${contract} (${(vendors.all(contract) as string[]).join(", ")})`);
  const inGroup = db
    .prepare(
      "SELECT DISTINCT key, catalogue FROM rows WHERE key >= ? AND key < ? AND catalogue IS NOT NULL",
    )
    .raw();
  const groups: (() => string)[] = [];
  for (const { item, accountPrefix, vendor } of touched.groups.values()) {
    const from = `${item}|${accountPrefix}`;
    const values = new Set<string>();
    for (const [key, catalogue] of inGroup.all(from, `${from}\u{10ffff}`) as [string, string][]) {
      if (vendorOfKey(key, item) === vendor) values.add(catalogue);
    }
    if (values.size > 1) groups.push(() => groupText(item, accountPrefix, vendor, values));
  }
  return warnings(contracts, [...touched.blank], groups);
}

/** Item, account, vendor, cost centre, account: the vendor is the third part. The item is known, so it may hold a `|`. */
function vendorOfKey(key: string, item: string): string | undefined {
  return key.slice(item.length + 1).split("|")[1];
}

function groupText(
  item: string,
  prefix: string,
  vendor: string,
  values: ReadonlySet<string>,
): string {
  return `${item} with ${vendor} in ${prefix} (${[...values].sort().join(", ")})`;
}

type Line = [layout: number, contract: string | null, vendor: string | null, cells: string];

/** The three checks for all stored rows, item by item in constant memory. `onRows` is called now and then. */
export function checkFull(
  store: ClsStore,
  blankPermitted: ReadonlySet<string>,
  onRows: () => void,
): string[] {
  const headerOf = layoutReader(store);
  const vendorsOf = new Map<string, Set<string>>();
  const blank = new Set<string>();
  const catalogues = createCatalogueCheck();
  const lines = store.db
    .prepare("SELECT layout, contract, vendor, cells FROM rows ORDER BY key")
    .raw()
    .iterate() as IterableIterator<Line>;
  let rows = 0;
  for (const [layout, contract, vendor, text] of lines) {
    rows += 1;
    if (rows % TELL_ROWS === 0) onRows();
    const { at } = headerOf(layout);
    const cells = unpackCells(text);
    const item = cells[at.item] ?? "";
    const catalogue = cells[at.vendorCatalogue] ?? null;
    if (contract !== null && vendor !== null) put(vendorsOf, contract, vendor);
    if (catalogue !== null) {
      catalogues.add(item, (cells[at.account] ?? "").slice(0, 2), vendor ?? "", catalogue);
    } else if (!blankPermitted.has(item)) {
      blank.add(item);
    }
  }
  const contracts = [...vendorsOf]
    .filter(([, vendors]) => vendors.size > 1)
    .map(
      ([contract, vendors]) =>
        () =>
          `${contract} (${[...vendors].sort().join(", ")})`,
    );
  return warnings(contracts, [...blank], catalogues.end());
}

/** Collects the catalogue values of one item after another; rows of an item must come together. */
function createCatalogueCheck() {
  const found: (() => string)[] = [];
  let item = "";
  let groups = new Map<string, Set<string>>();
  const closeItem = (): void => {
    const of = item;
    for (const [group, values] of groups) {
      const prefix = group.slice(0, group.indexOf("|"));
      const vendor = group.slice(prefix.length + 1);
      if (values.size > 1) found.push(() => groupText(of, prefix, vendor, values));
    }
    groups = new Map();
  };
  return {
    add(next: string, prefix: string, vendor: string, catalogue: string): void {
      if (next !== item) closeItem();
      item = next;
      put(groups, `${prefix}|${vendor}`, catalogue);
    },
    end(): readonly (() => string)[] {
      closeItem();
      return found;
    },
  };
}

function put(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([value]));
  else set.add(value);
}

function warnings(
  contracts: readonly (() => string)[],
  blank: readonly string[],
  groups: readonly (() => string)[],
): string[] {
  const texts = (list: readonly (() => string)[]): string[] =>
    list.slice(0, EXAMPLES).map((text) => text());
  return [
    listed(contracts.length, "contract(s) with several vendors", texts(contracts)),
    listed(
      blank.length,
      "item(s) with a blank Vendor Catalogue that is not permitted",
      blank.slice(0, EXAMPLES),
    ),
    listed(
      groups.length,
      "item(s) with several Vendor Catalogue values for one vendor and account prefix",
      texts(groups),
    ),
  ].filter((text) => text !== "");
}

function listed(count: number, what: string, examples: readonly string[]): string {
  if (count === 0) return "";
  return `${count} ${what}: ${examples.join("; ")}${count > examples.length ? "; …" : ""}`;
}
