import { runAfterSync } from "./cls-phases.ts";
import { aClsContext } from "./cls-root.ts";

/**
 * Runs integrate, classify and export, and ends itself without a word at the given report of progress.
 * Arguments: root, out, data folder, number of the report (0: never).
 */
const [root = "", out = "", dataDir = "", killAt = "0"] = process.argv.slice(2);
let reports = 0;
const progress = (): void => {
  reports += 1;
  if (reports === Number(killAt)) process.kill(process.pid, "SIGKILL");
};
await runAfterSync({ root, out }, aClsContext(dataDir, { progress, runId: `run-${killAt}` }));
process.stdout.write(`${reports}\n`);
