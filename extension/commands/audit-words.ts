import type { AuditEventView, TaskDetail } from "../../shared/control.ts";
import type { Say } from "../../shared/view/rows.ts";
import { line, lines } from "../views/foreign.ts";
import { statusWord } from "../views/status-looks.ts";
import { levelWords } from "../views/words.ts";

const VALUE_SHOWN = 2000;
const INPUT_SHOWN = 20_000;

/** A task's audit as a text to read: what it is, then every event with its time, who did it, and its details. */
export function auditText(task: TaskDetail, events: readonly AuditEventView[], say: Say): string {
  const width = Math.max(...events.map(({ kind }) => kind.length), 0);
  const rows = events.flatMap((event) => eventLines(event, width, say));
  return [
    `${line(task.name)}  ${task.id}`,
    `${statusWord(task.status, say)} · ${levelWords(task.priority, say)} · ${task.queue}`,
    ...(task.by === null ? [] : [say("by {user}", { user: line(task.by) })]),
    ...(task.traceId === null ? [] : [`${say("trace")} ${line(task.traceId)}`]),
    "",
    ...rows,
    ...(events.length === 0 ? [say("The audit has no event of it yet.")] : []),
    "",
    ...(task.inputJson === null ? [] : [say("Params:"), lines(task.inputJson, INPUT_SHOWN), ""]),
  ].join("\n");
}

function eventLines(event: AuditEventView, width: number, say: Say): string[] {
  const { at, kind, by, role, detail, seq } = event;
  const who = by === null ? "" : `  ${line(by, 60)}${role === null ? "" : ` (${line(role, 20)})`}`;
  const head = `${at}  ${String(seq).padStart(6)}  ${line(kind, 60).padEnd(width)}${who}`;
  const facts = Object.entries(detail).flatMap(([key, value]) =>
    value === null || value === undefined ? [] : [`    ${line(key, 60)}: ${valueText(value, say)}`],
  );
  return [head.trimEnd(), ...facts];
}

function valueText(value: unknown, say: Say): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (text.length <= VALUE_SHOWN) return line(text, VALUE_SHOWN);
  return `${line(text, VALUE_SHOWN)} ${say("({n} characters)", { n: text.length })}`;
}
