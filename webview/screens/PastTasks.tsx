import type { Signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { TaskFilter, TaskSummary } from "../../shared/control.ts";
import { can as roleCan } from "../../shared/roles.ts";
import { TASK_STATUSES } from "../../shared/task.ts";
import { type Dashboard, useDashboard, useKept, useQuery } from "../dashboard.ts";
import type { Outcome } from "../host.ts";
import { dayEdge, taskTable } from "../state/history.ts";
import { isText } from "../state/prefs.ts";
import { onAnyTask } from "../state/query.ts";
import { FIRST_PAGE, nextPage, previousPage } from "../state/queues.ts";
import { queryOf } from "../state/task-filter.ts";
import type { Column } from "../ui/DataTable.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import { exactCount } from "../ui/format.ts";
import { Panel } from "../ui/Panel.tsx";
import { Toolbar } from "../ui/Toolbar.tsx";
import { t } from "../ui/text.ts";
import { DateField } from "./DateField.tsx";
import { ExportButtons } from "./ExportButtons.tsx";
import { Problems, TaskFilterBox } from "./TaskFilterBox.tsx";
import { PAGE, Pager, TaskTable, taskColumns } from "./TaskTable.tsx";

/** Rows that one export holds at most. */
const MOST_EXPORTED = 20_000;
const EXPORT_PAGE = 1000;
/** The daemon counts no further. */
const COUNT_LIMIT = 100_000;

/** Every task there was, searched by what is known of it, and saved as a file. */
export function PastTasks(props: { filter: Signal<string> }) {
  const { filter } = props;
  const from = useKept("history.from", "", isText);
  const to = useKept("history.to", "", isText);
  const [paging, setPaging] = useState(FIRST_PAGE);
  const { where: asked, problems } = queryOf(filter.value, Date.now());
  const where = withDates(asked, from.value, to.value);
  const name = JSON.stringify(where);
  useEffect(() => setPaging(FIRST_PAGE), [name]);
  return (
    <>
      <Toolbar label={t("Search")}>
        <TaskFilterBox
          placeholder={t("Search, e.g. status:dead name:etl.load by:ada, or any words")}
          value={filter.value}
          onChange={(text) => {
            filter.value = text;
          }}
        />
        <DateField label={t("From")} value={from} />
        <DateField label={t("To")} value={to} />
      </Toolbar>
      {problems.length > 0 ? (
        <Problems problems={problems} />
      ) : (
        <Found where={where} isAll={name === "{}"} paging={paging} onPaging={setPaging} />
      )}
    </>
  );
}

/** The filter within whole days of the user's zone. A narrower `since:` stays. */
function withDates(where: TaskFilter, from: string, to: string): TaskFilter {
  const start = dayEdge(from, "start");
  const end = dayEdge(to, "end");
  const after = [where.createdAfter, start === null ? undefined : start - 1].filter(
    (at) => at !== undefined,
  );
  return {
    ...where,
    ...(after.length === 0 ? {} : { createdAfter: Math.max(...after) }),
    ...(end === null ? {} : { createdBefore: end }),
  };
}

function Found(props: {
  where: TaskFilter;
  isAll: boolean;
  paging: typeof FIRST_PAGE;
  onPaging: (paging: typeof FIRST_PAGE) => void;
}) {
  const dashboard = useDashboard();
  const { router } = dashboard;
  const { where, isAll, paging, onPaging } = props;
  const cursor = paging.cursors.at(-1);
  const { state, refetch } = useQuery(
    "list",
    { where, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) },
    { refreshOn: onAnyTask },
  );
  const open = router.detail.value;
  return (
    <Panel
      title={t("Tasks found")}
      hideTitle
      state={state}
      onRetry={refetch}
      rows={8}
      empty={({ tasks }) =>
        tasks.length > 0
          ? null
          : isAll
            ? { why: t("There has been no task yet.") }
            : {
                why: t("No task matches the search."),
                next: t("Take a part of it away, or widen the dates."),
              }
      }
    >
      {({ tasks, next }) => (
        <>
          <Toolbar label={t("What was found")}>
            <span class="grow">
              {isAll ? <AllCount shown={tasks.length} /> : <FoundCount where={where} />}
            </span>
            <ExportButtons
              name="tasks"
              load={async (onLoaded) => {
                const loaded = await loadAll(dashboard, where, onLoaded);
                if (!loaded.ok) return loaded;
                const { tasks: rows, isWhole } = loaded.value;
                return { ok: true, value: { table: taskTable(rows), isWhole } };
              }}
            />
          </Toolbar>
          <TaskTable
            label={t("Tasks found")}
            columns={columns()}
            rows={tasks}
            onOpen={({ id }) => router.navigate({ screen: "task", id })}
            openKey={open?.screen === "task" ? (open.id ?? null) : null}
          />
          <Pager
            paging={paging}
            shown={tasks.length}
            next={next}
            onPrevious={() => onPaging(previousPage(paging))}
            onNext={(at) => onPaging(nextPage(paging, at))}
          />
        </>
      )}
    </Panel>
  );
}

function columns(): Column<TaskSummary>[] {
  return taskColumns([
    {
      id: "error",
      title: t("Error"),
      cell: ({ error }) => (error === null ? "" : <Foreign text={error} limit={160} />),
      look: "grow cell-error",
    },
  ]);
}

/** How many tasks there are in all: the daemon knows that without counting. */
function AllCount(props: { shown: number }) {
  const { state } = useQuery("status", {}, { refreshOn: onAnyTask });
  if (!("data" in state)) return null;
  const all = Object.values(state.data.counts).reduce((sum, n) => sum + n, 0);
  return <>{words(props.shown, exactCount(all))}</>;
}

/** How many match. Counting is a rehearsal of a cancellation, which whoever may not cancel cannot ask for. */
function FoundCount(props: { where: TaskFilter }) {
  const { role } = useDashboard();
  if (role.value === null || !roleCan(role.value, "run_tasks")) return null;
  return <Counted where={props.where} />;
}

function Counted(props: { where: TaskFilter }) {
  const status = props.where.status ?? [...TASK_STATUSES];
  const counted = useQuery("cancel", { where: { ...props.where, status }, dryRun: true }).state;
  const all = useQuery("status", {}, { refreshOn: onAnyTask }).state;
  if (!("data" in counted)) return null;
  const { matched } = counted.data;
  const found =
    matched >= COUNT_LIMIT ? t("{n} or more", { n: exactCount(matched) }) : exactCount(matched);
  if (!("data" in all)) return <>{t("{n} found", { n: found })}</>;
  const total = Object.values(all.data.counts).reduce((sum, n) => sum + n, 0);
  return <>{t("{n} of {all} tasks match", { n: found, all: exactCount(total) })}</>;
}

function words(shown: number, all: string): string {
  return t("{n} of {all} tasks", { n: exactCount(shown), all });
}

/** All that match, page by page, up to the most that an export holds. */
async function loadAll(
  { host }: Dashboard,
  where: TaskFilter,
  onLoaded: (count: number) => void,
): Promise<Outcome<{ readonly tasks: readonly TaskSummary[]; readonly isWhole: boolean }>> {
  const tasks: TaskSummary[] = [];
  let cursor: string | null = null;
  do {
    const outcome: Outcome<{ tasks: readonly TaskSummary[]; next: string | null }> =
      await host.request("list", {
        where,
        limit: EXPORT_PAGE,
        ...(cursor === null ? {} : { cursor }),
      });
    if (!outcome.ok) return outcome;
    tasks.push(...outcome.value.tasks);
    cursor = outcome.value.next;
    onLoaded(tasks.length);
  } while (cursor !== null && tasks.length < MOST_EXPORTED);
  return { ok: true, value: { tasks, isWhole: cursor === null } };
}
