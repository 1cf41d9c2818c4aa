/**
 * The large CLS benchmark: five increments of 68,000 rows in all into a store of 1.4 million rows.
 * Prints one JSON object on stdout; what it does meanwhile on stderr. The folder and the filled store are kept in
 * `.cache/cls-bench`, so that only the first run takes minutes; each run works on a fresh copy of the store.
 *
 * With `--daemon` the phase runs as a task of a real daemon, and how late the daemon's event loop was meanwhile is told
 * beside the load of the machine.
 *
 * Usage: npm run bench:cls -- [--rows 1400000] [--increments 5] [--increment-rows 68000] [--daemon] [--keep]
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { copyFile, mkdir, rename } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { reportHeader } from "../../daemon/pipelines/cls/columns.ts";
import { addFile, closeFile } from "../../daemon/pipelines/cls/file-store.ts";
import { generateClsRoot } from "../../daemon/pipelines/cls/generate.ts";
import {
  baselineRow,
  GENERATED_COLUMNS,
  reportCells,
} from "../../daemon/pipelines/cls/generate-rows.ts";
import { clsParams } from "../../daemon/pipelines/cls/params.ts";
import { createRowStore, typeRow } from "../../daemon/pipelines/cls/row-store.ts";
import {
  bumpVersion,
  layoutId,
  openClsStore,
  storePathOf,
} from "../../daemon/pipelines/cls/store.ts";
import { runSync } from "../../daemon/pipelines/cls/sync.ts";
import { zeroCounts } from "../../daemon/pipelines/cls/sync-counts.ts";
import type { StatusView } from "../../shared/control.ts";
import { cli } from "../support/cli.ts";
import type { ClsRunResult } from "../support/cls-run.ts";

const SEED = 2025;
const EXCLUDED = "0202";
/** One generated row in twelve has the excluded account. */
const GENERATED_PER_STORED = 12 / 11;

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1400000" },
    increments: { type: "string", default: "5" },
    "increment-rows": { type: "string", default: "68000" },
    daemon: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    child: { type: "boolean", default: false },
    root: { type: "string", default: "" },
    data: { type: "string", default: "" },
  },
});

const say = (text: string): void => void process.stderr.write(`${text}\n`);

if (values.child) await runChild(values.root, values.data);
else
  await runParent(Number(values.rows), Number(values.increments), Number(values["increment-rows"]));

/** The measured process: nothing but the phase. */
async function runChild(root: string, dataDir: string): Promise<void> {
  const result = await runSync(clsParams.parse({ root }), {
    runId: "bench",
    dataDir,
    signal: new AbortController().signal,
    progress: ({ done, what }) => say(`${done} ${what}`),
    log: () => undefined,
  });
  const { rowsIn, rowsNew, rowsUpdated, finalRows, durationMs } = result;
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const peakRssMb = Math.round(maxRSS / 1024);
  // Beside the wall clock, because other work on the machine does not count into these.
  const cpu = { userSeconds: userCPUTime / 1e6, systemSeconds: systemCPUTime / 1e6 };
  const files = result.files?.map(({ status }) => status);
  console.log(
    JSON.stringify({ durationMs, peakRssMb, cpu, rowsIn, rowsNew, rowsUpdated, finalRows, files }),
  );
}

async function runParent(rows: number, increments: number, incrementRows: number): Promise<void> {
  const repository = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
  const cache = join(repository, ".cache", "cls-bench", `${rows}-${increments}-${incrementRows}`);
  const root = join(cache, "root");
  const filled = join(cache, "filled.db");
  const generated = Math.ceil(rows * GENERATED_PER_STORED);
  if (!existsSync(root)) await prepareRoot(root, generated, increments, incrementRows);
  const fillSeconds = existsSync(filled) ? null : await fillStore(filled, root, rows);
  const data = join(cache, "data");
  rmSync(data, { recursive: true, force: true });
  await mkdir(join(data, "cls"), { recursive: true });
  await copyFile(filled, storePathOf(data, root));
  const loadBefore = loadavg()[0];
  const { seconds, measured } = await (values.daemon ? throughDaemon : measure)(root, data);
  const machine = {
    cores: cpus().length,
    model: cpus()[0]?.model,
    loadBefore,
    loadAfter: loadavg()[0],
  };
  console.log(
    JSON.stringify({
      bench: values.daemon ? "cls.sync through the daemon" : "cls.sync",
      storedRows: rows,
      seconds,
      ...measured,
      fillSeconds,
      machine,
      node: process.version,
    }),
  );
  if (!values.keep) rmSync(data, { recursive: true, force: true });
}

async function prepareRoot(
  root: string,
  rows: number,
  increments: number,
  incrementRows: number,
): Promise<void> {
  say("writing the increments …");
  const rowsPerIncrement = Math.round(incrementRows / increments);
  const draft = `${root}.draft`;
  rmSync(draft, { recursive: true, force: true });
  await generateClsRoot(draft, {
    rows,
    withFull: false,
    increments,
    rowsPerIncrement,
    dailyRows: 1000,
    seed: SEED,
  });
  await rename(draft, root);
}

/** What applying the full file does, without writing and reading that file. Seconds. */
async function fillStore(filled: string, root: string, rows: number): Promise<number> {
  say(`filling a store with ${rows} rows …`);
  const began = performance.now();
  const draft = `${filled}.draft`;
  rmSync(draft, { recursive: true, force: true });
  const store = openClsStore(draft, root);
  const at = new Date(0).toISOString();
  store.db
    .transaction(() => {
      const file = { name: "generated", kind: "full", day: "11-08", sha256: "generated" } as const;
      const id = addFile(store, file, "fill", new Date().toISOString());
      const layout = layoutId(store, GENERATED_COLUMNS);
      const header = reportHeader(GENERATED_COLUMNS);
      const into = createRowStore(store);
      let stored = 0;
      for (let index = 0; stored < rows; index += 1) {
        const row = baselineRow(SEED, index);
        if (row.account === EXCLUDED) continue;
        into.insert(typeRow(header, reportCells(row)), { file: id, row: index + 2, layout });
        stored += 1;
      }
      closeFile(store, id, { ...zeroCounts(), rowsIn: rows, rowsNew: rows }, [], at);
      bumpVersion(store);
    })
    .immediate();
  store.db.pragma("wal_checkpoint(TRUNCATE)");
  store.close();
  await rename(storePathOf(draft, root), filled);
  rmSync(draft, { recursive: true, force: true });
  return Math.round((performance.now() - began) / 100) / 10;
}

interface Measured {
  readonly seconds: number;
  readonly measured: Readonly<Record<string, unknown>>;
}

/** Runs the phase by the command line on a daemon of its own with default settings, which is up before the clock starts. */
async function throughDaemon(root: string, dataDir: string): Promise<Measured> {
  const ask = async (...words: string[]): Promise<string> => {
    const { code, out, err } = await cli(["--data", dataDir, ...words]);
    if (code !== 0) throw new Error(`msgsys ${words[0]} ended with ${code}: ${err}`);
    return out;
  };
  const status = async (): Promise<StatusView> =>
    JSON.parse(await ask("status", "--json")) as StatusView;
  await ask("up", "--detach");
  try {
    const { eventLoopDelayMs: beforeTheRun } = (await status()).daemon;
    const began = performance.now();
    const words = ["run", "cls_all", "--root", root, "--phase", "sync", "--wait", "--json"];
    const { phases } = JSON.parse(await ask(...words)) as ClsRunResult;
    const seconds = Math.round((performance.now() - began) / 10) / 100;
    const { durationMs, rowsIn, rowsNew, rowsUpdated, finalRows, files } = phases.sync;
    const { daemon, workers } = await status();
    const worker = workers.find(({ pool }) => pool === "slow");
    return {
      seconds,
      measured: {
        ...{ durationMs, rowsIn, rowsNew, rowsUpdated, finalRows },
        files: files?.map(({ status: of }) => of),
        eventLoopDelayMs: { ...daemon.eventLoopDelayMs, beforeTheRun },
        daemonMb: daemon.memoryMb,
        workerPeakMb: worker === undefined ? null : peakMb(worker.pid),
      },
    };
  } finally {
    await ask("down");
  }
}

/** The largest resident set that a living process had, MB; null where the system does not tell. */
function peakMb(pid: number): number | null {
  try {
    const kib = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kib === undefined ? null : Math.round(Number(kib) / 1024);
  } catch {
    // Ignored: only Linux has this file.
    return null;
  }
}

/** Runs the child; wall-clock seconds include the start of its process. */
async function measure(root: string, data: string): Promise<Measured> {
  const began = performance.now();
  const script = fileURLToPath(import.meta.url);
  const child = spawn(process.execPath, [script, "--child", "--root", root, "--data", data], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (code !== 0) throw new Error(`the measured process ended with ${code}`);
  const seconds = Math.round((performance.now() - began) / 10) / 100;
  return { seconds, measured: JSON.parse(printed) as Record<string, unknown> };
}
