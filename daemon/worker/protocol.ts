import type { DefinitionView } from "../../shared/control.ts";

/** What a worker tells the daemon when it comes up (request on `worker.hello.<id>`); again after each reconnect. */
export interface Hello {
  readonly id: string;
  readonly pool: string;
  readonly pid: number;
  readonly host: string;
  readonly startedAt: string;
  readonly slots: number;
  readonly expressSlots: number;
  /** Queue names, or `*`. */
  readonly queues: readonly string[];
  readonly definitions: readonly DefinitionView[];
  /** Why the workspace's config could not be loaded; the built-in tasks run all the same. */
  readonly configError: string | null;
}

/** What the daemon answers: the terms that all workers share. */
export interface Welcome {
  readonly heartbeatMs: number;
  readonly ackWaitMs: number;
  readonly journalRetentionMs: number;
  readonly busyMs: number;
  readonly idleMs: number;
  /** The broker syncs every write to disk: the journal's writes travel in batches. */
  readonly strict: boolean;
}

export interface Beat {
  readonly running: number;
  /** How long the worker's main loop has not turned. */
  readonly blockedMs: number;
}

/** In the place of a worker's id: an order to every worker, which nobody answers. */
export const ALL_WORKERS = "all";

/** An order of the daemon to one worker (request on `worker.order.<id>`). */
export type Order =
  | {
      readonly kind: "cancel";
      readonly taskId: string;
      readonly by: string;
      readonly role: string;
      readonly why: string | null;
    }
  /** Somebody wants to change this task: claim it if it runs here unclaimed. */
  | { readonly kind: "yield"; readonly taskId: string }
  /** Its lease ended: the task of the running record with the sequence `claim` is somebody else's. Nobody answers. */
  | { readonly kind: "lost"; readonly taskId: string; readonly claim: number }
  /** A level of a queue has its consumer now (told to all). */
  | { readonly kind: "lane"; readonly queue: string; readonly level: number }
  /** The daemon does not know this worker: say hello. */
  | { readonly kind: "hello" };

export interface OrderReply {
  readonly done: boolean;
}

/** The last word of a worker that leaves in order (publish on `worker.hello.<id>`). */
export interface Goodbye {
  readonly id: string;
  readonly goodbye: true;
}
