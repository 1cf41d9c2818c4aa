import { actOn, type BulkOptions, targetOf } from "./bulk.ts";
import type { Context } from "./context.ts";
import { badUsage } from "./values.ts";

interface Options extends BulkOptions {
  readonly run?: string;
}

/** Cancels tasks, or with `--run` a whole run. */
export async function run(
  context: Context,
  [ids]: [readonly string[]],
  options: Options,
): Promise<number> {
  const { run: runId, reason } = options;
  if (runId !== undefined && (ids.length > 0 || options.where !== undefined))
    throw badUsage("Name tasks or a run, not both.");
  const target = runId ?? targetOf(ids, options);
  const client = await context.client();
  return actOn(context, target, options, {
    verb: "cancel",
    done: "cancelled",
    apply: (tasks, dryRun) =>
      runId === undefined
        ? client.cancel(tasks, { reason, dryRun })
        : client.cancelRun(runId, reason),
  });
}
