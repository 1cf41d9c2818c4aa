import { describe } from "../../shared/errors.ts";
import type { Names } from "../../shared/subjects.ts";
import type { AuditStore } from "../audit/audit-store.ts";
import type { Log } from "../log.ts";
import type { Wire } from "../nats/wire.ts";

/**
 * Takes the journals of tasks that ended long ago off the broker, in one request: everything below the first record that
 * anyone may still need. A task whose journal is gone is terminal in the audit, and workers ask there before they run
 * anything that could hide behind a purged record.
 */
export async function purgeJournal(deps: {
  wire: Wire;
  names: Names;
  audit: AuditStore;
  retentionMs: number;
  log: Log;
}): Promise<number> {
  const floor = await deps.audit.purgeFloor(deps.retentionMs);
  if (floor <= 1) return 0;
  try {
    const purged = await deps.wire.purge(deps.names.stream.state, null, floor);
    if (purged > 0) deps.log.debug("journal purged", { belowSeq: floor, purged });
    return purged;
  } catch (error) {
    deps.log.warn("journal not purged", { error: describe(error) });
    return 0;
  }
}
