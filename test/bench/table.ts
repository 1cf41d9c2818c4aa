import { CASES, type CaseName, type CaseResult, sizesOf } from "./cases.ts";
import { quantile } from "./measure.ts";
import type { CaseReport } from "./run-case.ts";
import type { SystemName } from "./system.ts";
import type { Sizes } from "./workloads.ts";

/** Median over the rounds with the least and the greatest. */
export interface Summary {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
  readonly rounds: number;
}

interface Row {
  readonly label: string;
  readonly metric: string;
  readonly unit: string;
  /** Divided by that of raw; else only shown beside it. */
  readonly ratio?: boolean;
}

const thousands = (n: number): string => (n < 1000 ? String(n) : `${n / 1000}k`);

function rowsOf(name: CaseName, sizes: Sizes): Row[] {
  switch (name) {
    case "throughput":
    case "strict":
      return throughputRows(sizes);
    case "latency":
      return [
        ...spreadRows("enqueue to handler start", "start", true),
        ...spreadRows("enqueue call", "call", true),
      ];
    case "priority":
      return [
        ...spreadRows(`Critical start, ${thousands(sizes.backlog)} low waiting`, "critical"),
        { label: "low tasks beside them (5 ms, 10 slots)", metric: "background", unit: "/s" },
        { label: "still waiting at the end", metric: "left", unit: "" },
        ...memoryRows(sizes),
      ];
    case "express":
      return spreadRows("Critical start, 10 slots busy with 100 ms tasks", "critical");
    case "escalation":
      return sizes.waiting.flatMap((n, step) => [
        ...spreadRows(`newest to Critical, ${thousands(n)} waiting`, `newest.${step}`, true),
        ...spreadRows(`any task to any level, ${thousands(n)} waiting`, `any.${step}`, true),
      ]);
    case "crash":
      return [
        { label: "tasks that ran at the kill", metric: "interrupted", unit: "" },
        { label: "… of them not run again", metric: "notRunAgain", unit: "" },
        { label: "new worker process connected after", metric: "workerBackMs", unit: "ms" },
        { label: "interrupted tasks run again after, p50", metric: "again.p50", unit: "ms" },
        { label: "interrupted tasks run again after, last", metric: "again.max", unit: "ms" },
        { label: "all tasks ended after", metric: "allEndedMs", unit: "ms" },
        { label: "handlers that ended twice for a task", metric: "ranTwice", unit: "" },
      ];
  }
}

function throughputRows({ oneByOne, tasks }: Sizes): Row[] {
  const rate = (label: string, metric: string): Row => ({ label, metric, unit: "/s", ratio: true });
  const cpu = (label: string, metric: string): Row[] =>
    ["all", "client", "daemon", "nats", "worker"].map((role) => ({
      label: `CPU per task, ${label}, ${role}`,
      metric: `${metric}.cpu.${role}`,
      unit: "µs",
      ratio: role === "all",
    }));
  return [
    rate(`enqueue one by one, ${thousands(oneByOne)}`, "enqueue.one"),
    rate(`enqueue, 100 in flight, ${thousands(tasks)}`, "enqueue.single"),
    rate(`enqueue in bulk of 1,000, ${thousands(tasks)}`, "enqueue.bulk"),
    rate("drain of the backlog until the audit is complete", "drain"),
    rate("end to end, bulk", "whole.bulk"),
    rate("end to end, 100 in flight", "whole.single"),
    ...cpu("100 in flight", "enqueue.single"),
    ...cpu("bulk", "enqueue.bulk"),
    ...cpu("drain", "drain"),
  ];
}

function spreadRows(label: string, metric: string, ratio = false): Row[] {
  return ["p50", "p99"].map((q) => ({
    label: `${label}, ${q}`,
    metric: `${metric}.${q}`,
    unit: "ms",
    ratio,
  }));
}

function memoryRows({ backlog }: Sizes): Row[] {
  const n = thousands(backlog);
  const times: Readonly<Record<string, string>> = {
    idle: "idle",
    filled: `right after ${n} were enqueued`,
    waiting: `${n} waiting`,
  };
  return ["daemon", "nats", "worker"].flatMap((role) =>
    Object.entries(times).flatMap(([when, words]) =>
      ["rss", "pss"].map((kind) => ({
        label: `${role}, ${kind.toUpperCase()}, ${role === "worker" && when === "waiting" ? `working off ${n}` : words}`,
        metric: `memory.${when}.${role}.${kind}`,
        unit: "MiB",
      })),
    ),
  );
}

/** The rounds of one number; null when no round has it. */
export function summarize(values: readonly (number | null | undefined)[]): Summary | null {
  const known = values.filter((value) => typeof value === "number");
  const median = quantile(known, 0.5);
  if (median === null) return null;
  return {
    median,
    least: Math.min(...known),
    greatest: Math.max(...known),
    rounds: known.length,
  };
}

/** Every number of every case over the rounds: case, metric, system. */
export type Summaries = Partial<
  Record<CaseName, Record<string, Partial<Record<SystemName, Summary>>>>
>;

export function summarizeAll(reports: readonly CaseReport[]): Summaries {
  const all: Summaries = {};
  for (const { case: name, system, result } of reports) {
    if (result === null) continue;
    all[name] ??= {};
    const metrics = all[name];
    for (const metric of Object.keys(result.metrics)) {
      metrics[metric] ??= {};
      const summary = summarize(
        reports
          .filter((other) => other.case === name && other.system === system)
          .map((other) => other.result?.metrics[metric]),
      );
      if (summary !== null) metrics[metric][system] = summary;
    }
  }
  return all;
}

const COLUMNS = [58, 26, 26, 8] as const;

/** The table for people: the median, and the range when there was more than one round. */
export function toTable(reports: readonly CaseReport[], quick: boolean): string {
  const summaries = summarizeAll(reports);
  const lines: string[] = [];
  for (const name of Object.keys(CASES) as CaseName[]) {
    const ours = reports.filter((report) => report.case === name);
    if (ours.length === 0) continue;
    lines.push("", line([CASES[name].title, "msg_sys", "raw JetStream", "× raw"]));
    for (const row of rowsOf(name, sizesOf(name, quick))) {
      const { msgsys, raw } = summaries[name]?.[row.metric] ?? {};
      if (msgsys === undefined && raw === undefined) continue;
      const ratio =
        row.ratio === true && msgsys !== undefined && raw !== undefined && raw.median > 0
          ? (msgsys.median / raw.median).toFixed(2)
          : "";
      lines.push(line([`  ${row.label}`, cell(msgsys, row.unit), cell(raw, row.unit), ratio]));
    }
    lines.push(...footer(ours));
  }
  return `${lines.join("\n")}\n`;
}

/** Load of the machine around each part, what failed, and what must be 0. */
function footer(reports: readonly CaseReport[]): string[] {
  const loads = reports.map(
    (r) => `${r.system} ${r.loadBefore} → ${r.loadAfter} (${r.seconds.toFixed(0)} s)`,
  );
  const sum = (of: (result: CaseResult) => number | null): number =>
    reports.reduce((n, { result }) => n + ((result && of(result)) ?? 0), 0);
  const failed = reports.flatMap(({ system, round, error }) =>
    error === null ? [] : [`  FAILED  ${system}, round ${round}: ${error}`],
  );
  return [
    `  lost ${sum((r) => r.lost)}, completed twice ${sum((r) => r.completedTwice)}; load ${loads.join(", ")}`,
    ...failed,
  ];
}

function cell(summary: Summary | undefined, unit: string): string {
  if (summary === undefined) return "–";
  const { median, least, greatest, rounds } = summary;
  const range = rounds > 1 ? ` (${digits(least)}–${digits(greatest)})` : "";
  return `${digits(median)}${unit === "" || unit === "/s" ? unit : ` ${unit}`}${range}`;
}

function digits(n: number): string {
  if (Math.abs(n) >= 100 || Number.isInteger(n))
    return Math.round(n).toLocaleString("en-US", { useGrouping: true });
  return n.toFixed(Math.abs(n) >= 10 ? 1 : 2);
}

function line(cells: readonly string[]): string {
  return cells
    .map((text, at) => (at === 0 ? text.padEnd(COLUMNS[0]) : text.padStart(COLUMNS[at] ?? 0)))
    .join(" ")
    .trimEnd();
}
