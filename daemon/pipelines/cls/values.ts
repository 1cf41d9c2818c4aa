/**
 * Cell texts as typed values. A cell is text or null; nothing here throws and no money becomes a binary fraction.
 * A text that does not parse is null: the caller decides what that means.
 */

/** Trimmed text; a missing cell, a blank and white space are the same: null. */
export function cleanCell(cell: string | null | undefined): string | null {
  if (cell === null || cell === undefined) return null;
  const text = cell.trim();
  return text === "" ? null : text;
}

const MONTHS: readonly string[] = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");

/** A time of day after the date, which a day leaves out: ` 00:00:00`, `T08:38:00.000Z`, ` 08:38:00 AM`. */
const TIME =
  "(?:[T ]+\\d{1,2}:\\d{2}(?::\\d{2}(?:\\.\\d+)?)?(?: ?[AaPp]\\.?[Mm]\\.?)?(?:Z|[+-]\\d{2}:?\\d{2})?)?";
const ISO = new RegExp(`^(\\d{4})[-/](\\d{1,2})[-/](\\d{1,2})${TIME}$`);
const US = new RegExp(`^(\\d{1,2})/(\\d{1,2})/(\\d{4})${TIME}$`);
const NAMED = new RegExp(`^(\\d{4})-([A-Za-z]{3,9})-(\\d{1,2})${TIME}$`);
const PLAIN_ISO = /^\d{4}-\d{2}-\d{2}$/;

/** A day as `YYYY-MM-DD` (so that text order is time order) from ISO, US or `2025-Nov-10` writing; null when it is no day. */
export function parseDay(cell: string | null | undefined): string | null {
  const text = cleanCell(cell);
  if (text === null) return null;
  if (PLAIN_ISO.test(text)) {
    return dayOf(Number(text.slice(0, 4)), Number(text.slice(5, 7)), Number(text.slice(8)));
  }
  const iso = ISO.exec(text);
  if (iso !== null) return dayOf(Number(iso[1]), Number(iso[2]), Number(iso[3]));
  const us = US.exec(text);
  if (us !== null) return dayOf(Number(us[3]), Number(us[1]), Number(us[2]));
  const named = NAMED.exec(text);
  if (named === null) return null;
  return dayOf(Number(named[1]), monthOf(named[2] ?? ""), Number(named[3]));
}

/** 1–12 from `Nov` or `November`; 0 when it is no month. */
function monthOf(name: string): number {
  return MONTHS.indexOf(name.slice(0, 3).toLowerCase()) + 1;
}

function dayOf(year: number, month: number, day: number): string | null {
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null;
  return `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

const MONEY = /^([-+]?)\$?(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d*))?$/;
const MONEY_SCALE = 10_000;
const MONEY_DECIMALS = 4;

/**
 * Money as integer ten-thousandths: `1,234.5` → 12345000. More than four decimals are rounded half away from zero.
 * Null when it is no amount or too large to be exact (about 900 billion).
 */
export function parseMoney(cell: string | null | undefined): number | null {
  const text = cleanCell(cell);
  const match = text === null ? null : MONEY.exec(text);
  if (match === null) return null;
  const whole = (match[2] ?? "").replaceAll(",", "");
  const fraction = match[3] ?? "";
  if (whole === "" && fraction === "") return null;
  const kept = fraction.slice(0, MONEY_DECIMALS).padEnd(MONEY_DECIMALS, "0");
  const roundUp = fraction.length > MONEY_DECIMALS && fraction.charCodeAt(MONEY_DECIMALS) >= 53;
  const amount = Number(whole) * MONEY_SCALE + Number(kept) + (roundUp ? 1 : 0);
  if (!Number.isSafeInteger(amount)) return null;
  return match[1] === "-" && amount !== 0 ? -amount : amount;
}

/** Ten-thousandths as decimal text with two to four decimals: 120000 → `12.00`, 123456 → `12.3456`. */
export function formatMoney(tenThousandths: number): string {
  const sign = tenThousandths < 0 ? "-" : "";
  const digits = String(Math.abs(tenThousandths)).padStart(MONEY_DECIMALS + 1, "0");
  const fraction = digits.slice(-MONEY_DECIMALS).replace(/0{1,2}$/, "");
  return `${sign}${digits.slice(0, -MONEY_DECIMALS)}.${fraction}`;
}

const WHOLE = /^\d{1,15}$/;

/** A whole number without sign, such as a sequence; null otherwise. */
export function parseWhole(cell: string | null | undefined): number | null {
  const text = cleanCell(cell);
  return text !== null && WHOLE.test(text) ? Number(text) : null;
}
