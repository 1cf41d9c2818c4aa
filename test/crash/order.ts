import type { ConnectedClient } from "../../daemon/sdk.ts";
import { until } from "../support/until.ts";
import { type Effect, readEffects } from "./effects.ts";
import { type Fault, type FaultDeps, type FaultKind, strike } from "./faults.ts";
import { accept, createLedger, type Intent, type Ledger } from "./ledger.ts";

/**
 * What is checked, with one worker of one slot (no express slot), whose handlers take longer than 20 ms and which
 * therefore takes nothing ahead of its slot:
 * - Between levels: of the tasks with a lower level, at most PREFETCH start between the moment when a task was accepted
 *   and its own start. That many can be in the worker's hand already: one for its slot and one on its way.
 * - Inside a level: a task starts before every task of its level that was sent later, also later in the same bulk. One task
 *   a level (RETURNED) may be late: an idle worker waits at the broker for the next message of each level, and gives back
 *   what comes when its slot was taken meanwhile, so that another worker can have it. The tasks that make the worker slow
 *   are not judged: it took some of them ahead while it still held its handlers for quick, and gave them back.
 * The stage "quick" has handlers without any duration, of which the worker takes many ahead. All of them wait before the
 * first one starts, so the levels are strict all the same; inside a level they are in order but for what was taken ahead,
 * which is shown and not judged.
 *
 * After a fault the same between levels, except for the tasks that were in the hand of the struck worker: one that ran and
 * two that wait (levels 8–10 are fetched while the slot is busy). They come back when their lease or their wait for an
 * acknowledgement is over, so at most IN_HAND tasks per fault may be late. Inside a level nothing is promised for them.
 */
const PREFETCH = 2;
const IN_HAND = 3;
const RETURNED = 1;

export interface OrderStage {
  readonly stage: string;
  readonly tasks: number;
  /** Most lower tasks that overtook one task. */
  readonly mostOvertaken: number;
  readonly late: number;
  readonly lateAllowed: number;
  readonly fifoBroken: number;
  readonly outOfOrder: number;
}

export interface OrderDeps extends FaultDeps {
  readonly client: ConnectedClient;
  readonly effectsDir: string;
  /** The main ledger: what is accepted here must not be lost either. */
  readonly ledger: Ledger;
}

const WORK_MS = 25;
const BULK = 30;
const WARM_UP = 16;
const WARM_UP_MS = 45;
/** Long enough that all tasks of the stage are enqueued while the slot is taken. */
const HOLD_MS = 3000;
const STAGE_LIMIT_MS = 120_000;

/** Stage by stage: two with all tasks waiting before, one while they keep coming, one each after a kind of fault. */
export async function checkOrder(
  deps: OrderDeps,
  tasks: number,
): Promise<{ stages: OrderStage[]; faults: Fault[] }> {
  if (tasks === 0) return { stages: [], faults: [] };
  const stages: OrderStage[] = [];
  const faults: Fault[] = [];
  stages.push((await runStage(deps, "quick", tasks, 0, null)).stage);
  stages.push((await runStage(deps, "waiting", tasks, WORK_MS, null)).stage);
  stages.push((await runStage(deps, "coming", tasks, WORK_MS, null)).stage);
  for (const kind of ["kill-worker", "freeze-worker", "kill-server", "kill-daemon"] as const) {
    const { stage, fault } = await runStage(deps, kind, tasks, WORK_MS, kind);
    stages.push(stage);
    if (fault !== null) faults.push(fault);
  }
  return { stages, faults };
}

async function runStage(
  deps: OrderDeps,
  name: string,
  tasks: number,
  ms: number,
  kind: FaultKind | null,
): Promise<{ stage: OrderStage; fault: Fault | null }> {
  const { client, effectsDir, chance } = deps;
  const ledger = createLedger();
  const prefix = `o-${name}-`;
  const mine = (): Effect[] =>
    readEffects(effectsDir).filter((effect) => effect.label.startsWith(prefix));
  const starts = (): number => mine().filter((effect) => effect.kind === "start").length;
  const ends = (): number =>
    new Set(mine().flatMap((effect) => (effect.kind === "end" ? [effect.label] : []))).size;
  const send = async (count: number, work: number, level: () => number): Promise<void> => {
    const made = Array.from({ length: count }, () =>
      intentOf(`${prefix}${ledger.intents.size}`, level(), ledger, deps.ledger),
    );
    const outcomes = await client.enqueueMany(
      made.map(({ label, level: priority }) => ({
        task: "order.step",
        input: { dir: effectsDir, label, ms: work },
        priority,
      })),
    );
    outcomes.forEach((outcome, at) => {
      if ("error" in outcome) throw outcome.error;
      accept(made[at]!, outcome.id);
    });
  };
  // A dozen long ones: the worker sees that its handlers are slow and takes nothing ahead. The slot is still taken while
  // the first of the others come.
  await send(WARM_UP - 1, WARM_UP_MS, () => 5);
  await send(1, ms === 0 ? HOLD_MS : WARM_UP_MS, () => 5);
  await until(starts, (n) => n >= WARM_UP - (ms === 0 ? 0 : 2), STAGE_LIMIT_MS);
  for (let sent = 0; sent < tasks; sent += BULK)
    await send(Math.min(BULK, tasks - sent), ms, () => chance.whole(0, 10));
  let fault: Fault | null = null;
  if (kind !== null) {
    await until(starts, (n) => n >= WARM_UP + tasks / 4, STAGE_LIMIT_MS);
    const pid = kind.endsWith("worker") ? (deps.system.poolPid("line") ?? undefined) : undefined;
    const struck = strike(deps, kind, [], pid);
    await struck?.over;
    fault = struck?.fault ?? null;
  }
  await until(ends, (n) => n === WARM_UP + tasks, STAGE_LIMIT_MS);
  await deps.system.whole();
  return { stage: judgeStage(name, ledger, mine(), fault === null ? 0 : IN_HAND), fault };
}

function intentOf(label: string, level: number, ledger: Ledger, all: Ledger): Intent {
  const intent: Intent = {
    label,
    name: "order.step",
    level,
    id: null,
    key: null,
    delayMs: 0,
    sentNs: process.hrtime.bigint(),
    acceptedNs: null,
    ids: new Set(),
    unknown: 0,
    sendings: 1,
  };
  ledger.intents.set(label, intent);
  all.intents.set(label, intent);
  return intent;
}

interface Run {
  readonly level: number;
  readonly sentNs: bigint;
  readonly acceptedNs: bigint;
  readonly startNs: bigint;
}

/** Compares every start with every other one; what overtook too much is late. */
function judgeStage(
  stage: string,
  ledger: Pick<Ledger, "intents">,
  effects: readonly Effect[],
  lateAllowed: number,
): OrderStage {
  const first = new Map<string, bigint>();
  for (const { kind, label, ns } of effects)
    if (kind === "start" && !first.has(label)) first.set(label, ns);
  const runs: Run[] = [...ledger.intents.values()].flatMap((intent) => {
    const startNs = first.get(intent.label);
    if (startNs === undefined || intent.acceptedNs === null) return [];
    return [{ level: intent.level, sentNs: intent.sentNs, acceptedNs: intent.acceptedNs, startNs }];
  });
  const overtaken = runs.map(
    (run) =>
      runs.filter(
        (other) =>
          other.level < run.level && other.startNs > run.acceptedNs && other.startNs < run.startNs,
      ).length,
  );
  const late = overtaken.filter((n) => n > PREFETCH).length;
  // The intents stand in the order of sending, also inside a bulk. The first are those that the worker may still have taken
  // ahead, thinking its handlers quick: what it then gave back is behind what came meanwhile.
  const settled = runs.slice(WARM_UP);
  const broken = settled.filter((run, at) =>
    settled.some((other, k) => k > at && other.level === run.level && other.startNs < run.startNs),
  );
  const levels = new Set(broken.map(({ level }) => level));
  const beyond = [...levels].reduce(
    (n, level) => n + Math.max(0, broken.filter((run) => run.level === level).length - RETURNED),
    0,
  );
  const tolerated = lateAllowed > 0 || stage === "quick";
  return {
    stage,
    tasks: runs.length,
    mostOvertaken: Math.max(0, ...overtaken),
    late,
    lateAllowed,
    fifoBroken: broken.length,
    outOfOrder: Math.max(0, late - lateAllowed) + (tolerated ? 0 : beyond),
  };
}
