import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PACKAGE_ROOT } from "../entry.ts";

/** Where the translations of the extension lie: the web app has its texts there as well. */
const FOLDER = join(PACKAGE_ROOT, "extension", "l10n");

/** The first language that a browser asks for, as BCP 47; English when it asks for none that can be one. */
export function localeOf(acceptLanguage: string | undefined): string {
  const first = (acceptLanguage ?? "").split(",")[0]?.split(";")[0]?.trim() ?? "";
  try {
    return Intl.getCanonicalLocales(first)[0] ?? "en";
  } catch {
    // Ignored: `*` and what is no language at all; the page speaks English then.
    return "en";
  }
}

/** Translations by their English text; empty when there are none for this language. */
export async function textsOf(locale: string): Promise<Readonly<Record<string, string>>> {
  // Portuguese is there as it is written in Brazil.
  const language = locale.toLowerCase().startsWith("pt") ? "pt-br" : locale.toLowerCase();
  if (!/^[a-z-]{2,10}$/.test(language)) return {};
  try {
    const text = await readFile(join(FOLDER, `bundle.l10n.${language}.json`), "utf8");
    const bundle = JSON.parse(text) as Record<string, string | { message: string }>;
    return Object.fromEntries(
      Object.entries(bundle).map(([key, value]) => [
        key,
        typeof value === "string" ? value : value.message,
      ]),
    );
  } catch {
    // Ignored: no translation for this language.
    return {};
  }
}
