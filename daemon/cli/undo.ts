import { actOn, reasonOf } from "./bulk.ts";
import type { Context } from "./context.ts";

/** Takes back the last change of a task's priority. */
export async function run(
  context: Context,
  [id]: [string],
  options: { readonly reason?: string },
): Promise<number> {
  const reason = await reasonOf(context, options.reason);
  const client = await context.client();
  return actOn(context, id, options, {
    verb: "undo the last change",
    done: "moved back",
    apply: () => client.undo(id, reason),
  });
}
