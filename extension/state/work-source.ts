import type { Client } from "../../shared/bus/client.ts";
import type { FollowEvent, Following } from "../../shared/bus/follow.ts";
import type { ConnectionState } from "../../shared/connection.ts";
import type { Observable } from "../observable.ts";

/** What the models need of the extension; `App` has it. */
export interface ConnectionSource {
  client(): Client | null;
  onClient(listener: (client: Client | null) => void): () => void;
  readonly connection: Observable<ConnectionState>;
}

/** What the models hear. `fresh`: another daemon, or this one again after a gap in which anything may have happened. */
export interface WorkListener {
  heard(event: FollowEvent): void;
  fresh(): void;
  /** The connection is gone: what is known grows old. */
  lost(): void;
}

/** The one subscription of a window to what happens, shared by all its models. */
export interface WorkSource {
  /** A client that can be asked now; null while there is no connection. */
  client(): Client | null;
  listen(listener: WorkListener): () => void;
  dispose(): void;
}

/** Follows the client that is connected. It costs nothing while nothing happens. */
export function createWorkSource(app: ConnectionSource): WorkSource {
  const listeners = new Set<WorkListener>();
  let following: Following | null = null;
  let isConnected = false;

  function tell(call: (listener: WorkListener) => void): void {
    for (const listener of [...listeners]) call(listener);
  }

  function follow(client: Client | null): void {
    following?.stop();
    following = client?.follow({ kinds: ["task", "system"] }, heard) ?? null;
    isConnected = false;
    update(app.connection.get());
  }

  function heard(event: FollowEvent): void {
    tell((listener) => listener.heard(event));
  }

  function update(state: ConnectionState): void {
    const now = state.kind === "connected" && app.client() !== null;
    if (now === isConnected) return;
    isConnected = now;
    tell((listener) => (now ? listener.fresh() : listener.lost()));
  }

  const stopClient = app.onClient(follow);
  const stopConnection = app.connection.onChange(update);
  follow(app.client());

  return {
    client: () => (isConnected ? app.client() : null),
    listen(listener) {
      listeners.add(listener);
      if (isConnected) listener.fresh();
      return () => listeners.delete(listener);
    },
    dispose() {
      stopClient();
      stopConnection();
      following?.stop();
      following = null;
      listeners.clear();
    },
  };
}
