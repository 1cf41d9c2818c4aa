/** What the one item of the status bar tells, decided from one state; and when a change of it is shown. */
import type {
  CauseCode,
  ConnectionCause,
  ConnectionChange,
  ConnectionState,
} from "../shared/connection.ts";
import { SECOND } from "../shared/time.ts";
import type { Identity, WorkSummary } from "./app-context.ts";

/** Everything that the status follows from. Instants are epoch ms. */
export interface StatusInput {
  readonly connection: ConnectionState;
  readonly history: readonly ConnectionChange[];
  readonly identity: Identity | null;
  readonly work: WorkSummary | null;
  /** The live-data toggle. */
  readonly live: boolean;
  /** The connection is to another machine. */
  readonly remote: boolean;
  /** Of the extension. */
  readonly version: string;
  readonly now: number;
}

/** What is said of a connection that stands. */
export interface Standing {
  readonly url: string;
  readonly rttMs: number | null;
  readonly identity: Identity | null;
  readonly work: WorkSummary | null;
}

export type Status =
  | { readonly kind: "idle" }
  | ({ readonly kind: "quiet" | "work" | "paused" } & Standing)
  | ({ readonly kind: "dead" } & Standing & { readonly work: WorkSummary })
  | ({ readonly kind: "slow" } & Standing & {
        readonly backlog: NonNullable<WorkSummary["backlog"]>;
      })
  | { readonly kind: "starting" }
  | { readonly kind: "connecting"; readonly attempt: number; readonly url: string }
  | { readonly kind: "reconnecting"; readonly since: number }
  | { readonly kind: "offline"; readonly cause: ConnectionCause; readonly remote: boolean }
  /** No daemon, and nobody misses one: it was stopped, or never started. */
  | { readonly kind: "off"; readonly remote: boolean }
  | { readonly kind: "update"; readonly daemon: string | null; readonly extension: string };

/** An outage shorter than this is a restart. */
export const OUTAGE_MS = 10 * SECOND;

/** Nothing mends these but a person, so that waiting to tell helps nobody. */
const AT_ONCE: readonly CauseCode[] = ["credentials", "not-signed-in", "tls", "jetstream-off"];

export function statusOf(input: StatusInput): Status {
  const { connection, remote } = input;
  switch (connection.kind) {
    case "idle":
      return { kind: "idle" };
    case "starting":
      return { kind: "starting" };
    case "connecting":
      return { kind: "connecting", attempt: connection.attempt, url: connection.url };
    case "connected":
      return standing(input, connection);
    case "reconnecting":
    case "offline":
      return broken(input, connection.cause);
    case "stopped":
      return { kind: "off", remote };
    default:
      return connection satisfies never;
  }
}

function standing(
  input: StatusInput,
  { url, rttMs, daemonVersion }: ConnectionState & { kind: "connected" },
): Status {
  const { work, identity, version, live, remote } = input;
  const said = { url, rttMs, identity, work };
  // One elsewhere has its own pace of updates; the protocol is what must fit, and did.
  if (daemonVersion !== version && !remote)
    return { kind: "update", daemon: daemonVersion, extension: version };
  if (work !== null && work.deadUnseen > 0) return { kind: "dead", ...said, work };
  if (work !== null && work.backlog !== null)
    return { kind: "slow", ...said, backlog: work.backlog };
  if (!live) return { kind: "paused", ...said };
  return { kind: work !== null && work.waiting > 0 ? "work" : "quiet", ...said };
}

function broken(input: StatusInput, cause: ConnectionCause): Status {
  const { history, connection, remote, now, version } = input;
  if (cause.code === "version-mismatch")
    return { kind: "update", daemon: null, extension: version };
  const since = outageSince(history);
  if (cause.code === "no-daemon" && connection.kind === "offline" && since === null && !remote)
    return { kind: "off", remote };
  const began = since ?? ("since" in connection ? connection.since : now);
  const patient = since !== null && !AT_ONCE.includes(cause.code) && now - began < OUTAGE_MS;
  return patient ? { kind: "reconnecting", since: began } : { kind: "offline", cause, remote };
}

/** When the connection that stood last was lost; null while it stands, and when none ever did. */
export function outageSince(history: readonly ConnectionChange[]): number | null {
  const last = history.findLastIndex(({ kind }) => kind === "connected" || kind === "stopped");
  if (last === -1 || history[last]!.kind === "stopped") return null;
  return history[last + 1]?.at ?? null;
}

/** The next moment at which the status can change by itself; null: by an event alone. */
export function statusChangesAt(input: StatusInput): number | null {
  const status = statusOf(input);
  return status.kind === "reconnecting" ? status.since + OUTAGE_MS : null;
}

const RANK: { readonly [K in Status["kind"]]: number } = {
  quiet: 0,
  work: 0,
  idle: 1,
  paused: 1,
  off: 2,
  starting: 2,
  connecting: 2,
  slow: 3,
  dead: 3,
  reconnecting: 4,
  update: 5,
  offline: 6,
};

const WORSE_AFTER_MS = 500;
const BETTER_AFTER_MS = 2 * SECOND;
/** Counts of the same status; more often would flicker. */
const SAME_AFTER_MS = SECOND;

/** What is shown, and what waits to be. */
export interface Shown {
  readonly status: Status;
  /** When `status` came to be shown. */
  readonly at: number;
  /** What will be shown unless it passes before; `since` when it began to hold. */
  readonly next: { readonly status: Status; readonly since: number } | null;
}

/** A worse status is shown after half a second, a better one after two: what passes sooner is never seen. */
export function reduceShown(shown: Shown, status: Status, now: number): Shown {
  const isSame = status.kind === shown.status.kind;
  const since = shown.next?.status.kind === status.kind ? shown.next.since : now;
  const dueAt = isSame ? shown.at + SAME_AFTER_MS : since + delayMs(shown.status, status);
  if (now >= dueAt) return { status, at: now, next: null };
  return { ...shown, next: { status, since } };
}

/** When the waiting status is due; null when none waits. */
export function shownChangesAt({ status, at, next }: Shown): number | null {
  if (next === null) return null;
  if (next.status.kind === status.kind) return at + SAME_AFTER_MS;
  return next.since + delayMs(status, next.status);
}

function delayMs(from: Status, to: Status): number {
  // The first word is awaited, not flicker.
  if (from.kind === "idle") return 0;
  return RANK[to.kind] >= RANK[from.kind] ? WORSE_AFTER_MS : BETTER_AFTER_MS;
}
