import type { Context } from "./context.ts";
import { absolutePath } from "./values.ts";
import { bytesWords } from "./words.ts";

/** A whole backup may be gigabytes. */
const TIMEOUT_MS = 600_000;

/** Lets the daemon write a backup while everything runs. */
export async function run(context: Context, [file]: [string]): Promise<number> {
  const path = absolutePath(context.io.cwd, file);
  const client = await context.client();
  const answer = await client.request("backup", { path }, { timeoutMs: TIMEOUT_MS });
  context.result(answer, () => `${answer.path} written, ${bytesWords(answer.bytes)}.`);
  return 0;
}
