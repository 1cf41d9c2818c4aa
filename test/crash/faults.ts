import type { Chance } from "./random.ts";
import { type CrashSystem, type Part, pause } from "./system.ts";

export type FaultKind =
  | "kill-worker"
  | "kill-outside"
  | "kill-daemon"
  | "kill-server"
  | "freeze-worker"
  | "freeze-outside"
  | "freeze-daemon"
  | "freeze-server";

/** A fault that happened. Instants are monotonic ns. */
export interface Fault {
  readonly kind: FaultKind;
  readonly pid: number;
  readonly atNs: bigint;
  /** Length of a freeze; 0 for a kill. */
  readonly frozenMs: number;
}

export interface FaultDeps {
  readonly system: CrashSystem;
  readonly chance: Chance;
  log(text: string): void;
}

const WEIGHTS: Readonly<Record<FaultKind, number>> = {
  "kill-worker": 30,
  "kill-outside": 8,
  "kill-daemon": 12,
  "kill-server": 14,
  "freeze-worker": 16,
  "freeze-outside": 6,
  "freeze-daemon": 7,
  "freeze-server": 7,
};
/** Two parts at once now and then: faults do not wait for each other. */
const DOUBLE = 0.2;
/** Above this a supervisor gives a child up, which is another rule than the one under test. */
const KILLS_PER_MINUTE = 8;

/** Makes `kills` faults spread over `seconds` and answers those that happened, in order. */
export async function makeFaults(
  deps: FaultDeps,
  kills: number,
  seconds: number,
): Promise<Fault[]> {
  const { chance } = deps;
  const faults: Fault[] = [];
  const began = performance.now();
  const everyMs = (seconds * 1000) / Math.max(1, kills);
  const open: Promise<void>[] = [];
  while (faults.length < kills && performance.now() - began < seconds * 1000 * 1.5) {
    const dueMs = began + (faults.length + 0.5) * everyMs + (chance.next() - 0.5) * everyMs;
    await pause(Math.max(50, dueMs - performance.now()));
    const parts = chance.next() < DOUBLE && faults.length + 1 < kills ? 2 : 1;
    for (let i = 0; i < parts; i++) {
      const kind = chance.weighted(WEIGHTS);
      const fault = strike(deps, kind, faults);
      if (fault !== null) {
        faults.push(fault.fault);
        open.push(fault.over);
      }
    }
  }
  await Promise.all(open);
  return faults;
}

/** One fault of a kind now; null when no such process lives, or when it was killed too often lately. */
export function strike(
  deps: FaultDeps,
  kind: FaultKind,
  before: readonly Fault[],
  pid?: number,
): { fault: Fault; over: Promise<void> } | null {
  const { system, chance, log } = deps;
  const [how, part] = kind.split("-") as ["kill" | "freeze", Part];
  const victim = pid ?? pickOr(chance, system.pids(part));
  if (victim === null || (how === "kill" && isOften(kind, before))) return null;
  const frozenMs =
    how === "kill" ? 0 : chance.next() < 0.5 ? chance.whole(50, 700) : chance.whole(1800, 3500);
  const fault: Fault = { kind, pid: victim, atNs: process.hrtime.bigint(), frozenMs };
  log(`${kind} ${victim}${frozenMs > 0 ? ` for ${frozenMs} ms` : ""}`);
  if (kind === "kill-daemon") {
    system.killDaemon(chance.whole(0, 1500));
    return { fault, over: Promise.resolve() };
  }
  if (how === "kill") {
    signal(victim, "SIGKILL");
    return { fault, over: Promise.resolve() };
  }
  signal(victim, "SIGSTOP");
  return { fault, over: pause(frozenMs).then(() => signal(victim, "SIGCONT")) };
}

function pickOr(chance: Chance, pids: readonly number[]): number | null {
  return pids.length === 0 ? null : chance.pick(pids);
}

function isOften(kind: FaultKind, before: readonly Fault[]): boolean {
  const since = process.hrtime.bigint() - 60_000_000_000n;
  const limit = kind === "kill-worker" ? 2 * KILLS_PER_MINUTE : KILLS_PER_MINUTE;
  return before.filter((fault) => fault.kind === kind && fault.atNs > since).length >= limit;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Ignored: it ended meanwhile, which is a fault as good as any.
  }
}
