#!/usr/bin/env node
/**
 * Completes package-lock.json after a dependency was added or upgraded: names the optional packages of every platform,
 * which npm leaves out when the registry in use does not offer them and without which `npm ci` refuses the file, and
 * marks what must not be compiled. With `--check` it changes nothing and fails when something is missing.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const FILE = join(dirname(fileURLToPath(import.meta.url)), "..", "package-lock.json");
const SYSTEMS = ["android", "darwin", "freebsd", "linux", "openharmony", "win32"];
const MACHINES = ["arm", "arm64", "ia32", "ppc64", "riscv64", "s390x", "x64"];
/** Ships built for every platform; npm would compile it all the same, because the lock file does not say so. */
const NEVER_COMPILED = "node_modules/better-sqlite3";

/** The lock entry of a platform's package, told by its name, e.g. `@oxlint/binding-linux-x64-musl`. */
function platformEntry(name, version, parent) {
  const words = name.slice(name.indexOf("/") + 1).split("-");
  const os = SYSTEMS.filter((system) => words.includes(system));
  const cpu = MACHINES.filter((machine) => words.includes(machine));
  if (os.length !== 1 || cpu.length !== 1 || !/^\d+\.\d+\.\d+\S*$/.test(version))
    throw new Error(`cannot tell the platform of ${name}@${version}; add it to the lock by hand`);
  const libc = words.some((word) => word.startsWith("musl"))
    ? ["musl"]
    : words.some((word) => word.startsWith("gnu"))
      ? ["glibc"]
      : undefined;
  const { dev, license, engines } = parent;
  return { version, cpu, dev, libc, license, optional: true, os, engines };
}

const before = readFileSync(FILE, "utf8");
const lock = JSON.parse(before);
const added = [];
for (const [path, parent] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const places = [`node_modules/${name}`, `${path}/node_modules/${name}`];
    if (places.some((place) => place in lock.packages)) continue;
    lock.packages[places[0]] = platformEntry(name, version, parent);
    added.push(name);
  }
}
if (lock.packages[NEVER_COMPILED].gypfile !== false) {
  lock.packages[NEVER_COMPILED].gypfile = false;
  added.push(`gypfile of ${NEVER_COMPILED}`);
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en")),
);

if (added.length === 0) {
  process.stderr.write("package-lock.json is complete\n");
} else if (process.argv.includes("--check")) {
  process.stderr.write(`package-lock.json lacks ${added.join(", ")}; run \`npm run lock\`\n`);
  process.exitCode = 1;
} else {
  writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
  process.stderr.write(`package-lock.json: added ${added.join(", ")}\n`);
}
