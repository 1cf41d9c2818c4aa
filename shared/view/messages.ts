/**
 * What a dashboard (a webview of VS Code, or a page in a browser) and its host (the extension, or the daemon) say to each
 * other. Types and constants: the view needs no schema, and the host parses what a view sends (`commands.ts`), because a view
 * shows texts of strangers and is not trusted.
 */
import type { ConnectionChange, ConnectionState, Remedy } from "../connection.ts";
import type { RequestOf, ResponseOf } from "../control.ts";
import type { WireError } from "../errors.ts";
import type { Role } from "../roles.ts";
import type { TaskStatus } from "../task.ts";

/** A host in a browser closes the socket with this code when the page must sign in again: trying anew is of no use. */
export const SIGNED_OUT_CODE = 4401;

/** Where a dashboard can be. `id` is a task's or a run's; `filter` the text of the screen's filter box. */
export interface Address {
  readonly screen: Screen;
  readonly id?: string;
  readonly filter?: string;
}

export const SCREENS = [
  "overview",
  "feed",
  "queues",
  "runs",
  "run",
  "task",
  "dead",
  "history",
  "connection",
] as const;
export type Screen = (typeof SCREENS)[number];

/** The verbs that a dashboard may ask for; each is checked and authorized as if its user had asked by hand. */
export const VIEW_VERBS = [
  "status",
  "metrics",
  "get",
  "list",
  "why",
  "queues",
  "definitions",
  "runs",
  "run_get",
  "audit_query",
  "audit_task",
  "escalate",
  "undo",
  "retry",
  "redrive",
  "cancel",
  "cancel_run",
  "run",
  "enqueue",
] as const;
export type ViewVerb = (typeof VIEW_VERBS)[number];

/** What a view sends. */
export type ViewCommand =
  /** The document is there (anew): the host answers `hello`, the connection and, when it had one, the address. */
  | { readonly type: "ready" }
  | {
      [V in ViewVerb]: {
        readonly type: "request";
        /** Chosen by the view; its reply carries the same. */
        readonly id: number;
        readonly verb: V;
        readonly body: RequestOf<V>;
      };
    }[ViewVerb]
  /** Opens the live feed (or closes it). The host sends at most two batches ahead of the acknowledgements. */
  | { readonly type: "feed"; readonly open: boolean }
  | { readonly type: "feed-ack"; readonly batch: number }
  /** The live-data toggle: off means that the host sends neither batches nor `changed`. */
  | { readonly type: "live"; readonly on: boolean }
  /** Something that only the host can do. */
  | { readonly type: "host"; readonly id: number; readonly act: HostAct };

export type HostAct =
  | { readonly kind: "remedy"; readonly remedy: Remedy }
  | { readonly kind: "copy"; readonly text: string }
  /** Saves a text to a file that the user chooses. */
  | { readonly kind: "save"; readonly name: string; readonly text: string }
  /** Opens the source of a task's definition, or any file of the workspace. */
  | { readonly kind: "open-source"; readonly task: string }
  /** A JSON text in an editor of its own. */
  | { readonly kind: "open-json"; readonly title: string; readonly text: string }
  | { readonly kind: "run-pipeline"; readonly pipeline: string; readonly phase?: string };

/** What a host sends. */
export type ViewNotice =
  | {
      readonly type: "hello";
      readonly host: "vscode" | "browser";
      /** BCP 47, for dates and words. */
      readonly locale: string;
      /** Translations of the view's own texts, English text → this language's; empty for English. */
      readonly texts: Readonly<Record<string, string>>;
      /** What this host can do beyond requests. */
      readonly acts: readonly HostAct["kind"][];
      readonly remedies: readonly Remedy[];
      readonly limits: ViewLimits;
    }
  | {
      readonly type: "connection";
      readonly state: ConnectionState;
      readonly history: readonly ConnectionChange[];
      /** Who is signed in; null before that is known. */
      readonly identity: { readonly user: string; readonly role: Role } | null;
      readonly subscriptions: readonly SubscriptionView[];
    }
  | {
      readonly type: "reply";
      readonly id: number;
      readonly outcome:
        | { readonly ok: true; readonly value: ResponseOf[ViewVerb] | null }
        | { readonly ok: false; readonly error: WireError };
    }
  | { readonly type: "feed"; readonly batch: FeedBatch }
  /** Something changed that screens show: ask again. At most four a second. */
  | { readonly type: "changed"; readonly changed: Changed }
  | { readonly type: "live"; readonly on: boolean }
  | { readonly type: "navigate"; readonly address: Address };

export interface SubscriptionView {
  readonly subject: string;
  readonly messages: number;
  /** Epoch ms; null before the first. */
  readonly lastAt: number | null;
}

/** Thresholds of "needs attention", from the settings. */
export interface ViewLimits {
  /** The oldest waiting task of a queue is late above this. */
  readonly oldestWaitMs: number;
  /** So many waiting tasks are a backlog. */
  readonly backlog: number;
}

export interface Changed {
  /** Counts or lanes. */
  readonly queues: boolean;
  readonly dead: boolean;
  /** Runs that changed; a run's id also when one of its tasks did. */
  readonly runs: readonly string[];
  /** Tasks that changed, at most 200; null: more than that. */
  readonly tasks: readonly string[] | null;
}

/** One row of the live feed. */
export interface FeedRow {
  /** Grows by one from row to row of a host; a gap is what was dropped or left out. */
  readonly seq: number;
  /** Epoch ms. */
  readonly at: number;
  /** `task.completed`, `task.escalated`, `task.progress`, `worker.lost`, `events.cls.sync.completed` … */
  readonly type: string;
  readonly severity: "info" | "warning" | "error";
  /** What it is about: a task's name, a file, a worker; empty when there is none. */
  readonly subject: string;
  readonly taskId: string | null;
  readonly runId: string | null;
  readonly status: TaskStatus | null;
  readonly queue: string | null;
  /** One line in words. */
  readonly text: string;
  readonly by: string | null;
  readonly traceId: string | null;
  /** How many like it were joined into this one. */
  readonly times: number;
}

export interface FeedBatch {
  readonly batch: number;
  readonly rows: readonly FeedRow[];
  /** Rows that were left out since the last batch, of kinds that may be sampled; 0: none. */
  readonly sampledOut: number;
  /** Rows lost because the view was too slow, since the feed was opened. */
  readonly dropped: number;
  /** Events heard in the last second. */
  readonly perSecond: number;
  /** Epoch ms of the newest event; null: none yet. */
  readonly lastAt: number | null;
}
