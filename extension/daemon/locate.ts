import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROTOCOL_VERSION } from "../../shared/control.ts";
import { isLeaseLive, parseLease } from "../../shared/lease.ts";
import { DATA_FILES, type DaemonLease } from "../../shared/settings.ts";
import { isProcessAlive } from "./process-alive.ts";

/** What is known of the daemon of a data directory. */
export type Located =
  /** No daemon lives there. */
  | { readonly kind: "absent" }
  /** One is starting or stopping; soon it will be another kind. */
  | { readonly kind: "passing"; readonly lease: DaemonLease }
  | { readonly kind: "ready"; readonly lease: DaemonLease }
  /** One lives there that this extension cannot talk to. */
  | { readonly kind: "mismatch"; readonly lease: DaemonLease };

/** What a lease says of its daemon; null: there is no lease that can be read. */
export function judgeLease(
  lease: DaemonLease | null,
  nowMs: number,
  isAlive: (pid: number) => boolean,
): Located {
  if (lease === null || !isLeaseLive(lease, nowMs, isAlive)) return { kind: "absent" };
  if (lease.protocol !== PROTOCOL_VERSION) return { kind: "mismatch", lease };
  return { kind: lease.state === "ready" ? "ready" : "passing", lease };
}

/** Reads the lease file of a data directory: cheap enough to be asked several times a second. */
export function locateDaemon(dataDir: string, nowMs: number): Located {
  return judgeLease(readLease(dataDir), nowMs, isProcessAlive);
}

function readLease(dataDir: string): DaemonLease | null {
  try {
    return parseLease(readFileSync(join(dataDir, DATA_FILES.lease), "utf8"));
  } catch {
    // Ignored: no lease, or one that nobody can use, both mean that no daemon is known here.
    return null;
  }
}
