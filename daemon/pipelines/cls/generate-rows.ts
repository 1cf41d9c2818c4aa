import { formatMoney } from "./values.ts";

/** The columns of generated 0031 files. */
export const GENERATED_COLUMNS = [
  "PMM Item Number",
  "Corp Acct",
  "Vendor Code",
  "Additional Cost Centre",
  "Additional GL Account",
  "Vendor Name",
  "Vendor Seq",
  "Vendor Catalogue",
  "Manufacturer Catalogue",
  "Item Description",
  "Contract No",
  "Contract EFF Date",
  "Contract EXP Date",
  "Contract Item",
  "UOM1",
  "UOM1 QTY",
  "Price1",
  "UOM1 Cont",
  "UOM2",
  "UOM2 QTY",
  "Price2",
  "UOM2 Cont",
  "UOM3",
  "UOM3 QTY",
  "Price3",
  "UOM3 Cont",
  "Default Unit Of Measure",
  "Default UOM Price",
  "Item Create Date",
  "Item Update Date",
  "Corporation Info",
  "Item Status",
  "Commodity Code",
  "Alternate Description1",
  "Alternate Description 2",
  "Alternate Description 3",
  "MISC3",
  "MISC4",
  "Tax Jurisdiction",
  "Supply Type Code",
] as const;

/** A report row before it is written: what varies. Money is ten-thousandths, days are ISO. */
export interface ReportRow {
  readonly item: number;
  readonly account: string;
  readonly vendor: number;
  readonly costCentre: string | null;
  readonly contract: number | null;
  readonly startDay: string | null;
  readonly endDay: string | null;
  readonly price: number;
  readonly pack: number;
  readonly updateDay: string | null;
}

export const VENDORS = 200;
export const MANUFACTURERS = 150;
const CONTRACTS_PER_VENDOR = 25;
const ROWS_PER_ITEM = 5;
/** 0204 and 0504 mirror 0201 and 0501; 0202, 0205, 0502 and 0405 are left out by default. */
const ACCOUNTS: readonly string[] =
  "0101 0103 0201 0204 0301 0302 0401 0501 0504 0601 0701 0202".split(" ");
const NOUNS: readonly string[] =
  "GLOVE NITRILE|SYRINGE 10ML|SUTURE 3-0|CATHETER 14FR|DRAPE STERILE|GAUZE 10X10|MASK SURGICAL|TUBING 2M".split(
    "|",
  );

/** A number of 32 random bits that only depends on its arguments. */
export function randomBits(seed: number, index: number, salt: number): number {
  let bits = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35);
  bits = Math.imul(bits ^ (bits >>> 15) ^ Math.imul(salt + 1, 0x27d4eb2f), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

const DAY_MS = 86_400_000;

/** The ISO day `offset` days after the first of January 2025. */
export function isoDay(offset: number): string {
  return new Date(Date.UTC(2025, 0, 1) + offset * DAY_MS).toISOString().slice(0, 10);
}

/** Days repeat by the hundred thousand; making each once is most of the time saved. */
const days = new Map<number, string>();
function dayText(offset: number): string {
  let day = days.get(offset);
  if (day === undefined) {
    day = isoDay(offset);
    days.set(offset, day);
  }
  return day;
}

/** The row number `index` of the full file; any can be asked for in any order. */
export function baselineRow(seed: number, index: number): ReportRow {
  const item = Math.floor(index / ROWS_PER_ITEM);
  const place = index % ROWS_PER_ITEM;
  const ofItem = randomBits(seed, item, 0);
  const ofRow = randomBits(seed, index, 1);
  const hasContract = ofRow % 10 < 4;
  const start = (ofRow >>> 4) % 200;
  const vendor = (ofItem + (place === ROWS_PER_ITEM - 1 ? 7 : 0)) % VENDORS;
  // One row in five hundred names a contract of another vendor, for the check that looks for this.
  const contractOf = ofRow % 500 === 2 ? (vendor + 1) % VENDORS : vendor;
  return {
    item,
    account: ACCOUNTS[((ofItem >>> 8) + place) % ACCOUNTS.length] ?? "0101",
    vendor,
    costCentre: ofRow % 17 === 0 ? `CC${String(ofRow % 9).padStart(3, "0")}` : null,
    contract: hasContract
      ? contractOf * CONTRACTS_PER_VENDOR + ((ofItem >>> 3) % CONTRACTS_PER_VENDOR)
      : null,
    startDay: hasContract ? dayText(start) : null,
    endDay: hasContract ? dayText(start + 365 + ((ofRow >>> 12) % 365)) : null,
    price: ((ofRow % 200_000) + 50) * 100,
    pack: [1, 10, 12, 50, 100][ofItem % 5] ?? 1,
    updateDay: dayText((ofRow >>> 7) % 300),
  };
}

export function itemNumber(item: number): string {
  return String(item + 100_000).padStart(7, "0");
}

export function vendorCode(vendor: number): string {
  return `V${String(vendor + 1).padStart(4, "0")}`;
}

export function vendorCatalogue(row: Pick<ReportRow, "item" | "vendor">): string {
  return `VC-${itemNumber(row.item)}-${row.vendor + 1}`;
}

export function manufacturerCatalogue(item: number): string {
  return `MC${itemNumber(item)}`;
}

export function contractNumber(contract: number | null): string {
  return contract === null ? "N/A" : `C${String(contract).padStart(5, "0")}`;
}

/** The cells of a row, in the order of `GENERATED_COLUMNS`. */
export function reportCells(row: ReportRow): (string | null)[] {
  const item = itemNumber(row.item);
  const packed = formatMoney(row.price * row.pack);
  return [
    item,
    row.account,
    vendorCode(row.vendor),
    row.costCentre,
    null,
    row.vendor % 50 === 49 ? `ZZZ Closed Vendor ${row.vendor + 1}` : `Vendor ${row.vendor + 1}`,
    String((row.item % 3) + 1),
    vendorCatalogue(row),
    manufacturerCatalogue(row.item),
    `${NOUNS[row.item % NOUNS.length]} ${item}`,
    contractNumber(row.contract),
    row.startDay,
    row.endDay,
    row.contract === null ? "N" : "Y",
    "EA",
    "1",
    formatMoney(row.price),
    "N",
    "BX",
    String(row.pack),
    packed,
    "Y",
    "CA",
    String(row.pack * 10),
    formatMoney(row.price * row.pack * 10),
    "N",
    "BX",
    packed,
    "2024-06-01",
    row.updateDay,
    "INFO",
    "A",
    String(42_000_000 + (row.item % 90_000)),
    null,
    null,
    null,
    null,
    null,
    "ON",
    "S",
  ];
}
