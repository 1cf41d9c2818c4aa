import { isTerminal, type JournalRecord } from "../../shared/task.ts";
import type { AuditState } from "./audit-rows.ts";
import type { BrokerState, JournalEntry } from "./broker-state.ts";
import type { Effect } from "./effects.ts";
import type { Ledger } from "./ledger.ts";

/** Everything that was seen, from the clients, the broker, the audit and the handlers themselves. */
export interface Evidence {
  readonly ledger: Ledger;
  readonly broker: BrokerState;
  readonly audit: AuditState;
  readonly effects: readonly Effect[];
}

/** Broken rules, each with the tasks that break it. Empty lists: the rule holds. */
export interface Broken {
  /** Accepted and not ended, in the journal or in the audit. */
  readonly lost: string[];
  /** Two completions within one budget of attempts, or anything after a completion. */
  readonly completedTwice: string[];
  /** One intent became two tasks, by a repeated id or key or by a lost answer. */
  readonly enqueuedTwice: string[];
  /** Something followed an end that was no redrive. */
  readonly afterEnd: string[];
  /** Not ended, whether it was accepted or not. */
  readonly unfinished: string[];
  /** Journal and audit tell different things. */
  readonly auditDiffers: string[];
  /** A handler began without a claim of its own, where only a first generation's first attempt may. */
  readonly unclaimed: string[];
  /** Messages that stayed in the streams of waiting and delayed tasks. */
  readonly leftovers: string[];
  /** Dead without a dead letter, or a dead letter of a task that is not dead. */
  readonly deadLetters: string[];
  /** The audit's hash chain, its attempts. */
  readonly audit: string[];
}

export function judge(evidence: Evidence): Broken {
  const { ledger, broker, audit } = evidence;
  const broken: Broken = {
    lost: [],
    completedTwice: [...audit.completedTwice],
    enqueuedTwice: twice(evidence),
    afterEnd: [],
    unfinished: [],
    auditDiffers: [],
    unclaimed: unclaimed(evidence),
    leftovers: [...broker.left],
    deadLetters: [],
    audit: [
      ...(audit.chain.ok ? [] : [audit.chain.what ?? "the chain is broken"]),
      ...audit.openAttempts.map((id) => `${id} has an attempt that never ended`),
    ],
  };
  for (const intent of ledger.intents.values()) {
    if (intent.acceptedNs === null) continue;
    for (const id of intent.ids) if (!hasEnded(evidence, id)) broken.lost.push(tell(evidence, id));
  }
  for (const [id, entries] of broker.journals) judgeJournal(evidence, id, entries, broken);
  for (const [id, row] of audit.rows) {
    if (broker.journals.has(id)) continue;
    broken.unfinished.push(`${id} is ${row.status} in the audit and has no journal`);
  }
  for (const id of broker.deadLetters) {
    if (broker.journals.get(id)?.at(-1)?.record.s !== "dead")
      broken.deadLetters.push(`letter of ${tell(evidence, id)}`);
  }
  return broken;
}

function hasEnded({ broker, audit }: Evidence, id: string): boolean {
  const last = broker.journals.get(id)?.at(-1)?.record;
  const row = audit.rows.get(id);
  return last !== undefined && row !== undefined && isTerminal(last.s) && isTerminal(row.status);
}

/** One task in a line: its journal as far as it is short. */
function tell({ broker, audit }: Pick<Evidence, "broker" | "audit">, id: string): string {
  const entries = broker.journals.get(id) ?? [];
  const path = entries.map(
    ({ record }) =>
      `${record.s}${record.act ? `/${record.act}` : ""} g${record.g} a${record.a} l${record.l}`,
  );
  return `${id} audit=${audit.rows.get(id)?.status ?? "unknown"} journal=[${path.join(" → ")}]`;
}

function judgeJournal(
  evidence: Evidence,
  id: string,
  entries: readonly JournalEntry[],
  broken: Broken,
): void {
  const last = entries.at(-1)!;
  const say = (): string => tell(evidence, id);
  if (!isTerminal(last.record.s)) broken.unfinished.push(say());
  const completed = entries.findIndex(({ record }) => record.s === "completed");
  if (completed !== -1 && completed !== entries.length - 1) broken.completedTwice.push(say());
  entries.forEach(({ record }, at) => {
    const next = entries[at + 1]?.record;
    if (next !== undefined && isTerminal(record.s) && !isRedrive(next)) broken.afterEnd.push(say());
  });
  const row = evidence.audit.rows.get(id);
  const { s, g, a, l } = last.record;
  const same =
    row !== undefined &&
    row.status === s &&
    row.generation === g &&
    row.attempts === a &&
    row.level === l &&
    row.lastSeq === last.seq;
  if (!same) broken.auditDiffers.push(`${say()} row=${JSON.stringify(row)} seq=${last.seq}`);
  if (s === "dead" && !evidence.broker.deadLetters.has(id))
    broken.deadLetters.push(`no letter of ${say()}`);
}

function isRedrive(record: JournalRecord): boolean {
  return (
    record.s === "waiting" && record.a === 0 && (record.act === "redrive" || record.act === "retry")
  );
}

function twice({ ledger, audit }: Evidence): string[] {
  const found: string[] = [];
  const byLabel = new Map<string, string>();
  for (const { ids, label } of ledger.intents.values())
    if (ids.size > 1) found.push(`${label}: ${[...ids].join(", ")}`);
  for (const { id, label } of audit.rows.values()) {
    if (label === null) continue;
    const other = byLabel.get(label);
    if (other !== undefined) found.push(`${label}: ${other}, ${id}`);
    byLabel.set(label, id);
  }
  return found;
}

/**
 * Each start must have a running record of its own: same task, generation and attempt. Only the first attempt of the first
 * generation may run unclaimed, as quick tasks do, and again so when its message came back from a lost worker.
 */
function unclaimed({ effects, broker }: Evidence): string[] {
  const claims = new Map<string, number>();
  for (const [id, entries] of broker.journals) {
    for (const { record } of entries) {
      if (record.s !== "running") continue;
      const claim = `${id} g${record.g} a${record.a}`;
      claims.set(claim, (claims.get(claim) ?? 0) + 1);
    }
  }
  const found: string[] = [];
  for (const { kind, taskId, generation, attempt } of effects) {
    if (kind !== "start") continue;
    if (generation === 1 && attempt === 1) continue;
    const claim = `${taskId} g${generation} a${attempt}`;
    const left = claims.get(claim) ?? 0;
    if (left === 0) found.push(claim);
    claims.set(claim, left - 1);
  }
  return found;
}
