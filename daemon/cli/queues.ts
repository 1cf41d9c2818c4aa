import type { DefinitionView } from "../../shared/control.ts";
import type { Context } from "./context.ts";
import { queuesText } from "./status.ts";
import { renderTable } from "./table.ts";
import { durationWords, levelWords } from "./words.ts";

/** The queues, or with `--tasks` the names that workers know. */
export async function run(
  context: Context,
  _: unknown,
  { tasks }: { readonly tasks?: boolean },
): Promise<number> {
  const client = await context.client();
  if (tasks) {
    const known = await client.definitions();
    context.result(known, () =>
      [
        definitionsText(known.tasks),
        ...known.pipelines.map(({ name, phases }) => `Pipeline ${name}: ${phases.join(" → ")}`),
      ].join("\n"),
    );
    return 0;
  }
  const view = await client.queues();
  context.result(view, () => queuesText(view.queues));
  return 0;
}

function definitionsText(tasks: readonly DefinitionView[]): string {
  if (tasks.length === 0) return "No worker knows a task.";
  return renderTable(
    [
      { title: "Task" },
      { title: "Queue" },
      { title: "Level" },
      { title: "Attempts", align: "right" },
      { title: "Time limit", align: "right" },
      { title: "Source" },
    ],
    tasks.map((task) => [
      task.name,
      task.queue,
      levelWords(task.priority),
      String(task.maxAttempts),
      durationWords(task.timeoutMs),
      task.source ?? "",
    ]),
  );
}
