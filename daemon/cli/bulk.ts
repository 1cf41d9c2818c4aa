import type { Target } from "../../shared/bus/client.ts";
import type { BulkOutcome } from "../../shared/control.ts";
import { fromWire } from "../../shared/errors.ts";
import type { Context } from "./context.ts";
import { badUsage, parseWhere } from "./values.ts";
import { plural } from "./words.ts";

/** Options of every act on one or many tasks. */
export interface BulkOptions {
  readonly where?: string;
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** What to do, in the words of messages. */
export interface Act {
  /** `raise to 9 Urgent`. */
  readonly verb: string;
  /** `raised to 9 Urgent`. */
  readonly done: string;
  apply(target: Target, dryRun: boolean): Promise<BulkOutcome>;
}

/** The tasks that the ids or `--where` name. Throws `bad-usage` for neither and for both. */
export function targetOf(ids: readonly string[], { where }: BulkOptions): Target {
  if (where === undefined) {
    if (ids.length === 0) throw badUsage("Name a task by its id, or several with --where.");
    return ids.length === 1 ? ids[0]! : { ids };
  }
  if (ids.length > 0) throw badUsage("Name tasks either by id or with --where.");
  return { where: parseWhere(where) };
}

/**
 * Acts on one task or many. With `--where` the number of tasks is told first and agreed to, by `--yes` or by answering.
 * A refused single task is an error; of many, the refusals are counted by cause.
 */
export async function actOn(
  context: Context,
  target: Target,
  options: BulkOptions,
  act: Act,
): Promise<number> {
  const single = typeof target === "string";
  if (!single && "where" in target && !options.dryRun) {
    const preview = await act.apply(target, true);
    if (preview.matched > 0 && !(await agreed(context, preview.matched, options, act.verb))) {
      context.result(preview, () => "Nothing was changed.");
      return 0;
    }
  }
  const outcome = await act.apply(target, options.dryRun ?? false);
  const [first] = outcome.refused;
  if (single && first !== undefined) throw fromWire(first.error);
  for (const line of refusalLines(outcome)) context.hint(line);
  context.result(outcome, () =>
    outcome.dryRun
      ? `${plural(outcome.matched, "task")} would be ${act.done}${outcome.refusedCount > 0 ? `, ${outcome.refusedCount} refused` : ""}.`
      : `${plural(outcome.applied, "task")} ${act.done}.`,
  );
  return outcome.applied === 0 && first !== undefined ? fromWire(first.error).exitCode : 0;
}

async function agreed(
  { io, hint }: Context,
  matched: number,
  { yes }: BulkOptions,
  verb: string,
): Promise<boolean> {
  const question = `${plural(matched, "task matches", "tasks match")}: ${verb}`;
  if (yes) return true;
  if (!io.canAsk) throw badUsage(`${question}? Give --yes to do it.`);
  const answer = await io.ask(`${question}? [y/N] `);
  hint("");
  return /^y(es)?$/i.test(answer.trim());
}

/** One line for each cause: `3 refused: The task … is running, not waiting.` */
function refusalLines(outcome: BulkOutcome): string[] {
  const byCode = Map.groupBy(outcome.refused, ({ error }) => error.code);
  const lines = [...byCode.values()].map(
    (group) => `${group.length} refused, for example ${group[0]!.id}: ${group[0]!.error.message}`,
  );
  const untold = outcome.refusedCount - outcome.refused.length;
  return untold > 0 ? [...lines, `${untold} more refused.`] : lines;
}

/** The reason given, or asked for. Throws `bad-usage` when there is nobody to ask. */
export async function reasonOf({ io }: Context, given: string | undefined): Promise<string> {
  const reason = given ?? (io.canAsk ? await io.ask("Why? ") : "");
  if (reason.trim() === "") throw badUsage('A reason is needed: --reason "…".');
  return reason.trim();
}
