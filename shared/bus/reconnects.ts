import type { Bus } from "./request.ts";

/** Calls back after each reconnect of the connection; returns how to stop listening. */
export type OnReconnect = (listener: () => void) => () => void;

/** One watcher for any number of listeners, begun with the first of them; it ends with the connection. */
export function createReconnects(nc: Bus): OnReconnect {
  const listeners = new Set<() => void>();
  let watching = false;
  const watch = async (): Promise<void> => {
    for await (const status of nc.status()) {
      if (status.type !== "reconnect") continue;
      for (const listener of listeners) listener();
    }
  };
  return (listener) => {
    listeners.add(listener);
    if (!watching) {
      watching = true;
      void watch();
    }
    return () => listeners.delete(listener);
  };
}
