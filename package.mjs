#!/usr/bin/env node
/**
 * Writes the VS Code packages, one for each platform, to `dist/vsix/`: extension, dashboard, daemon, the platform's machine
 * code, and a nats-server where this machine has one for it. `--target linux-x64` (may be repeated) writes only that one.
 * Every package is checked as it was written. Runs on a Node that reads TypeScript; needs no network.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { createVSIX } from "@vscode/vsce";
import { DIST, PARTS, ROOT } from "./bundle.mjs";
import { checkPackage, programFormat, TARGETS } from "./package-check.mjs";

const OUT = join(DIST, "vsix");
const require = createRequire(import.meta.url);
const SQLITE = dirname(require.resolve("better-sqlite3/package.json"));
const read = (...path) => fs.readFileSync(join(ROOT, ...path), "utf8");
const say = (text) => process.stderr.write(`package: ${text}\n`);

/** What VS Code reads of the manifest; the rest is for whoever works on the product. */
const MANIFEST_KEYS = [
  "name",
  "displayName",
  "version",
  "description",
  "publisher",
  "keywords",
  "categories",
  "license",
  "icon",
  "type",
  "main",
  "l10n",
  "extensionKind",
  "activationEvents",
  "capabilities",
  "contributes",
];

function manifest() {
  const all = JSON.parse(read("package.json"));
  const kept = Object.fromEntries(MANIFEST_KEYS.map((key) => [key, all[key]]));
  return `${JSON.stringify({ ...kept, engines: { vscode: all.engines.vscode } }, null, 2)}\n`;
}

function built(part) {
  return JSON.parse(fs.readFileSync(PARTS[part].built, "utf8"));
}

/** The licences of all packages that the bundles hold, and of the two programs that lie beside them. */
function notices(hasServer) {
  const names = new Set(Object.keys(PARTS).flatMap((part) => built(part).packages));
  const parts = [...names, "better-sqlite3"].sort().map((name) => {
    const folder = join(ROOT, "node_modules", name);
    const { version, license } = JSON.parse(fs.readFileSync(join(folder, "package.json"), "utf8"));
    const file = fs.readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? "" : fs.readFileSync(join(folder, file), "utf8").trim();
    return `${name} ${version}, ${license}\n\n${text}`;
  });
  const icons = "Icons of the dashboard: @vscode/codicons, Microsoft, CC BY 4.0";
  const server = `nats-server, The NATS Authors, Apache-2.0\n\n${read("node_modules/@nats-io/nats-core/LICENSE").trim()}`;
  return [...parts, icons, ...(hasServer ? [server] : [])].join(`\n\n${"-".repeat(80)}\n\n`);
}

function copyTo(stage, path, from = join(ROOT, path)) {
  fs.mkdirSync(dirname(join(stage, path)), { recursive: true });
  fs.cpSync(from, join(stage, path), { recursive: true });
}

/** A bundle without the line that names its map, which stays here. */
function copyBundle(stage, name) {
  const path = join("dist", name);
  if (!/\.(mjs|cjs|js|css)$/.test(name)) return copyTo(stage, path);
  const text = read(path).replace(/\n?(\/\/|\/\*)# sourceMappingURL=.*\s*$/, "\n");
  fs.mkdirSync(dirname(join(stage, path)), { recursive: true });
  fs.writeFileSync(join(stage, path), text);
}

/** Beside the bundle, where its `import "better-sqlite3"` looks; with the machine code of this platform alone. */
function copySqlite(stage, { prebuild }) {
  const at = "dist/node_modules/better-sqlite3";
  for (const name of ["package.json", "LICENSE", "lib/methods"])
    copyTo(stage, join(at, name), join(SQLITE, name));
  for (const name of fs.readdirSync(join(SQLITE, "lib")))
    if (!/-(x64|arm64)\.js$/.test(name))
      copyTo(stage, join(at, "lib", name), join(SQLITE, "lib", name));
  const code = join("prebuilds", `${prebuild}.node`);
  copyTo(stage, join(at, code), join(SQLITE, code));
}

/** This machine's own nats-server, found or fetched as the daemon does; null when there is none. */
function ownServer() {
  const found = spawnSync(process.execPath, [join(ROOT, "daemon", "nats", "ensure.ts")], {
    encoding: "utf8",
  });
  return found.status === 0 ? JSON.parse(found.stdout) : null;
}

/** Whether a server of this machine runs on a platform: same system and processor, and the same C library if it needs one. */
function serves(server, target) {
  return server !== null && programFormat(fs.readFileSync(server.path)) === target.program;
}

async function pack(name, server) {
  const target = TARGETS[name];
  const stage = fs.mkdtempSync(join(tmpdir(), "msgsys-package-"));
  try {
    const hasServer = serves(server, target);
    fs.writeFileSync(join(stage, "package.json"), manifest());
    fs.writeFileSync(join(stage, "THIRD-PARTY-NOTICES.txt"), notices(hasServer));
    copyTo(stage, "README.md", join(ROOT, "extension", "README.md"));
    for (const file of [
      ".vscodeignore",
      "CHANGELOG.md",
      "LICENSE",
      "extension/media",
      "extension/l10n",
    ])
      copyTo(stage, file);
    for (const file of fs.readdirSync(ROOT).filter((entry) => /^package\.nls\b/.test(entry)))
      copyTo(stage, file);
    for (const part of Object.keys(PARTS))
      for (const file of built(part).files) if (!file.endsWith(".map")) copyBundle(stage, file);
    copySqlite(stage, target);
    if (hasServer) {
      copyTo(stage, join("bin", target.server), server.path);
      fs.chmodSync(join(stage, "bin", target.server), 0o755);
    }
    const packagePath = join(OUT, `msg-sys-${name}.vsix`);
    fs.rmSync(packagePath, { force: true });
    await createVSIX({
      cwd: stage,
      packagePath,
      target: name,
      dependencies: false,
      allowMissingRepository: true,
      rewriteRelativeLinks: false,
    });
    return { ...(await checkPackage(packagePath, name)), hasServer };
  } finally {
    fs.rmSync(stage, { recursive: true });
  }
}

/** vsce tells every file of every package; what is wrong it throws. */
async function quietly(work) {
  const { log, info, warn } = console;
  Object.assign(console, { log() {}, info() {}, warn() {} });
  try {
    return await work();
  } finally {
    Object.assign(console, { log, info, warn });
  }
}

const { values } = parseArgs({ options: { target: { type: "string", multiple: true } } });
const wanted = values.target ?? Object.keys(TARGETS);
const unknown = wanted.filter((name) => !(name in TARGETS));
if (unknown.length > 0) {
  say(`there is no platform ${unknown.join(", ")}; there are ${Object.keys(TARGETS).join(", ")}`);
  process.exit(2);
}
const build = spawnSync(process.execPath, [join(ROOT, "build.mjs")], { stdio: ["ignore", 2, 2] });
if (build.status !== 0) process.exit(1);
fs.mkdirSync(OUT, { recursive: true });
const server = ownServer();
for (const name of wanted) {
  const { problems, bytes, serverBytes, files, hasServer } = await quietly(() =>
    pack(name, server),
  );
  const size = (count) => `${(count / 1024 / 1024).toFixed(2)} MB`;
  const extra = hasServer ? `with nats-server (${size(serverBytes)})` : "without nats-server";
  say(`${name}: ${files} files, ${size(bytes)}, ${extra}`);
  for (const problem of problems) say(`${name}: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}
