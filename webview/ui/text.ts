import { signal } from "@preact/signals";

type Values = Readonly<Record<string, string | number>>;

const texts = signal<Readonly<Record<string, string>>>({});
const localeOf = signal("en");

/** Takes what `hello` brought: translations by their English text, and the locale for dates. */
export function setTexts(locale: string, translations: Readonly<Record<string, string>>): void {
  localeOf.value = locale;
  texts.value = translations;
}

/** BCP 47. Reading it in a component renders that component again when it changes. */
export function locale(): string {
  return localeOf.value;
}

/** The text in the user's language; `{name}` is filled from `values`. Unknown texts stay English. */
export function t(english: string, values?: Values): string {
  const text = texts.value[english] ?? english;
  if (values === undefined) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** One text for 1, another for all other counts; `{n}` is the count. */
export function plural(count: number, one: string, many: string, values: Values = {}): string {
  return t(count === 1 ? one : many, { n: count, ...values });
}

/** Marks a text of a table, which `t` translates where it is shown, for the collector of texts. */
export function key(english: string): string {
  return english;
}
