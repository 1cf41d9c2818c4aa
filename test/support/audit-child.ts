import { startAudit } from "../../daemon/audit/start-audit.ts";
import { aRow, auditDeps } from "./audit-rows.ts";

/**
 * An audit in a process of its own, to be killed. Enqueues rows `<prefix>-<n>` without end and prints the id of each on a
 * line once it was journaled. Arguments: broker's address, data directory, prefix.
 */
const [url = "", dataDir = "", prefix = ""] = process.argv.slice(2);
const audit = await startAudit(auditDeps(url, dataDir));
for (let n = 0; ; n += 10) {
  const ids = Array.from({ length: 10 }, (_, i) => `${prefix}-${n + i}`);
  const outcomes = await audit.journalEnqueue(ids.map((id) => aRow(id)));
  const done = ids.filter((_, i) => outcomes[i]?.kind === "journaled");
  process.stdout.write(`${done.join("\n")}\n`);
}
