import type { Client, FollowEvent, Following } from "../../shared/bus/client.ts";
import { EVENTS_ROOT, type Names } from "../../shared/subjects.ts";
import type { SubscriptionView } from "../../shared/view/messages.ts";

/** One subscription for all views of a window, which outlives every client. */
export interface Heard {
  /** Calls back for everything that happens from now on, over whichever connection there is. */
  follow(callback: (event: FollowEvent) => void): Following;
  /** What is subscribed now, and what came since; empty while no view listens. */
  subscriptions(): readonly SubscriptionView[];
}

export interface HeardDeps {
  client(): Pick<Client, "follow" | "names"> | null;
  onClient(listener: (client: Pick<Client, "follow" | "names"> | null) => void): () => void;
  /** Hears that the broker refused or ended a subscription. */
  failed(error: Error): void;
  readonly now?: () => number;
}

interface Count {
  messages: number;
  /** Epoch ms; null before the first. */
  lastAt: number | null;
}

const ZERO: Readonly<Count> = { messages: 0, lastAt: null };

/** Nothing is subscribed while nobody listens, so a window without a dashboard costs the broker nothing. */
export function createHeard(deps: HeardDeps): Heard {
  const { now = Date.now } = deps;
  const listeners = new Set<(event: FollowEvent) => void>();
  const counts = new Map<string, Count>();
  let present: { readonly names: Names; readonly following: Following } | null = null;
  let stopWatching: (() => void) | null = null;

  function attach(client: Pick<Client, "follow" | "names"> | null): void {
    present?.following.stop();
    present = null;
    counts.clear();
    if (client === null) return;
    const { names } = client;
    present = { names, following: client.follow({}, (event) => tell(names, event), deps.failed) };
  }

  function tell(names: Names, event: FollowEvent): void {
    const subject = subjectOf(names, event);
    const count = counts.get(subject) ?? { ...ZERO };
    count.messages += 1;
    count.lastAt = now();
    counts.set(subject, count);
    for (const listener of [...listeners]) listener(event);
  }

  function start(): void {
    stopWatching = deps.onClient(attach);
    attach(deps.client());
  }

  function stop(): void {
    stopWatching?.();
    stopWatching = null;
    attach(null);
  }

  return {
    follow(callback) {
      // Of its own, so that the same callback given twice is two followers.
      const listener = (event: FollowEvent): void => callback(event);
      listeners.add(listener);
      if (listeners.size === 1) start();
      return {
        stop() {
          if (listeners.delete(listener) && listeners.size === 0) stop();
        },
      };
    },
    subscriptions() {
      if (present === null) return [];
      return subjectsOf(present.names).map((subject) => ({
        subject,
        ...(counts.get(subject) ?? ZERO),
      }));
    },
  };
}

/** The subjects that `follow` without a filter subscribes to. */
function subjectsOf(names: Names): string[] {
  return [names.fact("*", "*"), names.event(">"), names.enqueued, `${EVENTS_ROOT}.>`];
}

function subjectOf(names: Names, event: FollowEvent): string {
  switch (event.kind) {
    case "task":
      return names.fact("*", "*");
    case "system":
      return event.event === "enqueued" ? names.enqueued : names.event(">");
    case "domain":
      return `${EVENTS_ROOT}.>`;
    default:
      return event satisfies never;
  }
}
