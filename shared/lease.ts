import * as z from "zod";
import type { DaemonLease } from "./settings.ts";

/** A daemon that has not refreshed its lease for this long is taken for gone. */
const LEASE_STALE_MS = 5000;

const leaseSchema = z.object({
  pid: z.number().int().positive(),
  version: z.string(),
  protocol: z.number().int(),
  natsUrl: z.string(),
  tlsCert: z.string().optional(),
  prefix: z.string(),
  startedAt: z.string(),
  refreshedAt: z.string(),
  state: z.enum(["starting", "ready", "stopping"]),
});

/** What the text of a lease file says. Throws when it is no lease. */
export function parseLease(text: string): DaemonLease {
  return leaseSchema.parse(JSON.parse(text));
}

/** Whether the daemon of this lease lives: its process exists and it was refreshed within the last five seconds. */
export function isLeaseLive(
  lease: DaemonLease,
  nowMs: number,
  isAlive: (pid: number) => boolean,
): boolean {
  const ageMs = nowMs - Date.parse(lease.refreshedAt);
  return ageMs <= LEASE_STALE_MS && isAlive(lease.pid);
}
