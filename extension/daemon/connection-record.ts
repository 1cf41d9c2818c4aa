import {
  type ConnectionCause,
  type ConnectionChange,
  type ConnectionEvent,
  type ConnectionState,
  HISTORY_LENGTH,
  INITIAL_CONNECTION,
  reduceConnection,
} from "../../shared/connection.ts";
import { createSource, type Observable } from "../observable.ts";

/** The state of the connection with its history. */
export interface ConnectionRecord {
  readonly state: Observable<ConnectionState>;
  /** Oldest first. */
  history(): readonly ConnectionChange[];
  dispatch(event: ConnectionEvent): void;
}

export function createConnectionRecord(failed?: (error: unknown) => void): ConnectionRecord {
  const state = createSource<ConnectionState>(INITIAL_CONNECTION, failed);
  let history: readonly ConnectionChange[] = [];
  return {
    state,
    history: () => history,
    dispatch(event) {
      const before = state.get();
      const after = reduceConnection(before, event);
      // Before the listeners are told: they read both.
      if (isNews(before, after)) history = keep(history, changeOf(after, event.at));
      state.set(after);
    },
  };
}

/** The cause that a state carries; null for those without. */
export function causeIn(state: ConnectionState): ConnectionCause | null {
  return state.kind === "offline" || state.kind === "reconnecting" ? state.cause : null;
}

/** Another kind, or another cause; attempts and round trips are no news. */
function isNews(before: ConnectionState, after: ConnectionState): boolean {
  return before.kind !== after.kind || causeIn(before)?.code !== causeIn(after)?.code;
}

function changeOf(state: ConnectionState, at: number): ConnectionChange {
  return { at, kind: state.kind, cause: causeIn(state) };
}

function keep(
  history: readonly ConnectionChange[],
  change: ConnectionChange,
): readonly ConnectionChange[] {
  return [...history, change].slice(-HISTORY_LENGTH);
}
