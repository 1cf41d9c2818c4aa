import type { ComponentChildren } from "preact";
import type { TaskSummary } from "../../shared/control.ts";
import { now } from "../state/clock.ts";
import type { Paging } from "../state/queues.ts";
import { LevelBadge, StatusBadge } from "../ui/Badge.tsx";
import { Button } from "../ui/controls.tsx";
import { type Column, DataTable, type DataTableProps } from "../ui/DataTable.tsx";
import { Duration, Elapsed, RelativeTime } from "../ui/Duration.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import { plainForeign } from "../ui/foreign-text.ts";
import { exactCount, formatDuration, shortId } from "../ui/format.ts";
import { STATUS_LOOKS } from "../ui/looks.ts";
import { plural, t } from "../ui/text.ts";

/** Tasks on one page of a list. */
export const PAGE = 50;

/** A task's name with the end of its id. */
export function TaskName(props: { task: Pick<TaskSummary, "id" | "name"> }) {
  const { id, name } = props.task;
  return (
    <>
      <Foreign text={name} limit={120} />{" "}
      <span class="mono dim small" title={id}>
        {shortId(id)}
      </span>
    </>
  );
}

/** The state with what matters of it: when it goes on, or how long it has been at it. */
function StateCell(props: { task: TaskSummary }) {
  const { status, dueAt } = props.task;
  if (dueAt === null || (status !== "retrying" && status !== "scheduled"))
    return <StatusBadge status={status} />;
  const time = formatDuration(Math.max(0, Date.parse(dueAt) - now.value));
  const word = `${t(STATUS_LOOKS[status].word)} · ${time}`;
  return <StatusBadge status={status} word={word} />;
}

/** How long it waits, runs or ran. */
function TimeCell(props: { task: TaskSummary }) {
  const { status, createdAt, startedAt, durationMs } = props.task;
  if (status === "running" && startedAt !== null) return <Elapsed since={Date.parse(startedAt)} />;
  if (status === "completed" || status === "dead" || status === "cancelled")
    return <Duration ms={durationMs} />;
  return <Elapsed since={Date.parse(createdAt)} />;
}

/** The columns of a list of tasks. `more` come last. */
export function taskColumns(more: readonly Column<TaskSummary>[] = []): Column<TaskSummary>[] {
  return [
    {
      id: "status",
      title: t("State"),
      cell: (task) => <StateCell task={task} />,
      sortBy: ({ status }) => status,
      look: "cell-state nowrap",
    },
    {
      id: "name",
      title: t("Task"),
      cell: (task) => <TaskName task={task} />,
      sortBy: ({ name }) => name,
      look: "grow cell-name",
    },
    {
      id: "level",
      title: t("Level"),
      cell: ({ priority }) => <LevelBadge level={priority} />,
      sortBy: ({ priority }) => priority,
      look: "cell-level",
    },
    {
      id: "time",
      title: t("Time"),
      cell: (task) => <TimeCell task={task} />,
      look: "num nowrap cell-time",
    },
    {
      id: "created",
      title: t("Enqueued"),
      cell: ({ createdAt }) => <RelativeTime at={createdAt} />,
      sortBy: ({ createdAt }) => createdAt,
      look: "nowrap wide",
    },
    {
      id: "by",
      title: t("By"),
      cell: ({ by }) =>
        by === null ? <span class="dim">–</span> : <Foreign text={by} limit={40} />,
      sortBy: ({ by }) => by,
      look: "nowrap wide cell-by",
    },
    ...more,
  ];
}

export function TaskTable(props: Omit<DataTableProps<TaskSummary>, "keyOf" | "nameOf">) {
  return (
    <div class="two-line task-table">
      <DataTable
        {...props}
        keyOf={({ id }) => id}
        nameOf={({ id, name }) => `${plainForeign(name, 60)} ${shortId(id)}`}
      />
    </div>
  );
}

/** Which part of the list is shown, and the way to the others. `note` says how many there are in all. */
export function Pager(props: {
  paging: Paging;
  shown: number;
  next: string | null;
  pageSize?: number;
  note?: ComponentChildren;
  onPrevious: () => void;
  onNext: (cursor: string) => void;
}) {
  const { paging, shown, next, pageSize = PAGE, note, onPrevious, onNext } = props;
  const before = paging.cursors.length * pageSize;
  const isOnly = before === 0 && next === null;
  return (
    <div class="pager">
      <span class="dim">
        {isOnly
          ? plural(shown, "1 task", "{n} tasks", { n: exactCount(shown) })
          : t("{from} to {to}", {
              from: exactCount(before + (shown > 0 ? 1 : 0)),
              to: exactCount(before + shown),
            })}
        {note !== undefined && <> {note}</>}
      </span>
      {!isOnly && (
        <span class="buttons">
          <Button icon="arrow-left" disabled={before === 0} onClick={onPrevious}>
            {t("Back")}
          </Button>
          <Button
            icon="arrow-right"
            disabled={next === null}
            onClick={() => next !== null && onNext(next)}
          >
            {t("Next")}
          </Button>
        </span>
      )}
    </div>
  );
}
