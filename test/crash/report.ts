import type { AuditState } from "./audit-rows.ts";
import type { BrokerState } from "./broker-state.ts";
import type { Effect } from "./effects.ts";
import { type Executions, explain, quantile, recoveries } from "./executions.ts";
import type { Fault } from "./faults.ts";
import type { Ledger } from "./ledger.ts";
import type { CrashOptions } from "./options.ts";
import type { OrderStage } from "./order.ts";
import { CONCURRENCY } from "./system.ts";
import type { Broken } from "./verdict.ts";

/** The outcome of a run, as the last line of the output has it in JSON. */
export interface CrashReport {
  readonly seed: number;
  readonly tasks: number;
  readonly accepted: number;
  readonly lost: number;
  readonly completedTwice: number;
  readonly outOfOrder: number;
  /** Every broken rule with its number of cases and the first of them. */
  readonly broken: Readonly<Record<string, { readonly count: number; readonly first: string[] }>>;
  readonly ended: Readonly<Record<string, number>>;
  readonly executions: Executions & {
    /** Executions again because a worker was lost; at most faults × concurrency can be. */
    readonly again: number;
    readonly againAtMost: number;
  };
  readonly faults: Readonly<Record<string, number>>;
  readonly recovery: Readonly<Record<"outage" | "restart", Spread>> & {
    readonly settledMs: number | null;
  };
  readonly acts: Readonly<Record<string, number>>;
  readonly refusals: Readonly<Record<string, number>>;
  /** Sendings whose outcome a client never learnt. */
  readonly unknownOutcomes: number;
  readonly order: readonly OrderStage[];
  readonly auditRows: number;
  readonly tookMs: number;
  readonly ok: boolean;
}

export interface Spread {
  readonly n: number;
  readonly p50Ms: number | null;
  readonly maxMs: number | null;
}

export interface ReportParts {
  readonly options: CrashOptions;
  readonly ledger: Ledger;
  readonly broker: BrokerState;
  readonly audit: AuditState;
  readonly effects: readonly Effect[];
  readonly broken: Broken;
  readonly faults: readonly Fault[];
  readonly stages: readonly OrderStage[];
  readonly settledMs: number | null;
  readonly tookMs: number;
}

const SHOWN = 5;

export function toReport(parts: ReportParts): CrashReport {
  const { ledger, broker, broken, faults, effects } = parts;
  const intents = [...ledger.intents.values()];
  const executions = explain(broker, effects);
  const { byCause } = executions;
  const again = byCause["worker lost"] + byCause["came back"] + byCause["handed back"];
  const againAtMost = faults.length * CONCURRENCY;
  const outOfOrder = parts.stages.reduce((n, stage) => n + stage.outOfOrder, 0);
  const ended: Record<string, number> = {};
  for (const entries of broker.journals.values()) add(ended, entries.at(-1)?.record.s ?? "none");
  const { outageMs, restartMs } = recoveries(faults, effects);
  const byKind: Record<string, number> = {};
  for (const { kind } of faults) add(byKind, kind);
  const cases = Object.values(broken).reduce((n, list) => n + list.length, 0);
  return {
    seed: parts.options.seed,
    tasks: intents.length,
    accepted: intents.filter(({ acceptedNs }) => acceptedNs !== null).length,
    lost: broken.lost.length,
    completedTwice: broken.completedTwice.length,
    outOfOrder,
    broken: Object.fromEntries(
      Object.entries(broken as unknown as Record<string, string[]>).map(([rule, list]) => [
        rule,
        { count: list.length, first: list.slice(0, SHOWN) },
      ]),
    ),
    ended,
    executions: { ...executions, again, againAtMost },
    faults: byKind,
    recovery: {
      outage: spread(outageMs),
      restart: spread(restartMs),
      settledMs: parts.settledMs,
    },
    acts: Object.fromEntries(ledger.acts),
    refusals: Object.fromEntries(ledger.refusals),
    unknownOutcomes: intents.reduce((n, intent) => n + intent.unknown, 0),
    order: parts.stages,
    auditRows: parts.audit.chain.rows,
    tookMs: parts.tookMs,
    ok: cases === 0 && outOfOrder === 0 && again <= againAtMost && parts.settledMs !== null,
  };
}

function add(counts: Record<string, number>, what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}

function spread(values: readonly number[]): Spread {
  return { n: values.length, p50Ms: quantile(values, 0.5), maxMs: quantile(values, 1) };
}

/** The report as people read it. */
export function toText(report: CrashReport): string {
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([what, n]) => `${what} ${n}`)
      .join(", ") || "none";
  const of = (s: Spread): string =>
    s.n === 0 ? "none" : `${s.n} × p50 ${s.p50Ms} ms, max ${s.maxMs} ms`;
  const { executions: x, recovery } = report;
  return [
    `seed ${report.seed}: ${report.tasks} tasks sent, ${report.accepted} accepted, ${(report.tookMs / 1000).toFixed(0)} s`,
    `  lost             ${report.lost}`,
    `  completed twice  ${report.completedTwice}`,
    `  out of order     ${report.outOfOrder}`,
    ...Object.entries(report.broken)
      .filter(([rule, { count }]) => count > 0 && rule !== "lost" && rule !== "completedTwice")
      .map(([rule, { count }]) => `  ! ${rule} ${count}`),
    `  ended            ${list(report.ended)}`,
    `  faults           ${list(report.faults)}`,
    `  executions       ${x.starts}: ${list(x.byCause)}; ends discarded ${x.fencedEnds}`,
    `  again by faults  ${x.again} (at most ${x.againAtMost} = faults × ${CONCURRENCY} handlers)`,
    `  recovery         outage ${of(recovery.outage)}; interrupted task runs again ${of(recovery.restart)}; quiet after ${recovery.settledMs ?? "never"} ms`,
    `  acts             ${list(report.acts)}`,
    `  refusals         ${list(report.refusals)}; outcomes unknown ${report.unknownOutcomes}`,
    `  order            ${report.order.map((s) => `${s.stage}: overtaken ≤ ${s.mostOvertaken}, late ${s.late}/${s.lateAllowed}, fifo ${s.fifoBroken}`).join("; ") || "not checked"}`,
    report.ok ? "  ok" : "  BROKEN",
  ].join("\n");
}
