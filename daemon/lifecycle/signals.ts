import type { Clock } from "../../shared/time.ts";

/** The signals that end a daemon: from the keyboard, from a service manager, from a closed terminal. */
export const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
export type EndSignal = (typeof END_SIGNALS)[number];

/**
 * Ctrl-C reaches a whole group of processes, and a parent such as npm passes its own copy on: within this time two
 * signals are one wish.
 */
const SAME_WISH_MS = 300;

/** The part of `process` that delivers signals. */
export interface SignalSource {
  on(signal: EndSignal, listener: () => void): unknown;
  off(signal: EndSignal, listener: () => void): unknown;
}

/** What to do at the first signal and at the second. */
export interface SignalActions {
  readonly graceful: (signal: EndSignal) => void;
  readonly force: (signal: EndSignal) => void;
}

/** Listens until the returned function is called. */
export function listenForSignals(
  deps: { readonly source: SignalSource; readonly clock: Clock },
  actions: SignalActions,
): () => void {
  let firstAtMs: number | null = null;
  const listeners = END_SIGNALS.map((signal) => {
    const listener = (): void => {
      const nowMs = deps.clock.monotonic();
      if (firstAtMs === null) {
        firstAtMs = nowMs;
        actions.graceful(signal);
      } else if (nowMs - firstAtMs >= SAME_WISH_MS) actions.force(signal);
    };
    deps.source.on(signal, listener);
    return { signal, listener };
  });
  return () => {
    for (const { signal, listener } of listeners) deps.source.off(signal, listener);
  };
}
