import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the checkout. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A source file: its path from the root with `/`, its text, and the modules that it imports. */
export interface Source {
  readonly path: string;
  readonly text: string;
  /** Relative imports as paths from the root, others as they are written. */
  readonly imports: readonly string[];
  /** Those of them that are still there when the program runs. */
  readonly loads: readonly string[];
}

/** `import … from "x"`, `export … from "x"`, `import "x"` and `import("x")`. */
const IMPORT = /(?:^|[\s;}])(?:from|import)\s*\(?\s*"([^"]+)"/gm;

/** Every TypeScript file below these folders of the checkout. */
export function readSources(...folders: readonly string[]): Source[] {
  return folders
    .flatMap((folder) => globSync(`${folder}/**/*.{ts,tsx}`, { cwd: ROOT }))
    .map((path) => path.split(sep).join("/"))
    .sort()
    .map((path) => {
      const text = readFileSync(join(ROOT, path), "utf8");
      const loads = importsOf(path, withoutTypeImports(text));
      return { path, text, imports: importsOf(path, text), loads };
    });
}

export function importsOf(path: string, text: string): string[] {
  const code = withoutComments(text);
  return [...code.matchAll(IMPORT)].map(([, name = ""]) =>
    name.startsWith(".")
      ? normalize(join(dirname(path), name))
          .split(sep)
          .join("/")
      : name,
  );
}

/** The text without `import type … from` and `export type … from`, which the compiler removes. */
function withoutTypeImports(text: string): string {
  return text.replace(/^(?:import|export) type\b[^;]*?from "[^"]+";/gm, "");
}

/** The text with comments blanked and every line still in its place. Comment marks inside strings are rare enough. */
export function withoutComments(text: string): string {
  const blank = (comment: string): string => comment.replace(/[^\n]/g, " ");
  return text.replace(/\/\*[\s\S]*?\*\//g, blank).replace(/(^|\s)\/\/[^\n]*/g, blank);
}

/** 1 for the first line. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
