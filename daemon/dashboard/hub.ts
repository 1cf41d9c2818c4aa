import type { NatsConnection } from "@nats-io/transport-node";
import type { FollowEvent, Following } from "../../shared/bus/client.ts";
import { follow } from "../../shared/bus/follow.ts";
import {
  type ConnectionChange,
  type ConnectionEvent,
  HISTORY_LENGTH,
  INITIAL_CONNECTION,
  reduceConnection,
} from "../../shared/connection.ts";
import { describe } from "../../shared/errors.ts";
import { EVENTS_ROOT, type Names } from "../../shared/subjects.ts";
import type { SubscriptionView, ViewNotice } from "../../shared/view/messages.ts";
import type { Log } from "../log.ts";
import type { NatsLink } from "../nats/connect.ts";
import { VERSION } from "../version.ts";

type ConnectionView = Omit<Extract<ViewNotice, { type: "connection" }>, "type" | "identity">;

/** What all open dashboards share: one ear for what happens, and the daemon's own connection to the broker. */
export interface Hub {
  follow(callback: (event: FollowEvent) => void): Following;
  connection(): ConnectionView;
  /** Measures the way to the broker and back. */
  measure(): Promise<void>;
  onConnection(listener: () => void): () => void;
  stop(): Promise<void>;
}

export interface HubDeps {
  readonly link: NatsLink;
  readonly url: string;
  readonly names: Names;
  now(): number;
  readonly log: Log;
}

export function createHub(deps: HubDeps): Hub {
  const { link, names, now } = deps;
  const watch = watchConnection(deps);
  const listeners = new Set<(event: FollowEvent) => void>();
  const heard = createCounts(names);
  let following: Following | null = null;

  function listen(): void {
    following ??= follow(
      { nc: link.nc, names, now },
      {},
      (event) => {
        heard.count(event, now());
        for (const listener of listeners) listener(event);
      },
      (error) => deps.log.warn("dashboards do not hear", { error: describe(error) }),
    );
  }

  return {
    follow(callback) {
      listeners.add(callback);
      listen();
      return {
        stop() {
          listeners.delete(callback);
          if (listeners.size > 0) return;
          following?.stop();
          following = null;
        },
      };
    },
    connection: () => ({ ...watch.read(), subscriptions: heard.views() }),
    measure: watch.measure,
    onConnection: watch.onChange,
    async stop() {
      following?.stop();
      following = null;
      listeners.clear();
      watch.stop();
    },
  };
}

/** Keeps the state and the history of the daemon's own connection in the words that every dashboard knows. */
function watchConnection({ link, url, now }: HubDeps) {
  const listeners = new Set<() => void>();
  const history: ConnectionChange[] = [];
  let state = INITIAL_CONNECTION;

  function happen(event: ConnectionEvent): void {
    const next = reduceConnection(state, event);
    if (next === state) return;
    if (next.kind !== state.kind) {
      const cause = "cause" in next ? next.cause : null;
      history.push({ at: event.at, kind: next.kind, cause });
      if (history.length > HISTORY_LENGTH) history.shift();
    }
    state = next;
    for (const listener of listeners) listener();
  }

  function opened(): void {
    const serverVersion = serverVersionOf(link.nc);
    happen({ kind: "opened", at: now(), url, daemonVersion: VERSION, serverVersion });
  }

  const unwatch = link.onState((there) => {
    if (there.kind === "connected") return opened();
    const detail = there.kind === "reconnecting" ? there.why : describe(there.error);
    happen({ kind: "lost", at: now(), cause: { code: "closed", detail } });
  });
  opened();

  return {
    read: () => ({ state, history: [...history] }),
    async measure(): Promise<void> {
      if (state.kind !== "connected") return;
      try {
        happen({ kind: "rtt", at: now(), rttMs: await link.nc.rtt() });
      } catch {
        // Ignored: the connection went meanwhile, which the link tells by itself.
      }
    },
    onChange(listener: () => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: unwatch,
  };
}

function serverVersionOf(nc: NatsConnection): string {
  return nc.info?.version ?? "";
}

/** How much was heard on which subject. */
function createCounts(names: Names): {
  count(event: FollowEvent, now: number): void;
  views(): readonly SubscriptionView[];
} {
  const subjects: Readonly<Record<FollowEvent["kind"], string>> = {
    task: names.fact("*", "*"),
    system: names.event(">"),
    domain: `${EVENTS_ROOT}.>`,
  };
  const counts = new Map<FollowEvent["kind"], { messages: number; lastAt: number | null }>(
    (Object.keys(subjects) as FollowEvent["kind"][]).map((kind) => [
      kind,
      { messages: 0, lastAt: null },
    ]),
  );
  return {
    count({ kind }, now) {
      const entry = counts.get(kind);
      if (entry === undefined) return;
      entry.messages += 1;
      entry.lastAt = now;
    },
    views: () => [...counts].map(([kind, entry]) => ({ subject: subjects[kind], ...entry })),
  };
}
