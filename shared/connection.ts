/**
 * The one state of a connection to a daemon, for status bar, trees, notifications and dashboard alike. Pure and without
 * zod: the webview uses it too.
 *
 * ```
 *           start           dial            opened
 *   idle ─────────► starting ───► connecting ───────► connected ◄────────────┐
 *     │                              ▲  │ failed          │ lost             │ opened
 *     └──────────── dial ────────────┘  ▼                 ▼                  │
 *                                    offline ◄─────── reconnecting ──────────┘
 *                                      │   gave-up
 *   stopped ◄── stop (from anywhere)   └── dial ──► connecting
 * ```
 */
export type ConnectionState =
  /** Nobody asked for a connection yet. */
  | { readonly kind: "idle" }
  /** A daemon is being started. */
  | { readonly kind: "starting"; readonly since: number }
  | {
      readonly kind: "connecting";
      readonly since: number;
      readonly attempt: number;
      readonly url: string;
    }
  | {
      readonly kind: "connected";
      readonly since: number;
      readonly url: string;
      /** Round trip in ms; null before the first was measured. */
      readonly rttMs: number | null;
      readonly daemonVersion: string;
      readonly serverVersion: string;
    }
  | {
      readonly kind: "reconnecting";
      readonly since: number;
      readonly attempt: number;
      readonly url: string;
      readonly cause: ConnectionCause;
      /** Epoch ms of the next attempt; null while one is on its way. */
      readonly nextTryAt: number | null;
    }
  /** No attempt goes on: a person must do something. */
  | { readonly kind: "offline"; readonly since: number; readonly cause: ConnectionCause }
  /** The user stopped the daemon, or signed out. */
  | { readonly kind: "stopped"; readonly since: number };

/** Why there is no connection. `detail` is the library's or system's own text, for the log and a tooltip. */
export interface ConnectionCause {
  readonly code: CauseCode;
  readonly detail: string;
}

export const CAUSE_CODES = [
  "no-daemon",
  "refused",
  "timeout",
  "closed",
  "credentials",
  "not-signed-in",
  "tls",
  "dns",
  "jetstream-off",
  "version-mismatch",
  "locked",
  "server-missing",
  "port-taken",
  "disk-full",
  "database",
  "unwritable",
  "settings",
  "untrusted",
  "unknown",
] as const;
export type CauseCode = (typeof CAUSE_CODES)[number];

/** What happened; instants are epoch ms. */
export type ConnectionEvent =
  | { readonly kind: "start"; readonly at: number }
  | { readonly kind: "dial"; readonly at: number; readonly url: string }
  | {
      readonly kind: "opened";
      readonly at: number;
      readonly url: string;
      readonly daemonVersion: string;
      readonly serverVersion: string;
    }
  | { readonly kind: "rtt"; readonly at: number; readonly rttMs: number }
  | { readonly kind: "lost"; readonly at: number; readonly cause: ConnectionCause }
  /** A further attempt begins, or (with `nextTryAt`) is planned. */
  | {
      readonly kind: "retry";
      readonly at: number;
      readonly cause: ConnectionCause;
      readonly nextTryAt: number | null;
    }
  | { readonly kind: "gave-up"; readonly at: number; readonly cause: ConnectionCause }
  | { readonly kind: "stop"; readonly at: number };

export const INITIAL_CONNECTION: ConnectionState = { kind: "idle" };

/** The next state; the same object when nothing changes, so that readers can compare by identity. */
export function reduceConnection(state: ConnectionState, event: ConnectionEvent): ConnectionState {
  const { at } = event;
  switch (event.kind) {
    case "start":
      return state.kind === "starting" ? state : { kind: "starting", since: at };
    case "dial":
      return state.kind === "connecting"
        ? { ...state, attempt: state.attempt + 1, url: event.url }
        : { kind: "connecting", since: at, attempt: 1, url: event.url };
    case "opened": {
      const { url, daemonVersion, serverVersion } = event;
      const since = state.kind === "connected" ? state.since : at;
      return { kind: "connected", since, url, rttMs: null, daemonVersion, serverVersion };
    }
    case "rtt":
      return state.kind === "connected" ? { ...state, rttMs: event.rttMs } : state;
    case "lost":
      return state.kind === "connected"
        ? {
            kind: "reconnecting",
            since: at,
            attempt: 1,
            url: state.url,
            cause: event.cause,
            nextTryAt: null,
          }
        : state;
    case "retry":
      if (state.kind !== "reconnecting") return state;
      return {
        ...state,
        attempt: state.attempt + (event.nextTryAt === null ? 1 : 0),
        cause: event.cause,
        nextTryAt: event.nextTryAt,
      };
    case "gave-up":
      return state.kind === "stopped" ? state : { kind: "offline", since: at, cause: event.cause };
    case "stop":
      return state.kind === "stopped" ? state : { kind: "stopped", since: at };
    default:
      return event satisfies never;
  }
}

/** One line of the history of a connection. */
export interface ConnectionChange {
  readonly at: number;
  readonly kind: ConnectionState["kind"];
  readonly cause: ConnectionCause | null;
}

/** Changes that are kept; the oldest go first. */
export const HISTORY_LENGTH = 200;

/** What a person can do about a cause; the ids are commands of the host. */
export const REMEDIES = [
  "start-daemon",
  "restart-daemon",
  "retry",
  "show-log",
  "open-settings",
  "sign-in",
  "manage-trust",
] as const;
export type Remedy = (typeof REMEDIES)[number];

/** What happened, the likely reason, and up to three things to do, the most useful first. */
export interface Guidance {
  readonly what: string;
  readonly why: string;
  readonly remedies: readonly Remedy[];
}

/** English; the keys of the translations are these sentences themselves. */
export const GUIDANCE: Readonly<Record<CauseCode, Guidance>> = {
  "no-daemon": {
    what: "No daemon is running.",
    why: "It was not started yet, or it was stopped.",
    remedies: ["start-daemon", "show-log", "open-settings"],
  },
  refused: {
    what: "The server refused the connection.",
    why: "It is probably not running, or it listens at another address.",
    remedies: ["start-daemon", "show-log", "open-settings"],
  },
  timeout: {
    what: "The server did not answer in time.",
    why: "The machine may be overloaded, or a firewall drops the connection.",
    remedies: ["retry", "show-log", "open-settings"],
  },
  closed: {
    what: "The server closed the connection.",
    why: "It was stopped or restarted, or its machine went away.",
    remedies: ["retry", "start-daemon", "show-log"],
  },
  credentials: {
    what: "The server refused your credentials.",
    why: "They were revoked or rotated, or they belong to another server.",
    remedies: ["sign-in", "show-log"],
  },
  "not-signed-in": {
    what: "You are not signed in to this server.",
    why: "A remote daemon needs a credentials file from one of its Admins.",
    remedies: ["sign-in", "open-settings"],
  },
  tls: {
    what: "The encrypted connection could not be set up.",
    why: "The server's certificate is not the one that is expected here.",
    remedies: ["open-settings", "show-log"],
  },
  dns: {
    what: "The server's name could not be found.",
    why: "The address is misspelt, or this machine is not on the network.",
    remedies: ["open-settings", "retry"],
  },
  "jetstream-off": {
    what: "The server has JetStream switched off.",
    why: "msg_sys keeps its tasks in JetStream streams.",
    remedies: ["open-settings", "show-log"],
  },
  "version-mismatch": {
    what: "The daemon and this extension are of different versions.",
    why: "One of them was updated while the other went on running.",
    remedies: ["restart-daemon", "show-log"],
  },
  locked: {
    what: "Another process holds the data directory.",
    why: "A daemon that is starting, stopping or stuck keeps it.",
    remedies: ["retry", "show-log", "open-settings"],
  },
  "server-missing": {
    what: "No nats-server was found on this machine.",
    why: "This package carries none for this platform, and none is on the PATH.",
    remedies: ["open-settings", "show-log"],
  },
  "port-taken": {
    what: "The port of the server is taken.",
    why: "Another program listens there.",
    remedies: ["open-settings", "retry", "show-log"],
  },
  "disk-full": {
    what: "The disk of the data directory is full.",
    why: "The server cannot store anything more.",
    remedies: ["retry", "show-log", "open-settings"],
  },
  database: {
    what: "The audit database cannot be used.",
    why: "It is damaged, or a newer version wrote it.",
    remedies: ["show-log", "open-settings"],
  },
  unwritable: {
    what: "The data directory cannot be written.",
    why: "It belongs to somebody else, it is read-only, or its path is wrong.",
    remedies: ["open-settings", "start-daemon", "show-log"],
  },
  settings: {
    what: "The daemon cannot use one of its settings.",
    why: "A variable, an .env file or msgsys.config.ts says something that does not fit.",
    remedies: ["show-log", "open-settings", "start-daemon"],
  },
  untrusted: {
    what: "This workspace is not trusted.",
    why: "Starting a daemon would run code of the workspace.",
    remedies: ["manage-trust"],
  },
  unknown: {
    what: "The connection failed.",
    why: "The log has the details.",
    remedies: ["retry", "show-log"],
  },
};
