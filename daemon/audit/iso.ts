import { isoInstant } from "../../shared/time.ts";

/** An instant in epoch ms as ISO 8601 UTC; null stays null. */
export function toIso(ms: number): string;
export function toIso(ms: number | null): string | null;
export function toIso(ms: number | null): string | null {
  return ms === null ? null : isoInstant(ms);
}
