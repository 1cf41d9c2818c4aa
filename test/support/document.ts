import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./sources.ts";

/** The text of a document at the root of the checkout. */
export function readDocument(name: string): string {
  return readFileSync(join(ROOT, name), "utf8");
}

/** Bars would end the cell, and `<word>` outside code would vanish as a tag. */
function escaped(cell: string): string {
  return cell
    .replaceAll("|", "\\|")
    .replace(/(`[^`]*`)|</g, (_, code: string | undefined) => code ?? "&lt;");
}

/** Rows as a Markdown table. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => escaped(cell)).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

/**
 * What stands between `<!-- name: … -->` and `<!-- /name -->`. With `UPDATE_DOCS` set, `wanted` is written there first:
 * that is how a generated table gets into its document.
 */
export function generatedPart(document: string, name: string, wanted: string): string {
  const pattern = new RegExp(`(<!-- ${name}:[^>]*-->\\n)([\\s\\S]*?)(\\n<!-- /${name} -->)`);
  const text = readDocument(document);
  const found = pattern.exec(text);
  if (found === null) throw new Error(`${document} has no part ${name}`);
  if (!process.env["UPDATE_DOCS"]) return found[2] ?? "";
  writeFileSync(
    join(ROOT, document),
    text.replace(pattern, (_, head: string, __, foot: string) => `${head}${wanted}${foot}`),
  );
  return wanted;
}

/** Everything written as code in a Markdown text that looks like a path of this repository. */
export function pathsIn(markdown: string): string[] {
  const folders = /^(?:shared|daemon|test|extension|webview|\.ci)\//;
  return [...markdown.matchAll(/`([^`\s]+)`/g)]
    .map(([, code = ""]) => code)
    .filter((code) => folders.test(code) && !/[*<>…{]/.test(code));
}
