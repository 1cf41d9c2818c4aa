#!/usr/bin/env node
/** Tells how large the bundles of the extension are, gzipped, and fails above their limits. Needs `npm run build`. */
import * as fs from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { DIST, ROOT } from "./bundle.mjs";
import { LIMITS } from "./package-check.mjs";

const kilo = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;

for (const [file, limit] of Object.entries(LIMITS).filter(([name]) => name !== "package")) {
  const bytes = gzipSync(fs.readFileSync(join(ROOT, file)), { level: 9 }).length;
  process.stdout.write(`${file} ${kilo(bytes)} gzipped, ${kilo(limit)} at most\n`);
  if (bytes > limit) process.exitCode = 1;
}
const packages = join(DIST, "vsix");
for (const name of fs.existsSync(packages) ? fs.readdirSync(packages).sort() : [])
  process.stdout.write(`${name} ${kilo(fs.statSync(join(packages, name)).size)}\n`);
