/** A process that syncs one root and prints the result: `node cls-sync-child.ts <root> <data directory> <run id>`. */
import { clsParams } from "../../daemon/pipelines/cls/params.ts";
import { runSync } from "../../daemon/pipelines/cls/sync.ts";
import { aClsContext } from "./cls-root.ts";

const [root = "", data = "", runId = "run"] = process.argv.slice(2);
const result = await runSync(
  clsParams.parse({ root }),
  aClsContext(data, { runId, progress: ({ what }) => process.stderr.write(`${what}\n`) }),
);
console.log(JSON.stringify({ ...result, durationMs: 0 }));
