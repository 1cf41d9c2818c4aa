/** A unit of measure and how many base units one of it holds, both as their cells say. */
interface Pack {
  readonly unit: string | null;
  readonly quantity: string | null;
}

/** The cells that a price per largest pack is computed from. */
export interface PriceCells {
  readonly price: string | null;
  readonly priceUnit: string | null;
  readonly baseUnit: string | null;
  /** The alternate units in their order. */
  readonly packs: readonly Pack[];
}

/** `price` is a plain decimal with at most 4 places, or null with the reason in `warning` (no reason when there is no price). */
export interface UomPrice {
  readonly price: string | null;
  readonly warning: string | null;
}

/** An exact decimal: `units / 10^scale`. */
interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

const ONE: Decimal = { units: 1n, scale: 0 };
const PRICE_PLACES = 4;
const DECIMAL = /^([+-]?)(\d{1,3}(?:,\d{3})+|\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,2}))?$/;

/**
 * The price of the largest pack: price × largest pack ÷ pack of the price unit.
 * Exact until the one rounding at the end (half away from zero), because money must not pass through floats.
 * A price unit that the row does not define gives no price: to take it for one piece would invent a number.
 */
export function highestUomPrice(cells: PriceCells): UomPrice {
  const priceText = cells.price?.trim() ?? "";
  if (priceText === "") return { price: null, warning: null };
  const price = parseDecimal(priceText);
  if (price === null) return none(`Purchase UOM Price "${priceText}" is no number`);
  const packs = packSizes(cells);
  if (typeof packs === "string") return none(packs);
  const unit = cells.priceUnit?.trim() ?? "";
  const pack = packs.get(unit);
  if (unit === "" || pack === undefined) {
    return none(unit === "" ? "the price has no unit" : `the price unit "${unit}" is not defined`);
  }
  const largest = [...packs.values()].reduce((a, b) => (compare(a, b) >= 0 ? a : b));
  return { price: timesOver(price, largest, pack), warning: null };
}

function none(warning: string): UomPrice {
  return { price: null, warning };
}

/** Units with their sizes, or the reason why they cannot be trusted. */
function packSizes(cells: PriceCells): Map<string, Decimal> | string {
  const sizes = new Map<string, Decimal>();
  const base = cells.baseUnit?.trim() ?? "";
  if (base !== "") sizes.set(base, ONE);
  for (const pack of cells.packs) {
    const unit = pack.unit?.trim() ?? "";
    if (unit === "") continue;
    const text = pack.quantity?.trim() ?? "";
    const size = parseDecimal(text);
    if (size === null || size.units <= 0n)
      return `the quantity "${text}" of unit "${unit}" is no pack size`;
    const known = sizes.get(unit);
    if (known !== undefined && compare(known, size) !== 0) {
      return `the unit "${unit}" has two different quantities`;
    }
    sizes.set(unit, size);
  }
  return sizes;
}

/** A decimal as people and workbooks write it: thousands commas and exponents allowed, nothing else. null when it is none. */
function parseDecimal(text: string): Decimal | null {
  const match = DECIMAL.exec(text.trim());
  if (match === null) return null;
  const whole = (match[2] ?? "").replaceAll(",", "");
  const part = match[3] ?? "";
  if (whole === "" && part === "") return null;
  const units = BigInt(`${whole}${part}`) * (match[1] === "-" ? -1n : 1n);
  const scale = part.length - Number(match[4] ?? 0);
  return scale >= 0 ? { units, scale } : { units: units * 10n ** BigInt(-scale), scale: 0 };
}

function compare(a: Decimal, b: Decimal): number {
  const left = a.units * 10n ** BigInt(b.scale);
  const right = b.units * 10n ** BigInt(a.scale);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** price × factor ÷ divisor as text; multiplied first, rounded once. */
function timesOver(price: Decimal, factor: Decimal, divisor: Decimal): string {
  const top = price.units * factor.units * 10n ** BigInt(divisor.scale + PRICE_PLACES);
  const bottom = divisor.units * 10n ** BigInt(price.scale + factor.scale);
  const magnitude = top < 0n ? -top : top;
  const rounded = (2n * magnitude + bottom) / (2n * bottom);
  const digits = rounded.toString().padStart(PRICE_PLACES + 1, "0");
  const places = digits.slice(-PRICE_PLACES).replace(/0+$/, "");
  const sign = top < 0n && rounded > 0n ? "-" : "";
  return `${sign}${digits.slice(0, -PRICE_PLACES)}${places === "" ? "" : `.${places}`}`;
}
