import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { generateClsRoot } from "../../daemon/pipelines/cls/generate.ts";
import { killDaemons, runClsCrash } from "./cls-crash.ts";

/**
 * `npm run crash:cls -- [--root folder] [--kills 20] [--seed 1]`: CLS_ALL on the folder (or one that is made for it) in one
 * data directory after the other, each time with its worker or the daemon killed at a random moment. Prints what was found as
 * JSON. Exit code 1 when any of these runs left something else behind than the undisturbed one.
 */
const { values } = parseArgs({
  options: {
    root: { type: "string" },
    kills: { type: "string", default: "20" },
    seed: { type: "string" },
    recovery: { type: "string", default: "120" },
  },
});
const whole = (name: string, text: string): number => {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 0) throw new TypeError(`--${name} takes a whole number`);
  return n;
};
const kills = whole("kills", values.kills);
const recoverySeconds = whole("recovery", values.recovery);
const seed = whole("seed", values.seed ?? String(Math.floor(Math.random() * 1_000_000)));
const began = performance.now();
const log = (text: string): void => {
  process.stderr.write(`${((performance.now() - began) / 1000).toFixed(1).padStart(7)} ${text}\n`);
};
log(`seed ${seed}`);
const interrupted = (): void => {
  killDaemons();
  process.exit(130);
};
process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
const made = values.root === undefined ? mkdtempSync(join(tmpdir(), "msgsys-cls-root-")) : null;
try {
  if (made !== null) {
    await generateClsRoot(made, {
      rows: 20_000,
      increments: 4,
      rowsPerIncrement: 1500,
      dailyRows: 2000,
      withBroken: true,
    });
  }
  const report = await runClsCrash(
    { root: made ?? resolve(values.root ?? ""), kills, seed, recoverySeconds },
    log,
  );
  console.log(JSON.stringify(report, null, 2));
  process.exitCode = report.ok ? 0 : 1;
} finally {
  if (made !== null) rmSync(made, { recursive: true, force: true });
}
