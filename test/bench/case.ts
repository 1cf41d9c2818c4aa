import { CASES, type CaseResult, type CaseStart, sizesOf } from "./cases.ts";
import { type Check, loadSystem, type System } from "./system.ts";
import type { Outcome } from "./workloads.ts";

/** The process of one case: a fresh server in the given directory, one workload, the answer to the parent, all ended. */
const start = JSON.parse(process.argv[2] ?? "null") as CaseStart;
// The product's adapter and every library put their files below it too.
process.env["BENCH_TMP"] = start.dir;
let system: System | null = null;
let ending: Promise<void> | null = null;

/** Stops the server; the workers end with this process. */
function end(): Promise<void> {
  ending ??= system?.stop() ?? Promise.resolve();
  return ending;
}

process.once("SIGTERM", () => void end().finally(() => process.exit(143)));
// The parent is gone without a word: nobody else would end what this process started. It leads a group of its own.
process.once("disconnect", () => void end().finally(() => process.kill(-process.pid, "SIGKILL")));

const { run, variant } = CASES[start.name];
system = await (await loadSystem(start.system)).start(variant, start.dir);
const outcome = await run({
  name: start.system,
  system,
  sizes: sizesOf(start.name, start.quick),
  dir: start.dir,
});
const result = judge(outcome, await system.check());
await end();
process.send?.(result, () => process.exit(0));

function judge({ metrics, accepted, drained }: Outcome, check: Check | null): CaseResult {
  if (check === null) return { metrics, lost: null, completedTwice: null };
  const safe = drained ? check.completed : check.known;
  return { metrics, lost: accepted - safe, completedTwice: check.completedTwice };
}
