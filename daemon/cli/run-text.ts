import type { RunView } from "../../shared/control.ts";
import type { Paint } from "./io.ts";
import { renderFields, renderTable } from "./table.ts";
import {
  countWords,
  durationWords,
  levelWords,
  plural,
  relativeTime,
  statusWords,
} from "./words.ts";

const WARNINGS_SHOWN = 20;

/** A run for people: what it is, and each phase with what it counted. */
export function runText(run: RunView, paint: Paint, now: number): string {
  const ended = run.endedAt === null ? null : Date.parse(run.endedAt) - Date.parse(run.createdAt);
  const warned = run.warnings > 0 ? ` with ${plural(run.warnings, "warning")}` : "";
  const fields = renderFields([
    ["Run", run.id],
    ["Pipeline", run.pipeline],
    ["Status", `${statusWords(run.status, paint)}${warned}`],
    ["Level", levelWords(run.priority)],
    ["By", run.by],
    ["Started", relativeTime(run.createdAt, now)],
    ["Took", ended === null ? null : durationWords(ended)],
  ]);
  const rows = run.phases.map((phase) => [
    phase.phase,
    statusWords(phase.status, paint),
    phase.startedAt === null || phase.endedAt === null
      ? "–"
      : durationWords(Date.parse(phase.endedAt) - Date.parse(phase.startedAt)),
    phase.error ?? resultWords(phase.result),
    phase.taskId ?? "–",
  ]);
  const table = renderTable(
    [
      { title: "Phase" },
      { title: "Status" },
      { title: "Took", align: "right" },
      { title: "Result" },
      { title: "Task" },
    ],
    rows,
    { head: (text) => paint("bold", text) },
  );
  return [`${fields}\n\n${table}`, warningsText(run, paint)]
    .filter((text) => text !== "")
    .join("\n\n");
}

/** What the phases warned of, for example a file that was not applied. */
function warningsText(run: RunView, paint: Paint): string {
  const warnings = run.phases.flatMap(({ phase, result }) =>
    warningsOf(result).map((text) => `${paint("yellow", "Warning:")} ${phase}: ${text}`),
  );
  const more = warnings.length - WARNINGS_SHOWN;
  const rest = more > 0 ? [`… and ${plural(more, "more warning")}; --json has all.`] : [];
  return [...warnings.slice(0, WARNINGS_SHOWN), ...rest].join("\n");
}

function warningsOf(result: unknown): string[] {
  const { warnings } = (result ?? {}) as { readonly warnings?: unknown };
  return Array.isArray(warnings) ? warnings.map(String) : [];
}

/** The counts in a result that are not zero: `4,000 rowsIn, 3,900 rowsNew`. Anything else has no short form. */
export function resultWords(result: unknown): string {
  if (typeof result !== "object" || result === null) return "";
  return Object.entries(result)
    .filter(
      (entry): entry is [string, number] =>
        typeof entry[1] === "number" && entry[1] !== 0 && !entry[0].endsWith("Ms"),
    )
    .map(([name, count]) => `${countWords(count)} ${spaced(name)}`)
    .join(", ");
}

/** `rowsNew` as `rows new`. */
export function spaced(name: string): string {
  return name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
}
