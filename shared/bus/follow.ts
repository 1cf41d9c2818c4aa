import type { Msg, Subscription } from "@nats-io/nats-core";
import { EVENTS_ROOT, type Names } from "../subjects.ts";
import { decodeRecord, type JournalRecord, type TaskStatus } from "../task.ts";
import type { Bus } from "./request.ts";

/** One thing that happened. Instants are ISO 8601 UTC. */
export type FollowEvent =
  | {
      readonly kind: "task";
      readonly at: string;
      readonly taskId: string;
      readonly queue: string;
      readonly status: TaskStatus;
      readonly record: JournalRecord;
    }
  /** A system fact beside the journal; `event` is its kind, e.g. `task.progress.<id>`. */
  | { readonly kind: "system"; readonly at: string; readonly event: string; readonly data: unknown }
  /** A domain event of a user. */
  | {
      readonly kind: "domain";
      readonly at: string;
      readonly subject: string;
      readonly data: unknown;
    };

/** What was enqueued in the last moments: the data of the system fact `enqueued`. */
export interface EnqueuedNews {
  readonly tasks: number;
  /** Some of them. */
  readonly shown: readonly {
    readonly id: string;
    readonly name: string;
    readonly queue: string;
    readonly level: number;
    readonly by: string;
    /** Epoch ms. */
    readonly at: number;
  }[];
  readonly queues: readonly string[];
  readonly runs: readonly string[];
}

/** All conditions must hold; a condition about tasks leaves out everything that is not about a task. */
export interface FollowFilter {
  readonly kinds?: readonly FollowEvent["kind"][] | undefined;
  readonly queue?: string | undefined;
  readonly taskId?: string | undefined;
  readonly runId?: string | undefined;
  /** Subject of domain events, with wildcards; default `events.>`. */
  readonly subject?: string | undefined;
}

export interface Following {
  stop(): void;
}

/** Calls back for everything that happens from now on. `failed` hears when the broker refuses or ends a subscription. */
export function follow(
  deps: { readonly nc: Bus; readonly names: Names; now(): number },
  filter: FollowFilter,
  callback: (event: FollowEvent) => void,
  failed: (error: Error) => void,
): Following {
  const { nc, names } = deps;
  const open: Subscription[] = [];
  const listen = (subject: string, read: (message: Msg) => FollowEvent | null): void => {
    const heard = (error: Error | null, message: Msg): void => {
      const event = error === null ? read(message) : null;
      if (error) failed(error);
      else if (event !== null) callback(event);
    };
    open.push(nc.subscribe(subject, { callback: heard }));
  };
  const wanted = (kind: FollowEvent["kind"]): boolean => filter.kinds?.includes(kind) ?? true;
  const ofTasksOnly = filter.queue !== undefined || filter.runId !== undefined;
  if (wanted("task"))
    listen(names.fact(filter.queue ?? "*", filter.taskId ?? "*"), (message) =>
      readTask(names, filter, message),
    );
  if (wanted("system") && !ofTasksOnly)
    listen(names.event(filter.taskId === undefined ? ">" : `task.*.${filter.taskId}`), (message) =>
      readSystem(names, message, deps.now()),
    );
  // A new task has no record yet: the daemon tells of many of them together.
  if (wanted("system") && !ofTasksOnly && filter.taskId === undefined)
    listen(names.enqueued, (message) => readEnqueued(message, deps.now()));
  if (wanted("domain") && !ofTasksOnly && filter.taskId === undefined)
    listen(filter.subject ?? `${EVENTS_ROOT}.>`, (message) => ({
      kind: "domain",
      at: iso(deps.now()),
      subject: message.subject,
      data: readData(message),
    }));
  return {
    stop() {
      for (const subscription of open) subscription.unsubscribe();
    },
  };
}

function readTask(names: Names, filter: FollowFilter, message: Msg): FollowEvent | null {
  const place = names.parseFact(message.subject);
  if (place === null) return null;
  let record: JournalRecord;
  try {
    record = decodeRecord(message.string());
  } catch {
    // Ignored: a record of a later version; a follower shows what it can read.
    return null;
  }
  if (filter.runId !== undefined && record.run?.id !== filter.runId) return null;
  return { kind: "task", at: iso(record.t), ...place, status: record.s, record };
}

function readSystem(names: Names, message: Msg, now: number): FollowEvent {
  const event = message.subject.slice(names.event("").length);
  return { kind: "system", at: iso(now), event, data: readData(message) };
}

function readEnqueued(message: Msg, now: number): FollowEvent {
  return { kind: "system", at: iso(now), event: "enqueued", data: message.json<EnqueuedNews>() };
}

/** Anyone may publish a domain event: what is not JSON is told as text. */
function readData(message: Msg): unknown {
  const text = message.string();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Ignored: the text itself is the data then.
    return text;
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
