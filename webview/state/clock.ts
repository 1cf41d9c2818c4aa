import { type ReadonlySignal, signal } from "@preact/signals";

const TICK_MS = 1000;
const current = signal(Date.now());

/** Epoch ms, renewed each second while `startClock` runs; reading it in a component renders that each second. */
export const now: ReadonlySignal<number> = current;

/** Ticks while `isSeen` answers true; the answer stops it. */
export function startClock(isSeen: () => boolean): () => void {
  const tick = (): void => {
    if (isSeen()) current.value = Date.now();
  };
  tick();
  const timer = setInterval(tick, TICK_MS);
  return () => clearInterval(timer);
}

/** For tests: what the clock shows. */
export function setClock(at: number): void {
  current.value = at;
}
