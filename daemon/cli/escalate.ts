import type { Target } from "../../shared/bus/client.ts";
import { HIGHEST_LEVEL, LOWEST_LEVEL } from "../../shared/priority.ts";
import { type Act, actOn, type BulkOptions, reasonOf, targetOf } from "./bulk.ts";
import type { Context } from "./context.ts";
import { badUsage, parseLevel } from "./values.ts";
import { levelWords } from "./words.ts";

/** `escalate <id…> urgent`, or with `--where` and the level alone. */
export async function run(
  context: Context,
  [words]: [readonly string[]],
  options: BulkOptions,
): Promise<number> {
  return move(context, words, options, "escalate");
}

/** `lower <id…> <level>`. */
export async function lower(
  context: Context,
  [words]: [readonly string[]],
  options: BulkOptions,
): Promise<number> {
  return move(context, words, options, "lower");
}

async function move(
  context: Context,
  words: readonly string[],
  options: BulkOptions,
  verb: "escalate" | "lower",
): Promise<number> {
  const last = words.at(-1);
  if (last === undefined || (words.length === 1 && options.where === undefined))
    throw badUsage(`Name the task and the level: msgsys ${verb} <id> <level>.`);
  const level = parseLevel(last);
  if (level === (verb === "escalate" ? LOWEST_LEVEL : HIGHEST_LEVEL))
    throw badUsage(`${verb} to ${levelWords(level)} moves nothing.`);
  const target = narrowed(targetOf(words.slice(0, -1), options), level, verb);
  const reason = await reasonOf(context, options.reason);
  const client = await context.client();
  const act: Act = {
    verb: `${verb} to ${levelWords(level)}`,
    done: `moved to level ${levelWords(level)}`,
    apply: (tasks, dryRun) => client[verb](tasks, level, reason, { dryRun }),
  };
  return actOn(context, target, options, act);
}

/** Of all that match, only those that the verb moves its way: raising many lowers none, and the other way round. */
function narrowed(target: Target, level: number, verb: "escalate" | "lower"): Target {
  if (typeof target === "string" || !("where" in target)) return target;
  const { where } = target;
  return verb === "escalate"
    ? { where: { ...where, maxLevel: Math.min(where.maxLevel ?? HIGHEST_LEVEL, level - 1) } }
    : { where: { ...where, minLevel: Math.max(where.minLevel ?? LOWEST_LEVEL, level + 1) } };
}
