import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { defaultCacheDir, locateNatsServer } from "../../daemon/nats/locate.ts";
import { CASES, type Case, type CaseName, sizesOf } from "./cases.ts";
import { type DiskSync, describeMachine, measureDiskSync } from "./measure.ts";
import { type CaseReport, runCase } from "./run-case.ts";
import { summarizeAll, toTable } from "./table.ts";

/**
 * `npm run bench -- [--quick] [--rounds 3] [--only throughput,latency] [--out file.json]`: the product with its default
 * settings and the broker alone, in turns. A table on stderr, one JSON document on stdout. Times are measured and never
 * judged: exit code 1 says that a task was lost or completed twice, 2 that a case could not be measured.
 */
const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    only: { type: "string" },
    out: { type: "string" },
  },
});
const { quick } = values;
const rounds = wholeNumber(values.rounds ?? (quick ? "1" : "3"));
const names = chosenCases(values.only);

const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.on(name, () => interrupted.abort(new Error(name)));

const machine = { ...describeMachine(), ...(await natsServer()), diskSync: diskSync() };
say(`${JSON.stringify(machine)}, load ${loadavg()[0]}`);
const reports = await runAll();
const document = {
  bench: "msg_sys",
  at: new Date().toISOString(),
  quick,
  rounds,
  machine: { ...machine, diskSyncAfter: diskSync() },
  sizes: Object.fromEntries(names.map((name) => [name, sizesOf(name, quick)])),
  summary: summarizeAll(reports),
  cases: reports,
};
process.stderr.write(toTable(reports, quick));
const text = `${JSON.stringify(document, null, 2)}\n`;
if (values.out !== undefined) writeFileSync(values.out, text);
process.stdout.write(text, () => process.exit(exitCode()));

async function runAll(): Promise<CaseReport[]> {
  const all: CaseReport[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const name of names) {
      const { systems }: Case = CASES[name];
      // Neither always follows the other: what one leaves behind (caches, a busy disk) meets both.
      for (const system of round % 2 === 1 ? systems : systems.toReversed()) {
        if (interrupted.signal.aborted) return all;
        say(`round ${round} of ${rounds}: ${name}, ${system}, load ${loadavg()[0]}`);
        const report = await runCase(name, system, { round, quick, signal: interrupted.signal });
        if (report.error !== null) say(`  ${report.error}`);
        all.push(report);
      }
    }
  }
  return all;
}

function exitCode(): number {
  if (interrupted.signal.aborted) return 130;
  const bad = reports.some(
    ({ result }) => (result?.lost ?? 0) > 0 || (result?.completedTwice ?? 0) > 0,
  );
  if (bad) return 1;
  return reports.some(({ error }) => error !== null) ? 2 : 0;
}

function chosenCases(only: string | undefined): CaseName[] {
  const all = Object.keys(CASES) as CaseName[];
  if (only === undefined) return all;
  const wanted = only.split(",");
  const unknown = wanted.filter((name) => !all.some((known) => known === name));
  if (unknown.length > 0)
    throw new TypeError(`--only takes ${all.join(", ")}; not ${unknown.join(", ")}`);
  return all.filter((name) => wanted.includes(name));
}

function wholeNumber(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1) throw new TypeError("--rounds takes a whole number from 1");
  return n;
}

async function natsServer(): Promise<{ natsServer: string }> {
  const { version } = await locateNatsServer({
    cacheDir: await defaultCacheDir(),
    allowDownload: true,
    log: () => {},
  });
  return { natsServer: version };
}

function diskSync(): DiskSync {
  const dir = mkdtempSync(join(tmpdir(), "msgsys-bench-"));
  try {
    return measureDiskSync(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
