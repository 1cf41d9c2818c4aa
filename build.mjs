#!/usr/bin/env node
/**
 * Writes `dist/`: the program in few modules instead of hundreds of sources, and the files that it reads. Started from
 * there it needs less memory and is up sooner. Runs on a Node that reads TypeScript.
 */
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { build } from "esbuild";
import { BUILT, DIST, newestSourceMs, ROOT } from "./bundle.mjs";
import { ASSETS, ENTRIES } from "./daemon/entry.ts";

/** Parts of a former build stay so long: a process that was started from it may still load them. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1000;

const REQUIRE = [
  'import { createRequire as __createRequire } from "node:module";',
  "const require = __createRequire(import.meta.url);",
].join("\n");

function bundle() {
  return build({
    absWorkingDir: ROOT,
    entryPoints: Object.fromEntries(
      Object.entries(ENTRIES).map(([name, source]) => [name, join("daemon", source)]),
    ),
    outdir: DIST,
    write: false,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node22.22",
    outExtension: { ".js": ".mjs" },
    // All in one folder: a part finds the entries and assets beside itself.
    chunkNames: "[name]-[hash]",
    // It brings machine code, which it looks for beside its own files.
    external: ["better-sqlite3"],
    // Libraries in CommonJS form ask for Node's own modules by `require`.
    banner: { js: REQUIRE },
    // Names stay as they are, for whoever reads a trace.
    minifySyntax: true,
    legalComments: "none",
    sourcemap: "linked",
    sourcesContent: false,
    logLevel: "warning",
  });
}

/** Under a name of its own first: a program that starts meanwhile finds the former file or this one, both whole. */
function place(path, contents) {
  fs.mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}`;
  fs.writeFileSync(draft, contents);
  fs.renameSync(draft, path);
}

function removeOld(keep) {
  for (const name of fs.readdirSync(DIST)) {
    const path = join(DIST, name);
    const info = fs.statSync(path);
    if (info.isFile() && !keep.has(path) && Date.now() - info.mtimeMs > KEPT_MS) fs.rmSync(path);
  }
}

// Read before the sources are: what is edited while they are bundled counts as newer.
const sourceMs = newestSourceMs();
const { outputFiles } = await bundle();
for (const asset of ASSETS)
  fs.cpSync(join(ROOT, "daemon", asset), join(DIST, asset), { recursive: true });
// Entries come last: the parts that they import are there by then.
const isEntry = ({ path }) => Number(path.slice(DIST.length + 1, -".mjs".length) in ENTRIES);
for (const { path, contents } of outputFiles.sort((a, b) => isEntry(a) - isEntry(b)))
  place(path, contents);
place(BUILT, "");
fs.utimesSync(BUILT, new Date(), new Date(Math.ceil(sourceMs)));
removeOld(new Set([BUILT, ...outputFiles.map(({ path }) => path)]));
