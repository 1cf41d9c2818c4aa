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
  | {
      readonly kind: "system";
      readonly at: string;
      readonly event: string;
      readonly data: unknown;
      /** Its sequence in the stream of events, when it was read back from there. */
      readonly seq?: number;
    }
  /** A domain event of a user. */
  | {
      readonly kind: "domain";
      readonly at: string;
      readonly subject: string;
      readonly data: unknown;
      readonly seq?: number;
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
  const kinds = kindsOf(filter);
  if (kinds.includes("task"))
    listen(names.fact(filter.queue ?? "*", filter.taskId ?? "*"), (message) =>
      readTask(filter, names.parseFact(message.subject), message.string()),
    );
  if (kinds.includes("system"))
    listen(systemSubject(names, filter), (message) =>
      readSystem(names, message.subject, message.string(), iso(deps.now())),
    );
  if (kinds.includes("domain"))
    listen(domainSubject(filter), (message) =>
      readDomain(message.subject, message.string(), iso(deps.now())),
    );
  // A new task has no record yet: the daemon tells of many of them together.
  if (kinds.includes("system") && filter.taskId === undefined)
    listen(names.enqueued, (message) => readEnqueued(message, deps.now()));
  return {
    stop() {
      for (const subscription of open) subscription.unsubscribe();
    },
  };
}

/** The kinds that can fit the filter: a condition about tasks leaves out what is not about a task. */
export function kindsOf(filter: FollowFilter): FollowEvent["kind"][] {
  const wanted = filter.kinds ?? ["task", "system", "domain"];
  const ofTasksOnly = filter.queue !== undefined || filter.runId !== undefined;
  return wanted.filter((kind) => {
    if (kind === "task") return true;
    return !ofTasksOnly && (kind === "system" || filter.taskId === undefined);
  });
}

export function systemSubject(names: Names, { taskId }: FollowFilter): string {
  return names.event(taskId === undefined ? ">" : `task.*.${taskId}`);
}

export function domainSubject({ subject }: FollowFilter): string {
  return subject ?? `${EVENTS_ROOT}.>`;
}

/** A journal record as an event; null when it does not fit, or is of a later version. */
export function readTask(
  filter: FollowFilter,
  place: { readonly queue: string; readonly taskId: string } | null,
  text: string,
): FollowEvent | null {
  if (place === null) return null;
  let record: JournalRecord;
  try {
    record = decodeRecord(text);
  } catch {
    // Ignored: a record of a later version; a follower shows what it can read.
    return null;
  }
  if (filter.runId !== undefined && !isOfRun(filter.runId, place.taskId, record)) return null;
  return { kind: "task", at: iso(record.t), ...place, status: record.s, record };
}

/** Few records name their run; the task of a phase is called after both. */
function isOfRun(runId: string, taskId: string, record: JournalRecord): boolean {
  if (record.run !== undefined) return record.run.id === runId;
  return taskId.startsWith(`${runId}-`) && !taskId.slice(runId.length + 1).includes("-");
}

export function readSystem(names: Names, subject: string, text: string, at: string): FollowEvent {
  const event = subject.slice(names.event("").length);
  return { kind: "system", at, event, data: readData(text) };
}

export function readDomain(subject: string, text: string, at: string): FollowEvent {
  return { kind: "domain", at, subject, data: readData(text) };
}

function readEnqueued(message: Msg, now: number): FollowEvent {
  return { kind: "system", at: iso(now), event: "enqueued", data: message.json<EnqueuedNews>() };
}

/** Anyone may publish a domain event: what is not JSON is told as text. */
function readData(text: string): unknown {
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
