import { useEffect, useState } from "preact/hooks";
import type { TaskFilter, TaskSummary } from "../../shared/control.ts";
import type { TaskStatus } from "../../shared/task.ts";
import type { Address } from "../../shared/view/messages.ts";
import { perform, reportOf, TASK_ACTS, whyNot } from "../actions.ts";
import { useDashboard, useKept, useQuery } from "../dashboard.ts";
import { isText } from "../state/prefs.ts";
import { onAnyTask } from "../state/query.ts";
import {
  FIRST_PAGE,
  NOTHING,
  nextPage,
  previousPage,
  type Selection,
  select,
  tickedOf,
} from "../state/queues.ts";
import { queryOf, withKey } from "../state/task-filter.ts";
import { IconButton, Select } from "../ui/controls.tsx";
import type { Sort } from "../ui/DataTable.tsx";
import { Panel } from "../ui/Panel.tsx";
import { Toolbar } from "../ui/Toolbar.tsx";
import { t } from "../ui/text.ts";
import "../styles/work.css";
import { BulkReportView } from "./BulkReportView.tsx";
import { QueueTable } from "./QueueTable.tsx";
import { SelectionBar } from "./SelectionBar.tsx";
import { useActor } from "./TaskActions.tsx";
import { Problems, TaskFilterBox } from "./TaskFilterBox.tsx";
import { PAGE, Pager, TaskTable, taskColumns } from "./TaskTable.tsx";
import { useBulk } from "./use-bulk.tsx";

/** What has not ended, unless the filter names states. */
const ALIVE: readonly TaskStatus[] = ["waiting", "running", "retrying", "scheduled"];

const ORDERS = ["newest", "oldest"] as const;
type OrderBy = (typeof ORDERS)[number];
const isOrder = (value: unknown): value is OrderBy => ORDERS.some((order) => order === value);

/** What waits and runs where, and the tasks themselves: find, choose, escalate, cancel. */
export function Queues(props: { address: Address }) {
  const filter = useKept("queues.filter", "", isText);
  useEffect(() => {
    if (props.address.filter !== undefined) filter.value = props.address.filter;
  }, [props.address.filter]);
  const setKey = (name: "bucket" | "queue", value: string): void => {
    const isOn = filter.value.split(" ").includes(`${name}:${value}`);
    filter.value = withKey(filter.value, name, isOn ? null : value);
  };
  const { where } = queryOf(filter.value, Date.now());
  return (
    <div class="queues">
      <h1 class="unseen">{t("Queues")}</h1>
      <QueueTable
        onBucket={(bucket) => setKey("bucket", bucket)}
        onQueue={(queue) => setKey("queue", queue)}
        chosen={where.queue ?? null}
      />
      <TaskList
        filter={filter.value}
        onFilter={(text) => {
          filter.value = text;
        }}
      />
    </div>
  );
}

function TaskList(props: { filter: string; onFilter: (text: string) => void }) {
  const { filter, onFilter } = props;
  const order = useKept<OrderBy>("queues.order", "newest", isOrder);
  const [paging, setPaging] = useState(FIRST_PAGE);
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const bulk = useBulk();
  const { where: asked, problems } = queryOf(filter, Date.now());
  const where: TaskFilter = asked.status === undefined ? { ...asked, status: [...ALIVE] } : asked;
  useEffect(() => {
    setPaging(FIRST_PAGE);
    setSelection(NOTHING);
  }, [filter, order.value]);
  return (
    <section class="panel" aria-label={t("Tasks")}>
      <header class="panel-head">
        <h2>{t("Tasks")}</h2>
      </header>
      <Toolbar label={t("Filter and order")}>
        <TaskFilterBox value={filter} onChange={onFilter} />
        <Select
          label={t("Order")}
          hideLabel
          value={order.value}
          options={[
            { value: "newest", label: t("Newest first") },
            { value: "oldest", label: t("Oldest first") },
          ]}
          onChange={(value) => {
            order.value = value;
          }}
        />
      </Toolbar>
      {problems.length > 0 ? (
        <Problems problems={problems} />
      ) : (
        <>
          <SelectionBar selection={selection} onSelect={setSelection} where={where} bulk={bulk} />
          {bulk.report !== null && (
            <BulkReportView
              words={reportOf(bulk.report.order, bulk.report.outcome)}
              outcome={bulk.report.outcome}
              onClose={bulk.closeReport}
            />
          )}
          <Page
            where={where}
            order={order.value}
            onOrder={(next) => {
              order.value = next;
            }}
            paging={paging}
            onPaging={setPaging}
            selection={selection}
            onSelect={setSelection}
            isFiltered={filter !== ""}
          />
        </>
      )}
    </section>
  );
}

function Page(props: {
  where: TaskFilter;
  order: OrderBy;
  onOrder: (order: OrderBy) => void;
  paging: typeof FIRST_PAGE;
  onPaging: (paging: typeof FIRST_PAGE) => void;
  selection: Selection;
  onSelect: (selection: Selection) => void;
  isFiltered: boolean;
}) {
  const { router } = useDashboard();
  const { where, order, paging, onPaging, selection, onSelect, isFiltered } = props;
  const [sort, setSort] = useState<Sort | null>(null);
  const cursor = paging.cursors.at(-1);
  const { state, refetch } = useQuery(
    "list",
    { where, order, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) },
    { refreshOn: onAnyTask },
  );
  const onRowKey = useRowKeys();
  const columns = taskColumns([
    { id: "acts", title: "", cell: (task) => <RowActs task={task} />, look: "cell-acts" },
  ]);
  const open = router.detail.value;
  return (
    <Panel
      title={t("List of tasks")}
      hideTitle
      state={state}
      onRetry={refetch}
      rows={8}
      empty={({ tasks }) => (tasks.length > 0 ? null : emptyWord(isFiltered, cursor !== undefined))}
    >
      {({ tasks, next }) => (
        <>
          <TaskTable
            label={t("Tasks")}
            columns={columns}
            rows={tasks}
            sort={sort ?? { column: "created", isDown: order === "newest" }}
            onSort={(wish) => {
              // By creation the daemon sorts all of them; by anything else this page is sorted here.
              setSort(wish.column === "created" ? null : wish);
              if (wish.column === "created") props.onOrder(wish.isDown ? "newest" : "oldest");
            }}
            onOpen={({ id }) => router.navigate({ screen: "task", id })}
            openKey={open?.screen === "task" ? (open.id ?? null) : null}
            ticked={tickedOf(selection, tasks)}
            onTick={(ticked) => onSelect(select(selection, tasks, ticked))}
            onRowKey={onRowKey}
          />
          <Pager
            paging={paging}
            shown={tasks.length}
            next={next}
            note={
              sort === null || (next === null && cursor === undefined)
                ? undefined
                : t("(sorted within this page)")
            }
            onPrevious={() => onPaging(previousPage(paging))}
            onNext={(at) => onPaging(nextPage(paging, at))}
          />
        </>
      )}
    </Panel>
  );
}

function emptyWord(isFiltered: boolean, isLater: boolean) {
  if (isLater) return { why: t("There are no more.") };
  return isFiltered
    ? { why: t("No task matches the filter."), next: t("Take a part of it away.") }
    : {
        why: t("Nothing waits and nothing runs."),
        next: t("Tasks that have ended are in the history; here with status:completed."),
      };
}

/** `e` on a row prioritizes its task. */
function useRowKeys(): (key: string, task: TaskSummary) => boolean {
  const dashboard = useDashboard();
  const actor = useActor();
  return (pressed, task) => {
    if (pressed !== TASK_ACTS.prioritize.shortcut) return false;
    const why = whyNot(TASK_ACTS.prioritize, task, actor);
    if (why === null)
      void perform(dashboard, { act: "prioritize", tasks: { ids: [task.id] }, count: 1 });
    else dashboard.dialogs.tell("info", why);
    return true;
  };
}

/** The one likely next step of a row. */
function RowActs(props: { task: TaskSummary }) {
  const dashboard = useDashboard();
  const actor = useActor();
  const { task } = props;
  const id = task.status === "running" ? "cancel" : "prioritize";
  const act = TASK_ACTS[id];
  if (!act.statuses.includes(task.status)) return null;
  const why = whyNot(act, task, actor);
  return (
    <IconButton
      icon={act.icon}
      label={t(act.label)}
      disabled={why !== null}
      why={why ?? undefined}
      onClick={() => void perform(dashboard, { act: id, tasks: { ids: [task.id] }, count: 1 })}
    />
  );
}
