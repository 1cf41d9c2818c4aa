import type { RunView, TaskFilter, TaskSummary } from "../../shared/control.ts";
import type { TaskStatus } from "../../shared/task.ts";
import type { Context } from "./context.ts";
import type { Paint } from "./io.ts";
import { renderTable } from "./table.ts";
import { badUsage } from "./values.ts";
import { durationWords, levelWords, relativeTime, statusWords } from "./words.ts";

interface Options
  extends Pick<
    TaskFilter,
    "queue" | "name" | "level" | "minLevel" | "maxLevel" | "bucket" | "by" | "text"
  > {
  readonly status?: TaskStatus[];
  readonly dead?: boolean;
  readonly run?: string;
  readonly limit: number;
  readonly cursor?: string;
  readonly runs?: boolean;
}

/** Lists tasks, or with `--runs` pipeline runs. */
export async function run(context: Context, _: unknown, options: Options): Promise<number> {
  const client = await context.client();
  if (options.runs) {
    const view = await client.request("runs", { limit: options.limit });
    context.result(view, () => runsText(view.runs, context.paint, context.io));
    return 0;
  }
  const { status, dead, run: runId, limit, cursor, runs: _runs, ...rest } = options;
  const where: TaskFilter = {
    ...rest,
    ...(runId === undefined ? {} : { runId }),
    ...(dead ? { status: ["dead"] } : status === undefined ? {} : { status }),
  };
  if (cursor !== undefined && !/^\d+$/.test(cursor))
    throw badUsage(`${cursor} is no cursor: take the one that a list printed below itself.`);
  const page = await client.list({ where, limit, cursor });
  context.result(page, () => tasksText(page.tasks, context.paint, context.io));
  if (page.next !== null) context.hint(`There are more: --cursor ${page.next}`);
  return 0;
}

/** Tasks as a table. */
export function tasksText(
  tasks: readonly TaskSummary[],
  paint: Paint,
  { now, columns }: { now(): number; columns: number },
): string {
  if (tasks.length === 0) return "No task.";
  const nowMs = now();
  return renderTable(
    [
      { title: "Id" },
      { title: "Task", shrinks: true },
      { title: "Status" },
      { title: "Level" },
      { title: "Queue" },
      { title: "Created" },
      { title: "Took", align: "right" },
      { title: "By" },
      { title: "Error", shrinks: true },
    ],
    tasks.map((task) => [
      task.id,
      task.name,
      statusWords(task.status, paint),
      levelWords(task.priority),
      task.queue,
      relativeTime(task.createdAt, nowMs),
      durationWords(task.durationMs),
      task.by ?? "–",
      task.error ?? "",
    ]),
    { width: columns, head: (text) => paint("bold", text) },
  );
}

function runsText(
  runs: readonly RunView[],
  paint: Paint,
  { now, columns }: { now(): number; columns: number },
): string {
  if (runs.length === 0) return "No run.";
  return renderTable(
    [
      { title: "Id" },
      { title: "Pipeline" },
      { title: "Status" },
      { title: "Phases", shrinks: true },
      { title: "Started" },
      { title: "By" },
    ],
    runs.map((one) => [
      one.id,
      one.pipeline,
      statusWords(one.status, paint),
      one.phases.map(({ phase, status }) => `${phase} ${status}`).join(", "),
      relativeTime(one.createdAt, now()),
      one.by,
    ]),
    { width: columns, head: (text) => paint("bold", text) },
  );
}
