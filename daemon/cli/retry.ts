import { actOn } from "./bulk.ts";
import type { Context } from "./context.ts";

/** Lets a task that waits for its retry run now. */
export async function run(
  context: Context,
  [id]: [string],
  options: { readonly reason?: string },
): Promise<number> {
  const client = await context.client();
  return actOn(context, id, options, {
    verb: "retry",
    done: "put to run again now",
    apply: () => client.retry(id, options.reason),
  });
}
