import { parseCrashOptions } from "./options.ts";
import { toText } from "./report.ts";
import { runCrash } from "./run-crash.ts";

/**
 * `npm run crash -- --seed 1 --tasks 10000 --seconds 120 --kills 40`: the real system under random kills and freezes. Prints
 * the report for people and, as its last line, as JSON. Exit code 1 when any rule is broken.
 */
const options = parseCrashOptions(process.argv.slice(2));
const began = performance.now();
const log = (text: string): void => {
  process.stderr.write(`${((performance.now() - began) / 1000).toFixed(1).padStart(7)} ${text}\n`);
};
log(`seed ${options.seed}`);
const report = await runCrash(options, log);
for (const [rule, { count, first }] of Object.entries(report.broken))
  if (count > 0) log(`${rule} (${count}):\n    ${first.join("\n    ")}`);
process.stdout.write(`${toText(report)}\n${JSON.stringify(report)}\n`);
process.exit(report.ok ? 0 : 1);
