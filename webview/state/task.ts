import type { AuditEventView, TaskDetail } from "../../shared/control.ts";
import { readJson } from "../ui/json-text.ts";

type Actable = Pick<TaskDetail, "status" | "priorityHistory">;

/** Acts that have a button of their own in a task's detail, in the order of reading. */
const ORDER = ["redrive", "prioritize", "urgent", "critical", "undo", "retry", "cancel"] as const;
export type DetailAct = (typeof ORDER)[number];

/** The acts that make sense for a task as it stands, whoever may do them. Pure. */
export function actsFor({ status, priorityHistory }: Actable): readonly DetailAct[] {
  const isWaiting = status === "waiting" || status === "scheduled" || status === "retrying";
  const hasChange = priorityHistory.some(({ action }) => action !== "undo");
  const fits: Readonly<Record<DetailAct, boolean>> = {
    redrive: status === "dead" || status === "cancelled",
    prioritize: isWaiting,
    urgent: isWaiting,
    critical: isWaiting,
    undo: isWaiting && hasChange,
    // Of a dead letter that is what redriving is.
    retry: status === "scheduled" || status === "retrying",
    cancel: isWaiting || status === "running",
  };
  return ORDER.filter((act) => fits[act]);
}

/**
 * All that is known of a task as one JSON text. Input and result stand in it as they were written, so that 64-bit
 * integers stay exact; events are without the result, which stands there once. Pure.
 */
export function rawOf(task: TaskDetail, events: readonly AuditEventView[]): string {
  const { inputJson, resultJson, ...facts } = task;
  const members = [
    ...Object.entries(facts).map(([name, value]) => [name, JSON.stringify(value)] as const),
    ["input", verbatim(inputJson)] as const,
    ["result", verbatim(resultJson)] as const,
    ["events", JSON.stringify(events.map(withoutResult))] as const,
  ];
  return `{\n${members.map(([name, text]) => `  ${JSON.stringify(name)}: ${text}`).join(",\n")}\n}`;
}

/** JSON text as it is; what is none, as a string. */
function verbatim(text: string | null): string {
  if (text === null) return "null";
  return readJson(text) === null ? JSON.stringify(text) : text;
}

function withoutResult({ detail, ...event }: AuditEventView) {
  const { r: _result, ...kept } = detail;
  return { ...event, detail: kept };
}

/** Why a text cannot be an input; null: it can. The daemon looks at it again, with the task's schema. */
export function inputFault(text: string): "not-json" | null {
  return readJson(text) === null ? "not-json" : null;
}
