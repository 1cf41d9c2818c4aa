import type { AttemptView, PriorityChange, TaskDetail } from "../../shared/control.ts";
import { AppError } from "../../shared/errors.ts";
import type { Context } from "./context.ts";
import type { Paint } from "./io.ts";
import { stepWords } from "./progress.ts";
import { runText } from "./run-text.ts";
import { renderFields, renderTable } from "./table.ts";
import { durationWords, levelWords, relativeTime, statusWords } from "./words.ts";

/** Everything about a task; an id that is no task's is looked up among the runs. */
export async function run(context: Context, [id]: [string]): Promise<number> {
  const client = await context.client();
  const task = await client.get(id).catch((error: unknown) => {
    if (error instanceof AppError && error.code === "task-not-found") return error;
    throw error;
  });
  const { paint, io } = context;
  if (!(task instanceof AppError)) {
    context.result(task, () => taskText(task, paint, io.now()));
    return 0;
  }
  const found = await client.getRun(id).catch((error: unknown) => {
    // Neither a task nor a run: the task is what the person most likely meant.
    if (error instanceof AppError && error.code === "run-not-found") throw task;
    throw error;
  });
  context.result(found, () => runText(found, paint, io.now()));
  return 0;
}

/** A task for people. */
export function taskText(task: TaskDetail, paint: Paint, now: number): string {
  const fields = renderFields([
    ["Task", `${task.name}  ${paint("gray", task.id)}`],
    [
      "Status",
      `${statusWords(task.status, paint)}${task.deadReason === null ? "" : ` (${task.deadReason})`}`,
    ],
    ["Level", `${levelWords(task.priority)} (${task.bucket})`],
    ["Queue", task.queue],
    ["Attempt", `${task.attempts} of ${task.maxAttempts}, generation ${task.generation}`],
    ["Worker", task.worker],
    ["Progress", task.progress === null ? null : stepWords({ label: "", ...task.progress })],
    ["Created", `${relativeTime(task.createdAt, now)}${task.by === null ? "" : ` by ${task.by}`}`],
    ["Due", task.dueAt === null ? null : relativeTime(task.dueAt, now)],
    ["Started", task.startedAt === null ? null : relativeTime(task.startedAt, now)],
    ["Ended", task.endedAt === null ? null : relativeTime(task.endedAt, now)],
    ["Took", task.durationMs === null ? null : durationWords(task.durationMs)],
    ["Run", task.runId],
    ["Category", task.category],
    ["Phase", task.phase],
    ["Correlation", task.correlationId],
    ["Trace", task.traceId],
    ["Error", task.error === null ? null : paint("red", task.error)],
    ["Input", task.inputJson],
    ["Result", task.resultJson],
  ]);
  const parts = [fields];
  if (task.attemptHistory.length > 0) parts.push(attemptsText(task.attemptHistory, now));
  if (task.priorityHistory.length > 0) parts.push(prioritiesText(task.priorityHistory, now));
  return parts.join("\n\n");
}

function attemptsText(attempts: readonly AttemptView[], now: number): string {
  return renderTable(
    [
      { title: "Attempt", align: "right" },
      { title: "Outcome" },
      { title: "Started" },
      { title: "Took", align: "right" },
      { title: "Worker" },
      { title: "Error" },
    ],
    attempts.map((attempt) => [
      String(attempt.attempt),
      attempt.outcome,
      relativeTime(attempt.startedAt, now),
      durationWords(attempt.durationMs),
      attempt.worker ?? "–",
      attempt.error?.message ?? "",
    ]),
  );
}

function prioritiesText(changes: readonly PriorityChange[], now: number): string {
  return renderTable(
    [
      { title: "Priority" },
      { title: "From", align: "right" },
      { title: "To", align: "right" },
      { title: "By" },
      { title: "When" },
      { title: "Reason" },
    ],
    changes.map((change) => [
      change.action,
      String(change.from),
      String(change.to),
      `${change.by} (${change.role})`,
      relativeTime(change.at, now),
      change.reason ?? "",
    ]),
  );
}
