import type { EnqueuedNews, FollowEvent } from "../bus/follow.ts";
import { LEVEL_NAMES, PHASES } from "../priority.ts";
import { TASK_ID_PATTERN } from "../subjects.ts";
import type { DeadReason, JournalRecord } from "../task.ts";
import { formatDuration } from "../time.ts";
import type { FeedRow } from "./messages.ts";

/** A row before the feed gives it its number. */
export interface RowDraft extends Omit<FeedRow, "seq" | "times"> {
  /** Never left out while there is room: warnings, errors and ends of tasks. */
  readonly isKept: boolean;
  /** Rows of one key that wait to be sent become one; null: stands for itself. */
  readonly joinKey: string | null;
}

type Values = Readonly<Record<string, string | number>>;

/** Gives a text in the user's language; `{name}` is filled from the values. */
export type Say = (english: string, values?: Values) => string;

export const sayEnglish: Say = (english, values = {}) =>
  english.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));

const TEXT_LIMIT = 300;
const NAME_LIMIT = 200;

/** Characters that move the cursor, hide or turn text around, and what was no Unicode: shown, they would deceive. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]+/gu;

/** One line of at most `limit` characters (UTF-16 units) that a person can read, whatever came. */
export function cleanText(text: string, limit = TEXT_LIMIT): string {
  // Cut first: a text of megabytes must cost nothing.
  const head = text.length > 4 * limit ? text.slice(0, 4 * limit) : text;
  const line = head.toWellFormed().replace(UNSAFE, " ").trim();
  if (line.length <= limit && head.length === text.length) return line;
  return `${line.slice(0, limit - 1).toWellFormed()}…`;
}

/** What happened, as rows of the live feed: in words, cut to sane lengths. Never throws: anyone may publish an event. */
export function toRows(event: FollowEvent, say: Say = sayEnglish): readonly RowDraft[] {
  switch (event.kind) {
    case "task":
      return [taskRow(event, say)];
    case "system":
      return systemRows(event, say);
    case "domain":
      return [domainRow(event)];
    default:
      return event satisfies never;
  }
}

const PLAIN = {
  severity: "info",
  subject: "",
  taskId: null,
  runId: null,
  status: null,
  queue: null,
  text: "",
  by: null,
  traceId: null,
  isKept: false,
  joinKey: null,
} as const satisfies Partial<RowDraft>;

type Told = Pick<RowDraft, "type" | "text"> & Partial<Pick<RowDraft, "severity" | "isKept">>;

function taskRow(event: FollowEvent & { kind: "task" }, say: Say): RowDraft {
  const { record, taskId, queue, status } = event;
  const told = record.act === undefined ? toldByRecord(record, say) : toldByAct(record, say);
  const subject = cleanText(record.n ?? queue, NAME_LIMIT);
  return {
    ...PLAIN,
    at: record.t,
    subject,
    taskId,
    runId: record.run?.id ?? runOfTask(taskId, record.n),
    status,
    queue,
    by: record.by === undefined ? null : cleanText(record.by, NAME_LIMIT),
    isKept: told.severity !== undefined && told.severity !== "info",
    ...told,
    text: cleanText(told.text),
  };
}

/** The run that a phase's task belongs to: its id is made of run and phase (`cls.sync`, `<run>-sync`). */
export function runOfTask(taskId: string, name: string | undefined): string | null {
  const phase = PHASES.find((one) => taskId.endsWith(`-${one}`));
  if (phase === undefined || !name?.endsWith(`.${phase}`)) return null;
  return taskId.slice(0, -phase.length - 1);
}

function levelWords(level: number): string {
  return `${level} ${LEVEL_NAMES[level] ?? ""}`.trim();
}

function reasonOf({ why }: JournalRecord): string {
  return why === undefined ? "" : ` “${cleanText(why)}”`;
}

function messageOf(record: JournalRecord, say: Say): string {
  return cleanText(record.e?.message ?? say("no error was told"));
}

const DEAD_WORDS: Readonly<Record<DeadReason, string>> = {
  "attempts-exhausted": "All {attempts} attempts failed: {error}",
  "non-retryable": "Failed for good: {error}",
  "worker-lost": "Its worker was lost at the last of {attempts} attempts",
  poison: "Put aside: it took three workers down in a row",
  invalid: "Cannot be run: {error}",
  discarded: "Discarded: {error}",
};

function deadRow(record: JournalRecord, say: Say): Told {
  const words = DEAD_WORDS[record.dead ?? "attempts-exhausted"];
  const text = say(words, { attempts: record.a, error: messageOf(record, say) });
  return { type: "task.dead", severity: "error", text, isKept: true };
}

/** What a worker's own record tells. */
function toldByRecord(record: JournalRecord, say: Say): Told {
  const of = { attempt: record.a, attempts: record.x ?? record.a, worker: record.w ?? "" };
  switch (record.s) {
    case "running":
      return { type: "task.started", text: say("Attempt {attempt} of {attempts} started", of) };
    case "completed": {
      const text = say("Completed in {duration}", { duration: formatDuration(record.du ?? 0) });
      return { type: "task.completed", text, isKept: true };
    }
    case "cancelled":
      return { type: "task.cancelled", text: say("Cancelled"), isKept: true };
    case "dead":
      return deadRow(record, say);
    case "retrying": {
      const inMs = Math.max(0, (record.due ?? record.t) - record.t);
      const values = { ...of, error: messageOf(record, say), delay: formatDuration(inMs) };
      const text = say("Attempt {attempt} of {attempts} failed: {error} – next in {delay}", values);
      return { type: "task.failed", severity: "warning", text };
    }
    case "scheduled": {
      const inMs = Math.max(0, (record.due ?? record.t) - record.t);
      return {
        type: "task.scheduled",
        text: say("Starts in {delay}", { delay: formatDuration(inMs) }),
      };
    }
    case "waiting":
      if (record.e === undefined) return { type: "task.waiting", text: say("Waits for its turn") };
      return {
        type: "task.failed",
        severity: "warning",
        text: say("Attempt {attempt} of {attempts} failed: {error}", {
          ...of,
          error: messageOf(record, say),
        }),
      };
    default:
      return record.s satisfies never;
  }
}

/** What a person's or the system's act did to a task. */
function toldByAct(record: JournalRecord, say: Say): Told {
  const { act, from, l } = record;
  const values = { by: cleanText(record.by ?? "", NAME_LIMIT), why: reasonOf(record) };
  switch (act) {
    case "prioritize":
    case "urgent":
    case "critical":
    case "raise":
    case "lower":
    case "undo":
    case "ageing": {
      const levels = { from: from ?? "?", to: levelWords(l), ...values };
      const type = act === "lower" || l < (from ?? l) ? "task.lowered" : "task.escalated";
      return { type, text: say("Priority {from} → {to} by {by}{why}", levels), isKept: true };
    }
    case "cancel":
      return { type: "task.cancelled", text: say("Cancelled by {by}{why}", values), isKept: true };
    case "retry":
      return {
        type: "task.retried",
        text: say("Retried at once by {by}{why}", values),
        isKept: true,
      };
    case "redrive":
      return {
        type: "task.redriven",
        text: say("Given a new life by {by}{why}", values),
        isKept: true,
      };
    case "lost":
      if (record.s === "dead") return deadRow(record, say);
      return {
        type: "task.lost",
        severity: "warning",
        text: say("Its worker was lost; it waits for another"),
      };
    case "handback":
      return { type: "task.handed-back", text: say("Given back by a worker that stops") };
    case "due":
      return { type: "task.due", text: say("Its time has come; it waits for its turn") };
    case "repair":
      return {
        type: "task.repaired",
        severity: "warning",
        text: say("Its message was lost and was published again"),
      };
    case "discard":
      return { type: "task.discarded", text: say("Discarded by {by}{why}", values), isKept: true };
    case undefined:
      return toldByRecord(record, say);
    default:
      return act satisfies never;
  }
}

type Loose = Readonly<Record<string, unknown>>;

function asObject(value: unknown): Loose {
  return typeof value === "object" && value !== null ? (value as Loose) : {};
}

function asText(value: unknown, limit = NAME_LIMIT): string | null {
  return typeof value === "string" && value !== "" ? cleanText(value, limit) : null;
}

function asTaskId(value: unknown): string | null {
  return typeof value === "string" && TASK_ID_PATTERN.test(value) ? value : null;
}

function systemRows(event: FollowEvent & { kind: "system" }, say: Say): readonly RowDraft[] {
  const data = asObject(event.data);
  const heardAt = Date.parse(event.at);
  if (event.event === "enqueued") return enqueuedRows(heardAt, event.data as EnqueuedNews, say);
  // When it happened, where the sender says so: a burst is heard later than it was.
  const at = Date.parse(asText(data["at"]) ?? "") || heardAt;
  const [area, kind] = event.event.split(".");
  const base = {
    ...PLAIN,
    at,
    subject: asText(data["name"]) ?? "",
    taskId: asTaskId(data["taskId"]),
    runId: asText(data["runId"]),
  };
  if (area === "task" && kind === "progress")
    return [{ ...base, ...progressOf(data, say), joinKey: `progress ${base.taskId}` }];
  if (area === "task" && kind === "stale") {
    const text = say(
      "A result that came too late was not taken: the task had another worker by then",
    );
    return [{ ...base, type: "task.stale", severity: "warning", text, isKept: true }];
  }
  const text = dataWords(event.data);
  return [{ ...base, type: cleanText(event.event, NAME_LIMIT), text }];
}

function progressOf(data: Loose, say: Say): Pick<RowDraft, "type" | "text" | "status"> {
  const done = Number(data["done"] ?? 0);
  const total = typeof data["total"] === "number" ? data["total"] : null;
  const values = { done, total: total ?? 0, what: asText(data["what"]) ?? "" };
  const known = total !== null && total > 0;
  const text = known
    ? say("{percent} %: {done} of {total} {what}", {
        ...values,
        percent: Math.min(100, Math.floor((100 * done) / total)),
      })
    : say("{done} {what}", values);
  return { type: "task.progress", text: cleanText(text), status: "running" };
}

function enqueuedRows(at: number, news: EnqueuedNews, say: Say): readonly RowDraft[] {
  const rows = news.shown.map(({ id, name, queue, level, by, at }): RowDraft => {
    const text = say("Enqueued by {by} at {level}", { by, level: levelWords(level) });
    return {
      ...PLAIN,
      at,
      type: "task.enqueued",
      subject: cleanText(name, NAME_LIMIT),
      taskId: id,
      runId: runOfTask(id, name),
      status: "waiting",
      queue,
      by: cleanText(by, NAME_LIMIT),
      text: cleanText(text),
    };
  });
  const more = news.tasks - news.shown.length;
  if (more <= 0) return rows;
  const queues = news.queues.join(", ");
  const text = cleanText(say("{n} more tasks were enqueued in {queues}", { n: more, queues }));
  return [...rows, { ...PLAIN, at, type: "task.enqueued", status: "waiting", text, isKept: true }];
}

function domainRow(event: FollowEvent & { kind: "domain" }): RowDraft {
  const data = asObject(event.data);
  const type = cleanText(event.subject, NAME_LIMIT);
  const text = dataWords(event.data);
  return {
    ...PLAIN,
    at: Date.parse(event.at),
    type,
    subject: asText(data["name"]) ?? asText(data["file"]) ?? asText(data["path"]) ?? "",
    taskId: asTaskId(data["taskId"]),
    runId: asText(data["runId"]) ?? asText(asObject(data["run"])["id"]),
    queue: null,
    by: asText(data["by"]),
    traceId: asText(data["traceId"]),
    text,
    joinKey: `${type} ${text}`,
  };
}

const MOST_WORDS = 12;

/** Data of any shape in one line: `rows 20, file a.csv`; what is nested is only counted. */
function dataWords(data: unknown): string {
  if (typeof data === "string") return cleanText(data);
  if (typeof data !== "object" || data === null) return data === undefined ? "" : String(data);
  const words = Object.entries(data)
    .slice(0, MOST_WORDS)
    .map(([key, value]) => `${cleanText(key, 60)} ${valueWords(value)}`);
  return cleanText(words.join(", "));
}

function valueWords(value: unknown): string {
  if (typeof value === "string") return cleanText(value, 100);
  if (Array.isArray(value)) return `(${value.length})`;
  if (typeof value === "object" && value !== null) {
    const { id, name } = value as { id?: unknown; name?: unknown };
    return asText(name) ?? asText(id) ?? `{${Object.keys(value).length}}`;
  }
  return String(value);
}
