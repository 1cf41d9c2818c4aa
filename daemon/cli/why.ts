import type { Context } from "./context.ts";

/** Why a task is not running, in one sentence. */
export async function run(context: Context, [id]: [string]): Promise<number> {
  const why = await (await context.client()).why(id);
  context.result(why, () => why.sentence);
  return 0;
}
