import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunView } from "../../shared/control.ts";
import { spawnCli } from "../support/cli.ts";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { until } from "../support/until.ts";
import { type ClsEvidence, differences, judgeChain, readClsEvidence } from "./cls-evidence.ts";
import { type Chance, createChance } from "./random.ts";
import { pause } from "./system.ts";

export interface ClsCrashOptions {
  readonly root: string;
  /** Runs that are disturbed, each in a data directory of its own. */
  readonly kills: number;
  readonly seed: number;
  /** Longest wait for a disturbed run to end after its last kill. */
  readonly recoverySeconds: number;
}

/** One SIGKILL. */
export interface ClsKill {
  readonly part: "worker" | "daemon";
  /** Milliseconds after the run was known. */
  readonly atMs: number;
  /** Which phase had a task that had not ended, and how it stood. */
  readonly during: string;
}

export interface ClsCrashRun {
  readonly n: number;
  readonly kills: readonly ClsKill[];
  readonly status: string;
  /** From the last kill to the end of the run. */
  readonly recoveredMs: number;
  /** How the command line that waited for the run ended; null when it had to be ended. */
  readonly waitingExit: number | null;
  /** What differs from the undisturbed run, and broken rules of the chain. */
  readonly broken: readonly string[];
}

export interface ClsCrashReport {
  readonly seed: number;
  readonly undisturbedMs: number;
  readonly runs: readonly ClsCrashRun[];
  readonly kills: { readonly worker: number; readonly daemon: number };
  readonly during: Readonly<Record<string, number>>;
  /** Runs that differ in any way. */
  readonly broken: number;
  readonly ok: boolean;
}

/** A second kill in so many of the runs. */
const TWICE = 0.3;
/** Late enough for the new worker or daemon to have begun again, within the run or not. */
const SECOND_WITHIN_MS = 1500;
const CLI_AFTER_RUN_MS = 15_000;
const RUN_LIMIT_MS = 120_000;
/** A kill that is aimed at a phase may come this much later than the phase takes. */
const AFTER_PHASE = 1.3;

/** Runs CLS undisturbed, then again and again with SIGKILLs, and compares what each leaves behind with the first. */
export async function runClsCrash(
  options: ClsCrashOptions,
  log: (text: string) => void,
): Promise<ClsCrashReport> {
  const work = mkdtempSync(join(tmpdir(), "msgsys-cls-crash-"));
  const chance = createChance(options.seed, "cls");
  try {
    const reference = await undisturbed(options.root, join(work, "reference"));
    log(`undisturbed: ${Math.round(reference.ms)} ms`);
    const runs: ClsCrashRun[] = [];
    for (let n = 1; n <= options.kills; n += 1) {
      const place = join(work, `run-${n}`);
      const run = await disturbed(options, { n, place, chance, reference });
      rmSync(place, { recursive: true, force: true });
      const kills = run.kills.map(({ part, atMs, during }) => `${part} at ${atMs} ms (${during})`);
      log(`${n}: ${kills.join(", ")}: ${run.status}, ${run.broken.join("; ") || "the same"}`);
      runs.push(run);
    }
    return toReport(options, reference.ms, runs);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Daemons that run now. */
const living = new Set<TestDaemon>();

/** For whoever is interrupted: no daemon stays behind, and its server and workers go with it. */
export function killDaemons(): void {
  for (const { child } of living) child.kill("SIGKILL");
}

async function upOn(dataDir: string): Promise<TestDaemon> {
  const daemon = await startDaemon({ dataDir });
  living.add(daemon);
  daemon.child.once("exit", () => living.delete(daemon));
  return daemon;
}

interface Reference {
  readonly evidence: ClsEvidence;
  readonly ms: number;
  readonly phaseMs: Readonly<Record<string, number>>;
}

async function undisturbed(root: string, place: string): Promise<Reference> {
  const out = join(place, "out");
  const daemon = await upOn(join(place, "data"));
  try {
    const waiting = startRun(daemon.dataDir, "undisturbed", root, out);
    const code = await waiting.ended;
    if (code !== 0) throw new Error(`the undisturbed run ended with ${code}: ${waiting.errors()}`);
    const { phases } = JSON.parse(waiting.printed()) as {
      phases: Record<string, { durationMs: number }>;
    };
    const { createdAt, endedAt } = await daemon.client.getRun("undisturbed");
    const ms = Date.parse(endedAt ?? "") - Date.parse(createdAt);
    const broken = await judgeChain(daemon.dataDir, "undisturbed");
    if (broken.length > 0) throw new Error(`the undisturbed run: ${broken.join("; ")}`);
    const evidence = await readClsEvidence(daemon.dataDir, root, out, phases);
    const times = Object.entries(phases).map(([phase, { durationMs }]) => [phase, durationMs]);
    return { evidence, ms, phaseMs: Object.fromEntries(times) as Record<string, number> };
  } finally {
    await daemon.close();
  }
}

interface Disturbance {
  readonly n: number;
  readonly place: string;
  readonly chance: Chance;
  readonly reference: Reference;
}

async function disturbed(
  { root, recoverySeconds }: ClsCrashOptions,
  { n, place, chance, reference }: Disturbance,
): Promise<ClsCrashRun> {
  const runId = `killed-${n}`;
  const out = join(place, "out");
  let daemon = await upOn(join(place, "data"));
  const waiting = startRun(daemon.dataDir, runId, root, out);
  try {
    await until(() => daemon.client.getRun(runId).catch(() => null), Boolean, 30_000);
    const began = performance.now();
    const kills: ClsKill[] = [];
    const count = chance.next() < TWICE ? 2 : 1;
    for (let kill = 0; kill < count; kill += 1) {
      if (kill === 0) await firstMoment(daemon, runId, chance, reference);
      else await pause(chance.next() * SECOND_WITHIN_MS);
      const during = phaseOf(await daemon.client.getRun(runId));
      const atMs = Math.round(performance.now() - began);
      const part = chance.pick(["worker", "daemon"] as const);
      if (part === "worker") await killWorker(daemon);
      else {
        await daemon.kill();
        daemon = await upOn(daemon.dataDir);
      }
      kills.push({ part, atMs, during });
    }
    const killedAt = performance.now();
    const run = await endOf(daemon, runId, recoverySeconds);
    const recoveredMs = Math.round(performance.now() - killedAt);
    const waitingExit = await Promise.race([
      waiting.ended,
      pause(CLI_AFTER_RUN_MS).then(() => null),
    ]);
    const broken = await brokenRules(daemon, run, { root, out, reference });
    return { n, kills, status: run.status, recoveredMs, waitingExit, broken };
  } finally {
    waiting.kill();
    await daemon.close();
  }
}

/**
 * A random moment of the run: every second time counted from its start, else in or right after a phase, because the
 * short phases would hardly ever be hit.
 */
async function firstMoment(
  { client }: TestDaemon,
  runId: string,
  chance: Chance,
  { ms, phaseMs }: Reference,
): Promise<void> {
  if (chance.next() < 0.5) return pause(chance.next() * ms);
  const aim = chance.pick(Object.keys(phaseMs));
  await until(
    () => client.getRun(runId),
    ({ status, phases }) =>
      status !== "running" ||
      phases.some(({ phase, startedAt }) => phase === aim && startedAt !== null),
    RUN_LIMIT_MS,
  );
  await pause(chance.next() * AFTER_PHASE * (phaseMs[aim] ?? 0));
}

async function brokenRules(
  { dataDir }: TestDaemon,
  run: RunView,
  { root, out, reference }: { root: string; out: string; reference: Reference },
): Promise<string[]> {
  if (run.status !== "completed") {
    const stuck = run.phases.map(({ phase, status, error }) => `${phase} ${status} ${error ?? ""}`);
    return [`it is ${run.status}: ${stuck.join(", ")}`];
  }
  const phases = Object.fromEntries(run.phases.map(({ phase, result }) => [phase, result]));
  const found = await readClsEvidence(dataDir, root, out, phases);
  return [...differences(reference.evidence, found), ...(await judgeChain(dataDir, run.id))];
}

/** The run when it has ended, or as it stands when it does not. */
async function endOf(daemon: TestDaemon, runId: string, seconds: number): Promise<RunView> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const run = await daemon.client.getRun(runId);
    if (run.status !== "running" || performance.now() > deadline) return run;
    await pause(20);
  }
}

function phaseOf({ status, phases }: RunView): string {
  const open = phases.find((phase) => phase.status !== "completed");
  if (status !== "running" || open === undefined) return "after the run";
  return `${open.phase} ${open.status}`;
}

/** Kills the process of the pool that serves the pipeline; it is waited for while it starts again after a kill. */
async function killWorker({ client }: TestDaemon): Promise<void> {
  await until(
    async () => {
      const { workers } = await client.status();
      const worker = workers.find(({ pool, state }) => pool === "slow" && state === "ready");
      return worker !== undefined && kill(worker.pid);
    },
    Boolean,
    30_000,
  );
}

/** False when the process is gone already: the daemon has not noticed yet. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

interface WaitingCli {
  readonly ended: Promise<number | null>;
  printed(): string;
  errors(): string;
  kill(): void;
}

/** The command that starts the run and waits for it, as a process of its own. */
function startRun(dataDir: string, runId: string, root: string, out: string): WaitingCli {
  const words = ["run", "cls_all", "--root", root, "--out", out, "--run-id", runId];
  const child = spawnCli(["--data", dataDir, "--no-start", ...words, "--wait", "--json"]);
  let printed = "";
  let errors = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  return {
    ended: new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    }),
    printed: () => printed,
    errors: () => errors,
    kill: () => void child.kill("SIGKILL"),
  };
}

function toReport(
  { seed }: ClsCrashOptions,
  undisturbedMs: number,
  runs: readonly ClsCrashRun[],
): ClsCrashReport {
  const all = runs.flatMap(({ kills }) => kills);
  const during: Record<string, number> = {};
  for (const kill of all) during[kill.during] = (during[kill.during] ?? 0) + 1;
  const broken = runs.filter((run) => run.broken.length > 0).length;
  const of = (part: ClsKill["part"]): number => all.filter((kill) => kill.part === part).length;
  return {
    seed,
    undisturbedMs: Math.round(undisturbedMs),
    runs,
    kills: { worker: of("worker"), daemon: of("daemon") },
    during,
    broken,
    ok: broken === 0,
  };
}
