import type { AuditEventView, ResponseOf } from "../../shared/control.ts";
import { AppError } from "../../shared/errors.ts";
import type { ConnectedClient } from "../sdk/connect.ts";
import type { Context } from "./context.ts";
import { detailWords } from "./record-words.ts";
import { renderTable } from "./table.ts";
import { badUsage } from "./values.ts";
import { countWords } from "./words.ts";

const QUERIES = ["by-status", "durations", "failures", "refusals", "priority"] as const;

/** Asks the audit: a ready-made question, the timeline of a task, or whether the chain holds. */
export async function run(
  context: Context,
  [what = "by-status", id]: [string | undefined, string | undefined],
  { hours }: { readonly hours: number },
): Promise<number> {
  if (!(hours > 0)) throw badUsage("--hours takes a number above 0.");
  const client = await context.client();
  if (what === "task") return timeline(context, client, id);
  if (what === "verify") return verify(context, client);
  const query = QUERIES.find((name) => name === what);
  if (query === undefined)
    throw badUsage(
      `${what} is no question to the audit: ${QUERIES.join(", ")}, task <id> or verify.`,
    );
  const answer = await client.request("audit_query", { query, hours });
  context.result(answer, () => answerText(answer));
  return 0;
}

async function timeline(
  context: Context,
  client: ConnectedClient,
  id: string | undefined,
): Promise<number> {
  if (id === undefined) throw badUsage("Name the task: msgsys audit task <id>.");
  const answer = await client.request("audit_task", { id });
  if (answer.events.length === 0) throw new AppError("task-not-found", { id });
  context.result(answer, () => eventsText(answer.events));
  return 0;
}

async function verify(context: Context, client: ConnectedClient): Promise<number> {
  const answer = await client.request("audit_verify", {}, { timeoutMs: 600_000 });
  context.result(answer, () =>
    answer.ok
      ? `The audit is whole: ${countWords(answer.rows)} events, every hash fits the one before.`
      : `The audit was changed at event ${answer.firstBad}: ${answer.what}.`,
  );
  return answer.ok ? 0 : 1;
}

function answerText({ columns, rows }: ResponseOf["audit_query"]): string {
  const numeric = columns.map((_, at) => rows.every((row) => typeof row[at] === "number"));
  return renderTable(
    columns.map((title, at) => ({
      title,
      align: rows.length > 0 && numeric[at] ? "right" : "left",
    })),
    rows.map((row) => row.map(cellText)),
  );
}

function cellText(value: string | number | null): string {
  if (value === null) return "–";
  if (typeof value === "string") return value;
  return Number.isInteger(value) ? countWords(value) : value.toFixed(1);
}

function eventsText(events: readonly AuditEventView[]): string {
  return renderTable(
    [
      { title: "Event", align: "right" },
      { title: "At" },
      { title: "What" },
      { title: "By" },
      { title: "Detail" },
    ],
    events.map((event) => [
      String(event.seq),
      event.at,
      event.kind,
      event.by === null ? "–" : `${event.by}${event.role === null ? "" : ` (${event.role})`}`,
      detailWords(event.detail),
    ]),
  );
}
