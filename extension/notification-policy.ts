/** When a person is interrupted, and with what. Pure: the shell shows what comes out. Instants are epoch ms. */
import type { CauseCode, ConnectionState } from "../shared/connection.ts";
import type { DeadLetterNews } from "./app-context.ts";
import { OUTAGE_MS } from "./status.ts";

/** Dead letters of so long are told together. */
export const MERGE_MS = 60_000;
/** The first are told after this: a burst begins with one. */
export const GATHER_MS = 2000;

/** What the policy remembers. */
export interface NoticeState {
  readonly outage:
    | { readonly kind: "none" }
    /** The connection that stood is lost since then; nobody was told. */
    | { readonly kind: "silent"; readonly since: number; readonly cause: CauseCode }
    | { readonly kind: "told" };
  readonly dead: {
    readonly gathered: readonly DeadLetterNews[];
    /** When they are told; null: nothing is gathered. */
    readonly tellAt: number | null;
    readonly toldAt: number | null;
  };
}

export const NO_NOTICES: NoticeState = {
  outage: { kind: "none" },
  dead: { gathered: [], tellAt: null, toldAt: null },
};

export type NoticeEvent =
  | { readonly kind: "connection"; readonly state: ConnectionState }
  | { readonly kind: "dead"; readonly letter: DeadLetterNews }
  /** Time has passed: the event itself says nothing. */
  | { readonly kind: "tick" };

export type Notice =
  | { readonly kind: "outage"; readonly cause: CauseCode }
  /** The outage that was told is over: its notification goes by itself, and nothing else is said. */
  | { readonly kind: "recovered" }
  | {
      readonly kind: "dead";
      readonly total: number;
      /** The most frequent first. */
      readonly causes: readonly { readonly cause: string; readonly count: number }[];
    };

export interface NoticeStep {
  readonly state: NoticeState;
  readonly notices: readonly Notice[];
}

export function reduceNotices(state: NoticeState, event: NoticeEvent, now: number): NoticeStep {
  const heard =
    event.kind === "connection" ? hear(state, event.state, now) : { state, notices: [] };
  const gathered = event.kind === "dead" ? gather(heard.state, event.letter, now) : heard.state;
  const outage = tellOutage(gathered, now);
  const dead = tellDead(outage.state, now);
  return { state: dead.state, notices: [...heard.notices, ...outage.notices, ...dead.notices] };
}

/** When the policy must be asked again; null: at the next event. */
export function noticesDueAt({ outage, dead }: NoticeState): number | null {
  const due = [outage.kind === "silent" ? outage.since + OUTAGE_MS : null, dead.tellAt];
  const times = due.filter((at) => at !== null);
  return times.length === 0 ? null : Math.min(...times);
}

/** One outage begins with the loss of a connection that stood, and ends with the next one or with a wish to stop. */
function hear(state: NoticeState, connection: ConnectionState, now: number): NoticeStep {
  const { outage } = state;
  switch (connection.kind) {
    case "reconnecting":
      if (outage.kind === "told") return { state, notices: [] };
      return {
        state: {
          ...state,
          outage: {
            kind: "silent",
            since: outage.kind === "silent" ? outage.since : now,
            cause: connection.cause.code,
          },
        },
        notices: [],
      };
    case "offline":
      // Never connected: the views say so, and nobody has lost anything.
      if (outage.kind !== "silent") return { state, notices: [] };
      return {
        state: { ...state, outage: { ...outage, cause: connection.cause.code } },
        notices: [],
      };
    case "connected":
    case "stopped":
    case "starting":
      return {
        state: { ...state, outage: { kind: "none" } },
        notices: outage.kind === "told" ? [{ kind: "recovered" }] : [],
      };
    case "idle":
    case "connecting":
      return { state, notices: [] };
    default:
      return connection satisfies never;
  }
}

function tellOutage(state: NoticeState, now: number): NoticeStep {
  const { outage } = state;
  if (outage.kind !== "silent" || now - outage.since < OUTAGE_MS) return { state, notices: [] };
  return {
    state: { ...state, outage: { kind: "told" } },
    notices: [{ kind: "outage", cause: outage.cause }],
  };
}

function gather(state: NoticeState, letter: DeadLetterNews, now: number): NoticeState {
  const { dead } = state;
  const earliest = dead.toldAt === null ? 0 : dead.toldAt + MERGE_MS;
  return {
    ...state,
    dead: {
      ...dead,
      gathered: [...dead.gathered, letter],
      tellAt: dead.tellAt ?? Math.max(now + GATHER_MS, earliest),
    },
  };
}

function tellDead(state: NoticeState, now: number): NoticeStep {
  const { gathered, tellAt } = state.dead;
  if (tellAt === null || now < tellAt) return { state, notices: [] };
  const counts = new Map<string, number>();
  for (const { cause } of gathered) counts.set(cause, (counts.get(cause) ?? 0) + 1);
  const causes = [...counts]
    .map(([cause, count]) => ({ cause, count }))
    .sort((a, b) => b.count - a.count);
  return {
    state: { ...state, dead: { gathered: [], tellAt: null, toldAt: now } },
    notices: [{ kind: "dead", total: gathered.length, causes }],
  };
}
