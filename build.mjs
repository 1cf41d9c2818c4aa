#!/usr/bin/env node
/**
 * Writes `dist/`: the product in few modules instead of hundreds of sources, and the files that it reads. Started from
 * there it needs less memory and is up sooner. `node build.mjs daemon` writes one part, without names it writes all.
 * Runs on a Node that reads TypeScript.
 */
import * as fs from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import process from "node:process";
import { build } from "esbuild";
import { DIST, newestSourceMs, PARTS, ROOT } from "./bundle.mjs";
import { ASSETS, ENTRIES } from "./daemon/entry.ts";

/** Parts of a former build stay so long: a process that was started from it may still load them. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1000;

const REQUIRE = [
  'import { createRequire as __createRequire } from "node:module";',
  "const require = __createRequire(import.meta.url);",
].join("\n");

const COMMON = {
  absWorkingDir: ROOT,
  write: false,
  bundle: true,
  metafile: true,
  legalComments: "none",
  sourcemap: "linked",
  sourcesContent: false,
  logLevel: "warning",
};

const BUILDS = {
  daemon: {
    ...COMMON,
    entryPoints: Object.fromEntries(
      Object.entries(ENTRIES).map(([name, source]) => [name, join("daemon", source)]),
    ),
    outdir: DIST,
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
  },
  extension: {
    ...COMMON,
    entryPoints: { extension: "extension/main.ts" },
    outdir: DIST,
    // What VS Code's extension host loads in all the versions that `engines` names.
    format: "cjs",
    platform: "node",
    target: "node22",
    outExtension: { ".js": ".cjs" },
    external: ["vscode"],
    // VS Code reports whoever looks at this global, which Node has too since 21; zod looks for a browser with it.
    define: { navigator: "undefined" },
    minify: true,
  },
  webview: {
    ...COMMON,
    entryPoints: { main: "webview/main.tsx" },
    outdir: join(DIST, "webview"),
    format: "esm",
    platform: "browser",
    target: ["chrome130", "firefox130", "safari18"],
    jsx: "automatic",
    jsxImportSource: "preact",
    define: { "process.env.NODE_ENV": '"production"' },
    minify: true,
  },
};

/** Under a name of its own first: a program that starts meanwhile finds the former file or this one, both whole. */
function place(path, contents) {
  fs.mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}`;
  fs.writeFileSync(draft, contents);
  fs.renameSync(draft, path);
}

function removeOld() {
  const keep = new Set(Object.values(PARTS).flatMap(({ built }) => [built, ...listed(built)]));
  for (const name of fs.readdirSync(DIST)) {
    const path = join(DIST, name);
    const info = fs.statSync(path);
    if (info.isFile() && !keep.has(path) && Date.now() - info.mtimeMs > KEPT_MS) fs.rmSync(path);
  }
}

function listed(built) {
  if (!fs.existsSync(built)) return [];
  const { files } = JSON.parse(fs.readFileSync(built, "utf8") || '{"files":[]}');
  return files.map((name) => join(DIST, name));
}

/** Copies what the daemon reads; returns the files' names, also those in a folder. */
function placeAssets() {
  return ASSETS.flatMap((asset) => {
    fs.cpSync(join(ROOT, "daemon", asset), join(DIST, asset), { recursive: true });
    if (!asset.endsWith("/")) return [asset];
    return fs.readdirSync(join(ROOT, "daemon", asset)).map((name) => `${asset}${name}`);
  });
}

/** Names of the installed packages that a bundle holds, whose licences go with it. */
function packagesIn({ inputs }) {
  const names = Object.keys(inputs).map(
    (path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1],
  );
  return [...new Set(names)].filter((name) => name !== undefined).sort();
}

async function write(part) {
  // Read before the sources are: what is edited while they are bundled counts as newer.
  const sourceMs = newestSourceMs(part);
  const { outputFiles, metafile } = await build(BUILDS[part]);
  const assets = part === "daemon" ? placeAssets() : [];
  // Entries come last: the parts that they import are there by then.
  const isEntry = ({ path }) => Number(path.slice(DIST.length + 1, -".mjs".length) in ENTRIES);
  for (const { path, contents } of outputFiles.sort((a, b) => isEntry(a) - isEntry(b)))
    place(path, contents);
  const written = outputFiles.map(({ path }) => relative(DIST, path).split(sep).join("/"));
  const files = [...assets, ...written].sort();
  place(PARTS[part].built, JSON.stringify({ files, packages: packagesIn(metafile) }));
  fs.utimesSync(PARTS[part].built, new Date(), new Date(Math.ceil(sourceMs)));
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(PARTS);
for (const part of wanted)
  try {
    await write(part);
  } catch (error) {
    // What esbuild found wrong with the sources it has told already.
    if (!Array.isArray(error.errors)) throw error;
    process.exitCode = 1;
  }
removeOld();
