import { checkedJson } from "../../shared/bus/input-text.ts";
import { INPUT_LIMIT_BYTES } from "../../shared/task.ts";
import { actOn, type BulkOptions, targetOf } from "./bulk.ts";
import type { Context } from "./context.ts";

interface Options extends BulkOptions {
  readonly input?: string;
  readonly priority?: number;
}

/** Gives dead letters a new life: a new generation with a fresh budget of attempts. */
export async function run(
  context: Context,
  [ids]: [readonly string[]],
  options: Options,
): Promise<number> {
  const target = targetOf(ids, options);
  const { input: inputJson, priority, reason } = options;
  // Only one that parses may replace the old input; the daemon checks it against the task's schema.
  if (inputJson !== undefined) checkedJson("the redriven task", inputJson, INPUT_LIMIT_BYTES);
  const client = await context.client();
  return actOn(context, target, options, {
    verb: "redrive",
    done: "redriven",
    apply: (tasks, dryRun) => client.redrive(tasks, { inputJson, priority, reason, dryRun }),
  });
}
