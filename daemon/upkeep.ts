import { describe } from "../shared/errors.ts";
import type { Settings } from "../shared/settings.ts";
import type { Names } from "../shared/subjects.ts";
import type { Clock } from "../shared/time.ts";
import type { AuditStore } from "./audit/audit-store.ts";
import type { Log } from "./log.ts";
import { purgeAcknowledged } from "./nats/streams.ts";
import type { Wire } from "./nats/wire.ts";
import type { LeaseWatch } from "./queue/leases.ts";
import type { MoveDeps } from "./queue/move.ts";
import { purgeJournal } from "./queue/purge-journal.ts";
import {
  createOrphanWatch,
  createReconciler,
  type ReconcileDeps,
  type Reconciled,
} from "./queue/reconcile.ts";

export interface UpkeepDeps {
  readonly move: MoveDeps;
  readonly audit: AuditStore;
  readonly wire: Wire;
  readonly names: Names;
  readonly settings: Settings;
  readonly leases: LeaseWatch;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Upkeep {
  /** Looks at every unfinished task now. */
  reconcileNow(): Promise<Reconciled>;
  stop(): Promise<void>;
}

/** A task that was enqueued this lately may still be on its way to the broker. */
const SETTLE_MS = 3000;
/** Acknowledged messages of the strict profile stay this long. */
const PURGE_ACKNOWLEDGED_MS = 1000;

/** What must be done from time to time: leases without a worker, the invariant, the journals of ended tasks. */
export function startUpkeep(deps: UpkeepDeps): Upkeep {
  const { settings, log } = deps;
  const reconcileDeps: ReconcileDeps = {
    ...deps.move,
    audit: deps.audit,
    isAlive: deps.leases.isAlive,
    settleMs: SETTLE_MS,
  };
  const orphans = createOrphanWatch(reconcileDeps);
  const reconciler = createReconciler(reconcileDeps);
  const { heartbeatMs, missedBeats, graceMs } = settings.lease;
  const floors = new Map<string, number>();
  const timers = [
    every(heartbeatMs * missedBeats + graceMs, "orphans", log, () => orphans.pass()),
    every(settings.reconcileMs, "reconcile", log, () => reconciler.pass()),
    every(settings.retention.sweepMs, "purge", log, (signal) =>
      purgeJournal({ ...deps, retentionMs: settings.retention.journalMs }, signal),
    ),
    ...(settings.nats.durability === "strict"
      ? [
          every(PURGE_ACKNOWLEDGED_MS, "purge-acknowledged", log, () =>
            purgeAcknowledged(deps.wire, deps.names, floors),
          ),
        ]
      : []),
  ];
  return {
    reconcileNow: () => reconciler.pass(true),
    async stop() {
      await Promise.all(timers.map((timer) => timer.stop()));
    },
  };
}

/**
 * Repeats an act, each time after the one before has ended; its failures are logged and do not end it. The signal aborts
 * when it is stopped.
 */
function every(
  ms: number,
  name: string,
  log: Log,
  act: (signal: AbortSignal) => Promise<unknown>,
): { stop(): Promise<void> } {
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> = Promise.resolve();
  const stopped = new AbortController();
  const arm = (): void => {
    if (stopped.signal.aborted) return;
    timer = setTimeout(() => {
      running = act(stopped.signal)
        .then(() => {})
        .catch((error: unknown) => log.warn("upkeep failed", { act: name, error: describe(error) }))
        .finally(arm);
    }, ms);
  };
  arm();
  return {
    async stop() {
      stopped.abort();
      if (timer !== null) clearTimeout(timer);
      await running;
    },
  };
}
