import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ICON_NAMES } from "../../webview/ui/icon-names.ts";
import { ICON_SHAPES } from "../../webview/ui/icon-shapes.ts";

const require = createRequire(import.meta.url);
const FOLDER = join(dirname(require.resolve("@vscode/codicons/package.json")), "src", "icons");
const TARGET = join(dirname(fileURLToPath(import.meta.url)), "../../webview/ui/icon-shapes.ts");

/** Names of the font that are other names of a file. */
const ALIASES: Readonly<Record<string, string>> = {
  clock: "clockface",
  "circle-outline": "circle",
};

/** One decimal is a tenth of a pixel: half of the bytes, the same picture. */
function rounded(path: string): string {
  expect(path).not.toMatch(/[a-df-z]/);
  return path.replace(/\d+\.\d+/g, (number) => String(Number(Number(number).toFixed(1))));
}

/** The outlines of an icon of the package; all are drawn on a grid of 16. */
function shapesOf(name: string): string[] {
  const svg = readFileSync(join(FOLDER, `${ALIASES[name] ?? name}.svg`), "utf8");
  expect(svg, name).toContain('viewBox="0 0 16 16"');
  const paths = [...svg.matchAll(/<path\b([^>]*?)\/?>/g)].map(([, attributes = ""]) => {
    expect(attributes, name).not.toMatch(/transform=|stroke=/);
    return rounded(/\bd="([^"]+)"/.exec(attributes)?.[1] ?? "");
  });
  expect(svg.match(/<(circle|rect|g|polygon)\b/g) ?? [], name).toEqual([]);
  return paths;
}

function write(): void {
  const lines = ICON_NAMES.map(
    (name) => `  ${JSON.stringify(name)}: ${JSON.stringify(shapesOf(name))},`,
  );
  writeFileSync(
    TARGET,
    [
      'import type { IconName } from "./icon-names.ts";',
      "",
      "/**",
      " * Outlines on a grid of 16, from @vscode/codicons (Microsoft, CC BY 4.0). Written by",
      " * `UPDATE_ICONS=1 npx vitest run test/webview/icons.test.ts`.",
      " */",
      "// biome-ignore format: one icon a line",
      "export const ICON_SHAPES: Readonly<Record<IconName, readonly string[]>> = {",
      ...lines,
      "};",
      "",
    ].join("\n"),
  );
}

test("every icon has the shape that the package draws", () => {
  if (process.env["UPDATE_ICONS"] !== undefined) return write();
  const ours = Object.fromEntries(ICON_NAMES.map((name) => [name, ICON_SHAPES[name]]));
  expect(ours).toEqual(Object.fromEntries(ICON_NAMES.map((name) => [name, shapesOf(name)])));
});

test("names stand once, in order", () => {
  expect([...new Set(ICON_NAMES)].sort()).toEqual([...ICON_NAMES]);
});
