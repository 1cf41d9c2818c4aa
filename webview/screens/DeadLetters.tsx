import { useEffect, useRef, useState } from "preact/hooks";
import type { BulkOutcome, TaskFilter, TaskSummary } from "../../shared/control.ts";
import type { Address } from "../../shared/view/messages.ts";
import { type Order, reportOf, TASK_ACTS, whyNot } from "../actions.ts";
import { useDashboard, useKept, useQuery } from "../dashboard.ts";
import { now } from "../state/clock.ts";
import { type Grouping, groupsOf, KEPT_MS, type Kept, withKept } from "../state/dead-letters.ts";
import { fileName, taskTable, toCsv } from "../state/history.ts";
import { isText } from "../state/prefs.ts";
import { onDead } from "../state/query.ts";
import { FIRST_PAGE, nextPage, type Paging, previousPage } from "../state/queues.ts";
import { queryOf } from "../state/task-filter.ts";
import { Button, Select } from "../ui/controls.tsx";
import { exactCount } from "../ui/format.ts";
import { Panel } from "../ui/Panel.tsx";
import { Toolbar } from "../ui/Toolbar.tsx";
import { plural, t } from "../ui/text.ts";
import "../styles/work.css";
import { BulkReportView } from "./BulkReportView.tsx";
import { LetterGroup } from "./LetterGroup.tsx";
import { type AskRedrive, RedriveDialog, type RedriveWish, wishFor } from "./RedriveDialog.tsx";
import { useActor } from "./TaskActions.tsx";
import { Problems, TaskFilterBox } from "./TaskFilterBox.tsx";
import { Pager } from "./TaskTable.tsx";

const GROUPINGS = ["cause", "task", "queue"] as const;
const isGrouping = (value: unknown): value is Grouping => GROUPINGS.some((one) => one === value);
/** Letters that are grouped at once. */
const PAGE = 500;

/** What failed for good, grouped so that hundreds of letters are a few decisions. */
export function DeadLetters(props: { address: Address }) {
  const filter = useKept("dead.filter", "", isText);
  const grouping = useKept<Grouping>("dead.group", "cause", isGrouping);
  const [paging, setPaging] = useState(FIRST_PAGE);
  useEffect(() => {
    if (props.address.filter !== undefined) filter.value = props.address.filter;
  }, [props.address.filter]);
  useEffect(() => setPaging(FIRST_PAGE), [filter.value]);
  const { where, problems } = letterQuery(filter.value);
  return (
    <div class="letters">
      <h1 class="unseen">{t("Dead letters")}</h1>
      <Toolbar label={t("Filter and grouping")}>
        <TaskFilterBox
          placeholder={t("Filter, e.g. queue:etl since:24h, or words of the error")}
          value={filter.value}
          onChange={(text) => {
            filter.value = text;
          }}
        />
        <Select
          label={t("Group by")}
          hideLabel
          value={grouping.value}
          options={[
            { value: "cause", label: t("Grouped by cause") },
            { value: "task", label: t("Grouped by task") },
            { value: "queue", label: t("Grouped by queue") },
          ]}
          onChange={(value) => {
            grouping.value = value;
          }}
        />
      </Toolbar>
      {problems.length > 0 ? (
        <Problems problems={problems} />
      ) : (
        <Letters
          where={where}
          grouping={grouping.value}
          paging={paging}
          onPaging={setPaging}
          isFiltered={filter.value !== ""}
        />
      )}
    </div>
  );
}

function letterQuery(text: string) {
  const { where, problems } = queryOf(text, Date.now());
  const isOther = where.status?.some((status) => status !== "dead") === true;
  const more = isOther ? [t("Here are dead letters only: take the state away.")] : [];
  return {
    where: { ...where, status: ["dead"] } satisfies TaskFilter,
    problems: [...problems, ...more],
  };
}

interface LettersProps {
  readonly where: TaskFilter;
  readonly grouping: Grouping;
  readonly paging: Paging;
  readonly onPaging: (paging: Paging) => void;
  readonly isFiltered: boolean;
}

function Letters(props: LettersProps) {
  const { where, grouping, paging, onPaging, isFiltered } = props;
  const cursor = paging.cursors.at(-1);
  const { state, refetch } = useQuery(
    "list",
    { where, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) },
    { refreshOn: onDead },
  );
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const redriving = useRedriving(() => setTicked(new Set()));
  const letters = "data" in state ? state.data.tasks : [];
  const shown = withKept(letters, redriving.kept, now.value);
  return (
    <>
      <LetterTools
        letters={letters}
        ticked={ticked}
        where={where}
        hasMore={("data" in state && state.data.next !== null) || cursor !== undefined}
        onRedrive={redriving.ask}
      />
      {redriving.report !== null && (
        <BulkReportView
          words={reportOf(redriving.report.order, redriving.report.outcome)}
          outcome={redriving.report.outcome}
          onClose={redriving.closeReport}
        />
      )}
      <Panel
        title={t("Dead letters by group")}
        hideTitle
        state={state}
        onRetry={refetch}
        rows={5}
        empty={() =>
          shown.tasks.length > 0
            ? null
            : isFiltered
              ? { why: t("No dead letter matches the filter.") }
              : {
                  why: t("No dead letters."),
                  next: t("Tasks land here when all their attempts failed, or none was worth it."),
                }
        }
      >
        {({ next }) => (
          <>
            {groupsOf(shown.tasks, grouping).map((group, index) => (
              <LetterGroup
                key={group.key}
                group={group}
                grouping={grouping}
                gone={shown.gone}
                ticked={ticked}
                onTick={setTicked}
                onRedrive={redriving.ask}
                isOpenFirst={index === 0 || group.tasks.length <= 10}
              />
            ))}
            <Pager
              paging={paging}
              shown={letters.length}
              next={next}
              pageSize={PAGE}
              onPrevious={() => onPaging(previousPage(paging))}
              onNext={(at) => onPaging(nextPage(paging, at))}
            />
          </>
        )}
      </Panel>
      {redriving.wish !== null && (
        <RedriveDialog
          wish={redriving.wish}
          onClose={() => redriving.ask(null)}
          onDone={redriving.done}
        />
      )}
    </>
  );
}

/** Asks how to redrive, keeps what was redriven in sight for a while, and what came of it until it is closed. */
function useRedriving(onDone: () => void) {
  const [wish, setWish] = useState<RedriveWish | null>(null);
  const [kept, setKept] = useState<readonly Kept[]>([]);
  const [report, setReport] = useState<{ order: Order; outcome: BulkOutcome } | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return {
    wish,
    kept,
    report,
    closeReport: () => setReport(null),
    ask: (next: RedriveWish | null) => {
      if (next !== null) setReport(null);
      setWish(next);
    },
    done(outcome: BulkOutcome) {
      if (wish === null) return;
      const refused = new Set(outcome.refused.map(({ id }) => id));
      const until = Date.now() + KEPT_MS;
      const gone = outcome.refusedCount > refused.size ? [] : wish.shown;
      setKept(gone.filter(({ id }) => !refused.has(id)).map((task) => ({ task, until })));
      clearTimeout(timer.current);
      timer.current = setTimeout(() => setKept([]), KEPT_MS);
      setReport({ order: { act: "redrive", tasks: wish.tasks, count: wish.count }, outcome });
      onDone();
    },
  };
}

function LetterTools(props: {
  letters: readonly TaskSummary[];
  ticked: ReadonlySet<string>;
  where: TaskFilter;
  hasMore: boolean;
  onRedrive: AskRedrive;
}) {
  const dashboard = useDashboard();
  const { letters, ticked, where, hasMore, onRedrive } = props;
  const why = whyNot(TASK_ACTS.redrive, { status: null, priority: null, by: null }, useActor());
  if (letters.length === 0) return null;
  const chosen = letters.filter(({ id }) => ticked.has(id));
  const askAll = async (): Promise<void> => {
    if (!hasMore) return onRedrive(wishFor(letters));
    // There are more than are loaded: the daemon counts them.
    const counted = await dashboard.host.request("redrive", { where, dryRun: true });
    if (!counted.ok)
      return dashboard.dialogs.tell("bad", counted.error.message, counted.error.hint);
    onRedrive({ tasks: { where }, count: counted.value.matched, one: null, shown: [] });
  };
  return (
    <Toolbar label={t("Acts on dead letters")}>
      <Button
        icon="debug-restart"
        kind="primary"
        disabled={why !== null || chosen.length === 0}
        why={why ?? (chosen.length === 0 ? t("Nothing is selected.") : undefined)}
        onClick={() => onRedrive(wishFor(chosen))}
      >
        {chosen.length === 0
          ? t("Redrive selected…")
          : plural(chosen.length, "Redrive 1 selected…", "Redrive {n} selected…", {
              n: exactCount(chosen.length),
            })}
      </Button>
      <Button disabled={why !== null} why={why ?? undefined} onClick={() => void askAll()}>
        {t("Redrive all…")}
      </Button>
      {dashboard.can("save") && (
        <Button
          icon="export"
          onClick={() =>
            void dashboard.save(
              fileName("dead-letters", Date.now(), "csv"),
              toCsv(taskTable(chosen.length > 0 ? chosen : letters)),
            )
          }
        >
          {t("Export…")}
        </Button>
      )}
      {why !== null && <span class="dim">{why}</span>}
    </Toolbar>
  );
}
