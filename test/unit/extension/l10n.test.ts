import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { GUIDANCE } from "../../../shared/connection.ts";
import { ROOT, readSources } from "../../support/sources.ts";

/** A text in double quotes. */
const TEXT = '"((?:[^"\\\\]|\\\\.)*)"';
/** Calls whose first text is translated: `l10n.t("…")`, `t("…")`, `say("…")`, `key("…")`. */
const CALL = new RegExp(`\\b(?:t|say|key)\\(\\s*${TEXT}`, "g");
const PLURAL = new RegExp(`\\bplural\\(\\s*[^,]+,\\s*${TEXT}\\s*,\\s*${TEXT}`, "g");
/** `t(is ? "…" : "…")` */
const CHOICE = new RegExp(`\\b(?:t|say)\\(\\s*[^"()]*\\?\\s*${TEXT}\\s*:\\s*${TEXT}`, "g");

const bundle = JSON.parse(
  readFileSync(join(ROOT, "extension", "l10n", "bundle.l10n.pt-br.json"), "utf8"),
) as Record<string, string>;

/** Every text that a person may read in extension or dashboard, with a file that has it. */
function texts(): Map<string, string> {
  const found = new Map<string, string>();
  for (const { path, text } of readSources("extension", "webview", "shared"))
    for (const pattern of [CALL, PLURAL, CHOICE])
      for (const hit of text.matchAll(pattern))
        for (const literal of hit.slice(1)) found.set(JSON.parse(`"${literal}"`) as string, path);
  for (const { what, why } of Object.values(GUIDANCE))
    for (const text of [what, why]) found.set(text, "shared/connection.ts");
  return found;
}

/** The names that are filled in, e.g. `{n}` or `{0}`. */
function places(text: string): string[] {
  return [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
}

test("the collector sees the texts of extension, dashboard and feed", () => {
  const all = texts();
  expect(all.size).toBeGreaterThan(700);
  for (const known of ["Open Dashboard", "Needs attention", "1 dead letter", "Its time came"])
    expect(all.has(known), known).toBe(true);
});

test("every text is there in Brazilian Portuguese", () => {
  const missing = [...texts()].filter(([text]) => !(text in bundle));
  expect(missing.map(([text, path]) => `${path}: ${text}`)).toEqual([]);
});

test("a translation fills in the same values as its text", () => {
  const wrong = Object.entries(bundle).filter(
    ([text, translation]) => places(text).join() !== places(translation).join(),
  );
  expect(wrong).toEqual([]);
});
