import type { BrokerState, JournalEntry } from "./broker-state.ts";
import type { Effect } from "./effects.ts";
import type { Fault } from "./faults.ts";

/** Why a task began to run (again). */
export type Cause = "first" | "failed" | "worker lost" | "came back" | "handed back" | "redriven";

export interface Executions {
  readonly starts: number;
  /** Starts by cause; those beyond `first` are executions again. */
  readonly byCause: Readonly<Record<Cause, number>>;
  /** Handlers that ended although their task had been taken from them: their result was discarded. */
  readonly fencedEnds: number;
  readonly handlersInterrupted: number;
}

/**
 * Explains every start by what the journal says came before its claim. A second start of one attempt is that of a task
 * that ran unclaimed, whose message came back.
 */
export function explain(broker: BrokerState, effects: readonly Effect[]): Executions {
  const byCause: Record<Cause, number> = {
    first: 0,
    failed: 0,
    "worker lost": 0,
    "came back": 0,
    "handed back": 0,
    redriven: 0,
  };
  const causes = new Map<string, Cause>();
  for (const [id, entries] of broker.journals) {
    for (const [claim, cause] of causesOf(entries)) causes.set(`${id} ${claim}`, cause);
  }
  let starts = 0;
  let ends = 0;
  const seen = new Set<string>();
  for (const { kind, taskId, generation, attempt } of effects) {
    if (kind === "end") ends++;
    if (kind !== "start") continue;
    starts++;
    const claim = `${taskId} g${generation} a${attempt}`;
    byCause[seen.has(claim) ? "came back" : (causes.get(claim) ?? "first")]++;
    seen.add(claim);
  }
  const completed = [...broker.journals.values()].filter(
    (entries) => entries.at(-1)?.record.s === "completed",
  ).length;
  return {
    starts,
    byCause,
    fencedEnds: ends - completed,
    handlersInterrupted: byCause["worker lost"],
  };
}

function causesOf(entries: readonly JournalEntry[]): [string, Cause][] {
  const found: [string, Cause][] = [];
  let cause: Cause = "first";
  let status = "waiting";
  for (const { record } of entries) {
    if (record.s === "running") found.push([`g${record.g} a${record.a}`, cause]);
    if (record.s === "retrying") cause = "failed";
    if (record.act === "lost") cause = "worker lost";
    if (record.act === "handback") cause = "handed back";
    if (record.s === "waiting" && (status === "dead" || status === "cancelled")) cause = "redriven";
    status = record.s;
  }
  return found;
}

export interface Recovery {
  /** From the fault to the next start anywhere, for faults of the server and the daemon. */
  readonly outageMs: readonly number[];
  /** From the fault to the next start of each task whose handler it interrupted. */
  readonly restartMs: readonly number[];
}

export function recoveries(faults: readonly Fault[], effects: readonly Effect[]): Recovery {
  const starts = effects.filter(({ kind }) => kind === "start");
  const outageMs = faults.flatMap((fault) => {
    if (!fault.kind.endsWith("daemon") && !fault.kind.endsWith("server")) return [];
    const from = fault.atNs + BigInt(fault.frozenMs) * 1_000_000n;
    const next = starts.find(({ ns }) => ns > from + 20_000_000n);
    return next === undefined ? [] : [toMs(next.ns - fault.atNs)];
  });
  return { outageMs, restartMs: restarts(faults, effects) };
}

function restarts(faults: readonly Fault[], effects: readonly Effect[]): number[] {
  const open = new Map<string, bigint>();
  const gaps: number[] = [];
  for (const { kind, taskId, ns } of effects) {
    if (kind !== "start") {
      open.delete(taskId);
      continue;
    }
    const before = open.get(taskId);
    const fault =
      before === undefined ? undefined : faults.find(({ atNs }) => atNs > before && atNs < ns);
    if (fault !== undefined) gaps.push(toMs(ns - fault.atNs));
    open.set(taskId, ns);
  }
  return gaps;
}

function toMs(ns: bigint): number {
  return Math.round(Number(ns) / 1e6);
}

/** `p` of the sorted values; null of none. */
export function quantile(values: readonly number[], p: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? null;
}
