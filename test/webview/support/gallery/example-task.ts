/** An example of a task's whole life, as the audit tells it. For looking at and tests only. */
import type {
  AttemptView,
  AuditEventView,
  PriorityChange,
  ResponseOf,
  TaskDetail,
} from "../../../../shared/control.ts";
import type { JournalRecord } from "../../../../shared/task.ts";
import { EXAMPLE_NOW, exampleTask, HOSTILE, LONG } from "./example-data.ts";

const SECOND = 1000;
const MAX_ATTEMPTS = 4;
/** The first event of every example, before its now. */
const LIFE_MS = 900 * SECOND;

const at = (seconds: number): string =>
  new Date(EXAMPLE_NOW - LIFE_MS + seconds * SECOND).toISOString();

interface Life {
  readonly events: AuditEventView[];
  readonly attempts: AttemptView[];
  readonly changes: PriorityChange[];
}

/** A wait, an escalation, and as many attempts as its status needs. */
function lifeOf(index: number): Life {
  const task = exampleTask(index);
  const life: Life = { events: [], attempts: [], changes: [] };
  const tell = (seconds: number, record: Partial<JournalRecord> & Pick<JournalRecord, "s">) =>
    life.events.push({
      seq: life.events.length * 7,
      at: at(seconds),
      kind: `task.${record.s}`,
      by: record.by ?? null,
      role: record.role ?? null,
      detail: { ...record },
    });
  life.events.push({
    seq: 0,
    at: at(0),
    kind: "task.enqueued",
    by: "operator1",
    role: null,
    detail: {},
  });
  escalate(life, tell);
  if (task.status === "scheduled") tell(13, { s: "scheduled", due: Date.parse(task.dueAt ?? "") });
  if (task.status === "waiting" || task.status === "scheduled") return life;
  const count = task.status === "dead" ? MAX_ATTEMPTS : task.status === "retrying" ? 2 : 1;
  for (let n = 1; n <= count; n++) attempt(life, tell, n, n === count ? task.status : "retrying");
  return life;
}

type Tell = (seconds: number, record: Partial<JournalRecord> & Pick<JournalRecord, "s">) => void;

function escalate(life: Life, tell: Tell): void {
  const why = `customer call ${HOSTILE}`;
  tell(12, { s: "waiting", act: "urgent", from: 5, l: 9, by: "manager1", role: "Manager", why });
  life.changes.push(
    { at: at(12), by: "manager1", role: "Manager", from: 5, to: 9, action: "urgent", reason: why },
    {
      at: at(60),
      by: "ada",
      role: "Admin",
      from: 9,
      to: 8,
      action: "lower",
      reason: "not so urgent",
    },
  );
}

function attempt(life: Life, tell: Tell, n: number, status: JournalRecord["s"]): void {
  const start = 14 + (n - 1) * 92;
  const end = start + 30.4;
  const isOpen = status === "running";
  const isGood = status === "completed";
  const error = {
    code: "timed-out",
    message: "no reply from the warehouse within 30 s",
    stack: LONG,
  };
  life.attempts.push({
    attempt: n,
    generation: n,
    worker: `w${n}`,
    startedAt: at(start),
    endedAt: isOpen ? null : at(end),
    durationMs: isOpen ? null : 30_400,
    outcome: isOpen ? "running" : isGood ? "completed" : "timed-out",
    error: isOpen || isGood ? null : error,
  });
  tell(start, { s: "running", a: n });
  if (isOpen) return;
  const dead = status === "dead" ? { dead: "attempts-exhausted" as const, a: n } : {};
  tell(end, { s: status, ...(isGood ? {} : { e: error }), ...dead });
  if (status === "retrying") tell(end + 60, { s: "waiting", act: "due" });
}

/** A task's number; the tasks of the example run have names for ids. */
function indexOf(id: string): number {
  if (id.endsWith("-task")) return id.startsWith("integrate") ? 2 : 4;
  return Number(id.slice(-6)) || 0;
}

export function exampleDetail(id: string): TaskDetail {
  const index = indexOf(id);
  const task = exampleTask(index);
  const life = lifeOf(index);
  return {
    ...task,
    id,
    createdAt: at(0),
    startedAt: life.attempts.at(-1)?.startedAt ?? null,
    attempts: life.attempts.length,
    priority: 8,
    maxAttempts: MAX_ATTEMPTS,
    worker: task.status === "running" ? "vo0SgAZQY7LrNNwnRi2mEV" : null,
    inputJson: `{"root":"~/cls/november","id":9007199254740993,"note":${JSON.stringify(HOSTILE)},"rows":[1,2.50,1e21]}`,
    resultJson: task.status === "completed" ? '{"rows":42,"big":18446744073709551615}' : null,
    deadReason: task.status === "dead" ? "attempts-exhausted" : null,
    correlationId: null,
    traceId: "7f3a9c0211d94a1b",
    category: "etl",
    phase: "load",
    attemptHistory: life.attempts,
    priorityHistory: life.changes,
    progress: task.status === "running" ? { done: 12_480, total: 20_400, what: "rows" } : null,
  };
}

export function exampleAudit(id: string): AuditEventView[] {
  return lifeOf(indexOf(id)).events;
}

const REASONS = ["customer call", HOSTILE, "month end; the report must be out before nine", null];

/** What the audit answers to its ready-made questions. */
export function exampleAuditQuery(query: string): ResponseOf["audit_query"] {
  const when = (index: number): string =>
    new Date(EXAMPLE_NOW - index * 733 * SECOND).toISOString();
  if (query === "refusals") {
    return {
      columns: ["at", "user", "role", "verb", "what", "target"],
      rows: Array.from({ length: 6 }, (_, index) => [
        when(index),
        "grace",
        "Viewer",
        "escalate",
        "grace (Viewer) may not set the level 9; it needs the role Manager",
        index % 2 === 0 ? exampleTask(index).id : null,
      ]),
    };
  }
  return {
    columns: ["at", "task_id", "by", "role", "action", "from_level", "to_level", "reason"],
    rows: Array.from({ length: 30 }, (_, index) => [
      when(index),
      exampleTask(index).id,
      ["ada", "manager1"][index % 2]!,
      ["Admin", "Manager"][index % 2]!,
      ["urgent", "lower", "undo"][index % 3]!,
      [5, 9, 8][index % 3]!,
      [9, 5, 5][index % 3]!,
      REASONS[index % REASONS.length]!,
    ]),
  };
}
