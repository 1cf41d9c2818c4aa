import type { QueueView, StatusView, WorkerView } from "../../shared/control.ts";
import { TASK_STATUSES } from "../../shared/task.ts";
import type { Context } from "./context.ts";
import type { Paint } from "./io.ts";
import { renderFields, renderTable } from "./table.ts";
import { countWords, durationWords, plural, relativeTime, statusWords } from "./words.ts";

/** How the daemon, its workers and its queues are. */
export async function run(context: Context): Promise<number> {
  const status = await (await context.client()).status();
  context.result(status, () => statusText(status, context.paint, context.io.now()));
  return 0;
}

/** The status for people. */
export function statusText(status: StatusView, paint: Paint, now: number): string {
  const { daemon, nats, audit, counts } = status;
  const state = daemon.state === "ready" ? paint("green", "ready") : paint("yellow", daemon.state);
  const fields = renderFields([
    [
      "Daemon",
      `${state}, pid ${daemon.pid}, version ${daemon.version}, started ${relativeTime(daemon.startedAt, now)}`,
    ],
    ["", daemon.degraded.length === 0 ? null : paint("yellow", daemon.degraded.join("\n"))],
    ["Data", daemon.dataDir],
    ["NATS", `${nats.url}, version ${nats.version}, ${nats.embedded ? "embedded" : "external"}`],
    [
      "Audit",
      audit.state === "ok"
        ? `${audit.file}${audit.lagRecords > 0 ? `, ${plural(audit.lagRecords, "record")} behind` : ""}`
        : paint("red", `unavailable: ${audit.cause ?? "no cause known"}`),
    ],
    ["Dashboard", dashboardText(status.dashboard)],
    ["Tasks", countsText(counts, paint)],
  ]);
  return [fields, workersText(status.workers, paint, now), queuesText(status.queues)].join("\n\n");
}

/** `http://127.0.0.1:8051 (port 8050 is taken)`; null hides the line: that daemon has no dashboard. */
function dashboardText(dashboard: StatusView["dashboard"]): string | null {
  if (dashboard === undefined) return null;
  const { url, why } = dashboard;
  if (url === null) return `not served: ${why ?? "no cause known"}`;
  return `${url}${why === null ? "" : ` (${why})`}; \`msgsys dashboard\` signs in`;
}

function countsText(counts: StatusView["counts"], paint: Paint): string {
  const words = TASK_STATUSES.filter((status) => counts[status] > 0).map(
    (status) => `${countWords(counts[status])} ${statusWords(status, paint)}`,
  );
  return words.length === 0 ? "none yet" : words.join(", ");
}

function workersText(workers: readonly WorkerView[], paint: Paint, now: number): string {
  if (workers.length === 0) return "No worker is connected.";
  const rows = workers.map((worker) => [
    worker.pool,
    worker.state === "ready" ? worker.state : paint("yellow", worker.state),
    `${worker.running} of ${worker.slots}`,
    worker.queues.join(", "),
    `${worker.host} ${worker.pid}`,
    relativeTime(worker.lastBeatAt, now),
    worker.error ?? "",
  ]);
  return renderTable(
    [
      { title: "Worker" },
      { title: "State" },
      { title: "Running" },
      { title: "Queues" },
      { title: "Host, pid" },
      { title: "Heard" },
      { title: workers.some(({ error }) => error !== null) ? "Error" : "" },
    ],
    rows,
    { head: (text) => paint("bold", text) },
  );
}

/** The queues as a table. */
export function queuesText(queues: readonly QueueView[]): string {
  if (queues.length === 0) return "No queue holds a task.";
  return renderTable(
    [
      { title: "Queue" },
      { title: "Pool" },
      { title: "Waiting", align: "right" },
      { title: "Running", align: "right" },
      { title: "Oldest wait", align: "right" },
      { title: "Waiting by level" },
    ],
    queues.map((queue) => [
      queue.queue,
      queue.pool ?? "none",
      countWords(queue.waiting),
      countWords(queue.running),
      durationWords(queue.oldestWaitMs),
      queue.levels
        .filter(({ waiting }) => waiting > 0)
        .toSorted((a, b) => b.level - a.level)
        .map(({ level, waiting }) => `${level}: ${countWords(waiting)}`)
        .join("  "),
    ]),
  );
}
