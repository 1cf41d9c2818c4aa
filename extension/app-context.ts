/**
 * What the parts of the extension get to work with. `app.ts` makes it; views, commands and the dashboard are given it.
 * No part reaches another by import but through here.
 */
import type { ExtensionContext, MessageItem } from "vscode";
import type { Client } from "../shared/bus/client.ts";
import type { ConnectionChange, ConnectionState, Remedy } from "../shared/connection.ts";
import type { AppError } from "../shared/errors.ts";
import type { Role } from "../shared/roles.ts";
import type {
  CommandArgs,
  CommandId,
  ContextKey,
  ContextValues,
  SettingKey,
  SettingValues,
} from "./contributions.ts";
import type { Observable, Source } from "./observable.ts";

export interface App {
  readonly vscode: ExtensionContext;
  /**
   * The client of the daemon; null before there was a connection and after it was given up. The same client lives on
   * through reconnects, and its `follow` too (its requests fail meanwhile: see `connection`); another daemon or another
   * login is another client.
   */
  client(): Client | null;
  /** Calls `listener` when another client is there, or none any more. Returns how to stop listening. */
  onClient(listener: (client: Client | null) => void): () => void;
  /**
   * A connected client: the present one, or the one that is there once the connection stands. Starts a daemon when none
   * runs, if the settings allow it. Rejects with an AppError that says what is missing.
   */
  connected(): Promise<Client>;
  /** Begins to look for a daemon, once; for views that become visible. Starts none. */
  connect(): void;
  readonly connection: Observable<ConnectionState>;
  /** Changes of the connection, oldest first, at most `HISTORY_LENGTH`. */
  history(): readonly ConnectionChange[];
  /** Who is signed in; null before that is known. */
  readonly identity: Observable<Identity | null>;
  /** What the status bar shows of the work; whoever follows the queues sets it, null when nobody knows. */
  readonly work: Source<WorkSummary | null>;
  /** The live-data toggle of all views of this window. */
  readonly live: Source<boolean>;
  setting<K extends SettingKey>(key: K): SettingValues[K];
  /** Calls `listener` when one of these settings changed. Returns how to stop listening. */
  onSetting(keys: readonly SettingKey[], listener: () => void): () => void;
  setContext<K extends ContextKey>(key: K, value: ContextValues[K]): void;
  runCommand<C extends CommandId>(id: C, ...args: CommandArgs[C]): Promise<void>;
  /** Does one of the things that a guidance offers. */
  perform(remedy: Remedy): Promise<void>;
  readonly notifications: Notifications;
  readonly log: Log;
  /** Disposes it with the extension, last in first out; at once when the extension has ended already. */
  register(...disposables: readonly { dispose(): unknown }[]): void;
}

export interface Identity {
  readonly user: string;
  readonly role: Role;
}

/** Counts of one moment. Instants are epoch ms. */
export interface WorkSummary {
  readonly waiting: number;
  readonly running: number;
  /** Dead letters that came since the user last looked at them. */
  readonly deadUnseen: number;
  /** `timeout (2)`: their causes, the most frequent first. */
  readonly deadCauses: readonly string[];
  /** Where work is late by the settings' limits; null: nowhere. */
  readonly backlog: { readonly where: string; readonly since: number } | null;
}

/** Writes to the output channel "msg_sys". `event` is in past tense; no secrets, no payloads. */
export interface Log {
  debug(event: string, data?: object): void;
  info(event: string, data?: object): void;
  warn(event: string, data?: object): void;
  error(event: string, data?: object): void;
}

/** Everything that may interrupt a person passes here; each is a line of the output channel too. */
export interface Notifications {
  /** An order of the user was refused or failed: the message, its hint, and the one act that may help. */
  failed(error: AppError, act?: NotificationAct): void;
  /** A task became a dead letter; those of a minute are told together. */
  deadLetter(letter: DeadLetterNews): void;
  /** A run that this user started ended, and no view shows it. */
  runEnded(run: RunNews): void;
}

export interface NotificationAct extends MessageItem {
  run(): void;
}

export interface DeadLetterNews {
  readonly taskId: string;
  readonly name: string;
  /** The code of the error, or why it was given up: `timed-out`, `poison`. */
  readonly cause: string;
}

export interface RunNews {
  readonly runId: string;
  readonly pipeline: string;
  readonly outcome: "completed" | "failed" | "cancelled";
  readonly tookMs: number;
}

/**
 * What a command does. `whenOffline`: `start` connects first, and starts a daemon if none runs; `explain` tells why
 * nothing can be done and what helps; `run` needs no daemon.
 * Failures are thrown: whoever registers the table tells them once. A picker that was left is `undefined`, no error.
 */
export type Command<Args extends readonly unknown[] = readonly unknown[]> =
  | {
      readonly whenOffline: "start" | "explain";
      run(client: Client, ...args: Args): Promise<unknown> | unknown;
    }
  | { readonly whenOffline: "run"; run(...args: Args): Promise<unknown> | unknown };

/** Commands by id. Each part hands in those that it owns; `app.ts` does not compile until all have an owner. */
export type CommandTable<C extends CommandId = CommandId> = {
  readonly [Id in C]: Command<CommandArgs[Id]>;
};
