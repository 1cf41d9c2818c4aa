import type { TlsOptions } from "@nats-io/transport-node";
import type { UserView } from "../../shared/control.ts";
import type { WireError } from "../../shared/errors.ts";
import type { Cell } from "../db/bulk-insert.ts";
import type { LogData } from "../log.ts";
import type { AuditStore, EnqueueJournaled, Purgeable, RunningTask } from "./audit-store.ts";
import type { EventRow } from "./chain.ts";
import type { PriorityChanged } from "./writer.ts";

/** How the audit's thread reaches the broker. Crosses to the thread by copy, so it holds no functions. */
export interface AuditNats {
  readonly servers: string | readonly string[];
  /** The nkey seed; null for a broker without users. */
  readonly seed: string | null;
  readonly inboxPrefix: string;
  /** Accept exactly the certificate in this file: the embedded server's own. */
  readonly pinnedCertFile?: string;
  /** File names of a certificate authority, or of a client certificate, in PEM. */
  readonly tls?: Pick<TlsOptions, "caFile" | "certFile" | "keyFile">;
}

export interface ThreadData {
  readonly file: string;
  readonly prefix: string;
  readonly nats: AuditNats;
  readonly board: SharedArrayBuffer;
  /** Records from this instant on (epoch ms) are counted on the board. */
  readonly countSince: number;
}

/** Numbers that the thread writes and everyone reads without a message, as 64-bit integers. */
export const BOARD = {
  /** Highest sequence that was followed in memory. */
  followed: 0,
  /** Highest sequence in the database. */
  written: 1,
  /** Highest sequence of the stream, as far as known. */
  last: 2,
  /** Grows when the database file was opened anew, so that readers open it anew too. */
  opened: 3,
  /** Up to this sequence records were counted. */
  counted: 4,
  /** How many tasks ended in each way, and how many executions failed, since the daemon started. */
  completed: 5,
  cancelled: 6,
  dead: 7,
  failed: 8,
} as const;
export const BOARD_BYTES = 8 * 9;

export type AuditState = AuditStore["state"];

/** What the thread is asked, and what it answers. */
export interface Questions {
  withdraw: { ask: readonly string[]; answer: null };
  putUser: { ask: UserView; answer: null };
  removeUser: { ask: string; answer: null };
  followed: { ask: number; answer: null };
  written: { ask: number; answer: null };
  running: { ask: string | null; answer: RunningTask[] };
  purgeFloor: { ask: number; answer: number };
  purgeable: { ask: { retentionMs: number; done: number }; answer: Purgeable };
  stop: { ask: null; answer: null };
}
export type QuestionKind = keyof Questions;

export type ToThread =
  | {
      readonly kind: "enqueue";
      /** Numbers of the calls, how many cells each has, and all cells in one flat array. */
      readonly calls: readonly number[];
      readonly sizes: readonly number[];
      readonly cells: readonly Cell[];
    }
  | { readonly kind: "event"; readonly row: EventRow }
  | { readonly kind: "priority"; readonly change: PriorityChanged }
  | {
      [K in QuestionKind]: {
        readonly kind: "ask";
        readonly call: number;
        readonly question: K;
        readonly ask: Questions[K]["ask"];
      };
    }[QuestionKind];

export type FromThread =
  | { readonly kind: "ready"; readonly state: AuditState }
  | { readonly kind: "failed"; readonly error: WireError }
  | {
      readonly kind: "enqueued";
      readonly calls: readonly number[];
      /** Null: every row was journaled. */
      readonly outcomes: readonly (readonly EnqueueJournaled[])[] | null;
    }
  | { readonly kind: "unavailable"; readonly calls: readonly number[]; readonly what: string }
  | { readonly kind: "answer"; readonly call: number; readonly value: unknown }
  | { readonly kind: "refusal"; readonly call: number; readonly error: WireError }
  | { readonly kind: "state"; readonly state: AuditState }
  | {
      readonly kind: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly event: string;
      readonly data: LogData;
    };
