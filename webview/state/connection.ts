import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { ConnectionChange, ConnectionState } from "../../shared/connection.ts";
import { DAY } from "../../shared/time.ts";
import type { SubscriptionView, ViewNotice } from "../../shared/view/messages.ts";
import type { Host } from "../host.ts";
import type { Link } from "../transport.ts";

type Told = Extract<ViewNotice, { type: "connection" }>;

export interface ConnectionStore {
  /** The state as far as this view can know it: without a link to its host it is not connected either. */
  readonly state: ReadonlySignal<ConnectionState>;
  readonly phase: ReadonlySignal<"connected" | "opening" | "down">;
  /** Oldest first. */
  readonly history: ReadonlySignal<readonly ConnectionChange[]>;
  readonly identity: ReadonlySignal<Told["identity"]>;
  readonly subscriptions: ReadonlySignal<readonly SubscriptionView[]>;
  /** The daemon does not know this browser any more. */
  readonly isSignedOut: ReadonlySignal<boolean>;
}

/** What the host told, overruled by what the link says. Pure. */
export function stateOf(told: ConnectionState, link: Link, place: string): ConnectionState {
  switch (link.kind) {
    case "open":
      return told;
    case "signed-out":
      return { kind: "offline", since: link.since, cause: { code: "not-signed-in", detail: "" } };
    case "closed": {
      if (told.kind === "idle") {
        return {
          kind: "connecting",
          since: link.since,
          attempt: Math.max(1, link.attempt),
          url: place,
        };
      }
      return {
        kind: "reconnecting",
        since: link.since,
        attempt: Math.max(1, link.attempt),
        url: place,
        cause: { code: "closed", detail: "" },
        nextTryAt: link.nextTryAt,
      };
    }
    default:
      return link satisfies never;
  }
}

export function phaseOf({ kind }: ConnectionState): "connected" | "opening" | "down" {
  if (kind === "connected") return "connected";
  return kind === "idle" || kind === "starting" || kind === "connecting" ? "opening" : "down";
}

export function createConnection(host: Host, place: string): ConnectionStore {
  const told = signal<Told>({
    type: "connection",
    state: { kind: "idle" },
    history: [],
    identity: null,
    subscriptions: [],
  });
  host.onNotice((notice) => {
    if (notice.type === "connection") told.value = notice;
  });
  const state = computed(() => stateOf(told.value.state, host.link.value, place));
  return {
    state,
    phase: computed(() => phaseOf(state.value)),
    history: computed(() => told.value.history.toSorted((a, b) => a.at - b.at)),
    identity: computed(() => told.value.identity),
    subscriptions: computed(() => told.value.subscriptions),
    isSignedOut: computed(() => host.link.value.kind === "signed-out"),
  };
}

/** A piece of the uptime band: wholly connected, partly, not at all, or before anything is known. */
export type BandCell = "up" | "partly" | "down" | "unknown";

export interface Uptime {
  /** Oldest first. */
  readonly cells: readonly BandCell[];
  /** Of the time that is known, 0–1; null when none is. */
  readonly share: number | null;
  /** Times that a connection was lost. */
  readonly drops: number;
  readonly longestDownMs: number;
}

interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly isUp: boolean;
}

/** The last day (or `spanMs`) of a connection, out of its changes, oldest first. Pure. */
export function uptimeOf(
  history: readonly ConnectionChange[],
  now: number,
  options: { readonly spanMs?: number; readonly cells?: number } = {},
): Uptime {
  const { spanMs = DAY, cells = 48 } = options;
  const start = now - spanMs;
  const stretches = history
    .map(
      ({ at, kind }, index): Stretch => ({
        from: Math.max(at, start),
        to: history[index + 1]?.at ?? now,
        isUp: kind === "connected",
      }),
    )
    .filter(({ from, to }) => to > from);
  const up = lengthOf(stretches.filter(({ isUp }) => isUp));
  const all = lengthOf(stretches);
  return {
    cells: Array.from({ length: cells }, (_, index) =>
      cellOf(stretches, start + (index * spanMs) / cells, start + ((index + 1) * spanMs) / cells),
    ),
    share: all === 0 ? null : up / all,
    drops: dropsOf(history, start),
    longestDownMs: longestDownOf(stretches),
  };
}

function lengthOf(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, { from, to }) => sum + to - from, 0);
}

function cellOf(stretches: readonly Stretch[], from: number, to: number): BandCell {
  const inside = stretches
    .map((stretch) => ({
      ...stretch,
      from: Math.max(stretch.from, from),
      to: Math.min(stretch.to, to),
    }))
    .filter((stretch) => stretch.to > stretch.from);
  if (inside.length === 0) return "unknown";
  if (inside.every(({ isUp }) => isUp)) return "up";
  return inside.some(({ isUp }) => isUp) ? "partly" : "down";
}

function dropsOf(history: readonly ConnectionChange[], start: number): number {
  return history.filter(
    ({ at, kind }, index) =>
      at >= start && kind !== "connected" && history[index - 1]?.kind === "connected",
  ).length;
}

/** Changes from one kind of trouble to another are one outage. */
function longestDownOf(stretches: readonly Stretch[]): number {
  let longest = 0;
  let current = 0;
  for (const { from, to, isUp } of stretches) {
    current = isUp ? 0 : current + to - from;
    longest = Math.max(longest, current);
  }
  return longest;
}
