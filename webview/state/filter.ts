/**
 * The grammar of filter boxes: `key:value`, `-key:value`, `"free text"`, parted by spaces. Values may be quoted, and `*`
 * stands for anything. Terms of one key are alternatives, all else must hold together. Pure.
 */
export interface FilterTerm {
  /** Null: free text, looked for everywhere. */
  readonly key: string | null;
  readonly value: string;
  /** `-`: what matches is left out. */
  readonly isNegated: boolean;
}

const TERM = /(-)?(?:([a-z][\w.-]*):)?(?:"([^"]*)"?|(\S*))/giu;

/** The terms of a text. Only `keys` are keys; `http://x` is free text. */
export function parseFilter(text: string, keys: readonly string[]): FilterTerm[] {
  const terms: FilterTerm[] = [];
  for (const [whole, minus, key, quoted, bare] of text.matchAll(TERM)) {
    const value = quoted ?? bare ?? "";
    const name = key?.toLowerCase();
    if (name !== undefined && !keys.includes(name)) {
      terms.push({ key: null, value: whole.replace(/^-/, ""), isNegated: minus !== undefined });
    } else if (value !== "") {
      terms.push({ key: name ?? null, value, isNegated: minus !== undefined });
    }
  }
  return terms;
}

/** The text of a term, as `parseFilter` reads it. */
export function writeTerm(term: FilterTerm): string {
  const value =
    /[\s"]/.test(term.value) || term.value === ""
      ? `"${term.value.replaceAll('"', "")}"`
      : term.value;
  return `${term.isNegated ? "-" : ""}${term.key === null ? "" : `${term.key}:`}${value}`;
}

export function writeFilter(terms: readonly FilterTerm[]): string {
  return terms.map(writeTerm).join(" ");
}

/** The text with a term added, or without it when it is there. */
export function toggleTerm(text: string, keys: readonly string[], term: FilterTerm): string {
  const terms = parseFilter(text, keys);
  const same = terms.findIndex((other) => writeTerm(other) === writeTerm(term));
  return writeFilter(same < 0 ? [...terms, term] : terms.toSpliced(same, 1));
}

/** What a row says of itself: the values of a key, and all its text for free words. */
export interface Filterable {
  readonly values: (key: string) => readonly string[];
  readonly text: () => string;
}

/** A test for rows. Compiled once, since a live list runs it thousands of times a second. */
export function compileFilter(terms: readonly FilterTerm[]): (row: Filterable) => boolean {
  const wanted = Map.groupBy(
    terms.filter((term) => !term.isNegated && term.key !== null),
    (term) => term.key as string,
  );
  const groups = [...wanted].map(
    ([key, group]) => [key, group.map((term) => pattern(term.value))] as const,
  );
  const unwanted = terms.filter((term) => term.isNegated && term.key !== null);
  const never = unwanted.map((term) => [term.key as string, pattern(term.value)] as const);
  const words = terms
    .filter((term) => term.key === null)
    .map((term) => [term.value.toLowerCase(), term.isNegated] as const);
  return (row) =>
    groups.every(([key, any]) => row.values(key).some((value) => any.some((is) => is(value)))) &&
    !never.some(([key, is]) => row.values(key).some(is)) &&
    (words.length === 0 || matchesWords(row.text().toLowerCase(), words));
}

function matchesWords(text: string, words: readonly (readonly [string, boolean])[]): boolean {
  return words.every(([word, isNegated]) => text.includes(word) !== isNegated);
}

/** Whole value without case; a `*` is anything. */
function pattern(value: string): (candidate: string) => boolean {
  const low = value.toLowerCase();
  if (!low.includes("*")) return (candidate) => candidate.toLowerCase() === low;
  const parts = low.split("*");
  return (candidate) => matchesParts(candidate.toLowerCase(), parts);
}

/** Without a regular expression: a pattern of many stars must not take forever. */
function matchesParts(text: string, parts: readonly string[]): boolean {
  const first = parts[0] ?? "";
  const last = parts.at(-1) ?? "";
  if (!text.startsWith(first)) return false;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const at = text.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return text.length - last.length >= from && text.endsWith(last);
}
