import type { BulkOutcome } from "../../shared/control.ts";
import type { Say } from "../../shared/view/rows.ts";
import { line } from "../views/foreign.ts";

/** What an act on tasks is called in its report. */
export type Act = "escalate" | "lower" | "undo" | "cancel" | "retry" | "redrive";

/** `14 tasks moved, 2 refused: it runs already (2).` */
export function outcomeWords(act: Act, outcome: BulkOutcome, say: Say): string {
  const { applied, refusedCount } = outcome;
  const done = doneWords(act, applied, say);
  if (refusedCount === 0) return `${done}.`;
  const reasons = refusalReasons(outcome)
    .slice(0, 3)
    .map(({ message, times }) => (times === 1 ? message : `${message} (${times})`));
  const refused = say("{n} refused", { n: refusedCount });
  return `${done}, ${refused}: ${reasons.join("; ")}`;
}

function doneWords(act: Act, n: number, say: Say): string {
  const one = n === 1;
  switch (act) {
    case "escalate":
    case "lower":
    case "undo":
      return one ? say("1 task moved") : say("{n} tasks moved", { n });
    case "cancel":
      return one ? say("1 task cancelled") : say("{n} tasks cancelled", { n });
    case "retry":
      return one ? say("1 task starts again") : say("{n} tasks start again", { n });
    case "redrive":
      return one ? say("1 task redriven") : say("{n} tasks redriven", { n });
    default:
      return act satisfies never;
  }
}

/** Why tasks were refused, the most frequent reason first. Of the same code one message stands for all. */
function refusalReasons({ refused }: BulkOutcome): { message: string; times: number }[] {
  const reasons = new Map<string, { message: string; times: number }>();
  for (const { error } of refused) {
    const known = reasons.get(error.code);
    if (known) known.times += 1;
    else reasons.set(error.code, { message: line(error.message, 200), times: 1 });
  }
  return [...reasons.values()].sort((a, b) => b.times - a.times);
}

/** Each refused task on a line of its own. */
export function refusalReport(act: Act, outcome: BulkOutcome, say: Say): string {
  const { refused, refusedCount } = outcome;
  const rows = refused.map(({ id, error }) => `${id}  ${line(error.message, 500)}`);
  const more = refusedCount - refused.length;
  const rest =
    more > 0 ? ["", say("{n} more were refused; these are the first.", { n: more })] : [];
  return [doneWords(act, outcome.applied, say), "", ...rows, ...rest, ""].join("\n");
}

/** Several outcomes as one. */
export function joinOutcomes(outcomes: readonly BulkOutcome[]): BulkOutcome {
  const sum = (key: "matched" | "applied" | "refusedCount"): number =>
    outcomes.reduce((total, outcome) => total + outcome[key], 0);
  return {
    matched: sum("matched"),
    applied: sum("applied"),
    refused: outcomes.flatMap(({ refused }) => refused),
    refusedCount: sum("refusedCount"),
    dryRun: outcomes.some(({ dryRun }) => dryRun),
  };
}
