import type { RunView, TaskSummary } from "../../shared/control.ts";
import type { Address } from "../../shared/view/messages.ts";
import { useDashboard, useKept, useQuery } from "../dashboard.ts";
import { onAnyTask, onDead, onQueues, onRuns, type QueryState } from "../state/query.ts";
import { StatusBadge } from "../ui/Badge.tsx";
import { Select } from "../ui/controls.tsx";
import { Duration, RelativeTime } from "../ui/Duration.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import { shortId } from "../ui/format.ts";
import { STATUS_LOOKS } from "../ui/looks.ts";
import { Panel } from "../ui/Panel.tsx";
import { plural, t } from "../ui/text.ts";
import { OverviewAttention } from "./OverviewAttention.tsx";
import { DepthChart, OverviewFigures } from "./OverviewFigures.tsx";

const RANGES = ["15", "60", "360", "1440"] as const;
type Range = (typeof RANGES)[number];
const isRange = (value: unknown): value is Range => RANGES.some((range) => range === value);

/** Is it alive, does work flow, is anything stuck, what ran last. */
export function Overview(_: { address: Address }) {
  const range = useKept<Range>("overview.range", "15", isRange);
  const metrics = useQuery(
    "metrics",
    { minutes: Number(range.value) },
    { refreshOn: onQueues, everyMs: 5000 },
  );
  const status = useQuery(
    "status",
    {},
    { refreshOn: (changed) => onQueues(changed) || onDead(changed), everyMs: 5000 },
  );
  const runs = useQuery("runs", { limit: 5 }, { refreshOn: onRuns });
  return (
    <div class="overview">
      <h1 class="unseen">{t("Overview")}</h1>
      <OverviewFigures metrics={metrics.state} status={status.state} />
      <div class="overview-grid">
        <Panel
          title={t("Waiting tasks by bucket")}
          state={metrics.state}
          onRetry={metrics.refetch}
          rows={6}
          tools={
            <Select
              label={t("Time range")}
              hideLabel
              value={range.value}
              options={RANGES.map((minutes) => ({ value: minutes, label: rangeWord(minutes) }))}
              onChange={(value) => {
                range.value = value;
              }}
            />
          }
        >
          {(data) => <DepthChart metrics={data} minutes={Number(range.value)} />}
        </Panel>
        <OverviewAttention metrics={metrics.state} status={status} runs={runs.state} />
        <PipelinesNow {...runs} />
        <Recent />
      </div>
    </div>
  );
}

function rangeWord(minutes: Range): string {
  return minutes === "15" ? t("15 min") : plural(Number(minutes) / 60, "1 hour", "{n} hours");
}

function PipelinesNow(props: {
  state: QueryState<{ readonly runs: readonly RunView[] }>;
  refetch: () => void;
}) {
  const { router } = useDashboard();
  return (
    <Panel
      title={t("Pipelines now")}
      state={props.state}
      onRetry={props.refetch}
      empty={({ runs }) =>
        runs.length > 0
          ? null
          : {
              why: t("No pipeline ran yet."),
              next: t("Run one from the command palette, or with `msgsys run`."),
            }
      }
    >
      {({ runs }) => (
        <ul class="rows wraps">
          {runs.map((run) => (
            <li class="row" key={run.id}>
              <StatusBadge status={run.status} iconOnly />
              <button
                type="button"
                class="plain link nowrap"
                title={run.id}
                onClick={() => router.navigate({ screen: "run", id: run.id })}
              >
                {run.pipeline} <span class="mono small">{shortId(run.id)}</span>
              </button>
              <ol class="phases" aria-label={t("Phases")}>
                {run.phases.map(({ phase, status }) => (
                  <li key={phase} class="phase" title={`${phase}: ${t(STATUS_LOOKS[status].word)}`}>
                    <StatusBadge status={status} word={phase} />
                    <span class="unseen">{t(STATUS_LOOKS[status].word)}</span>
                  </li>
                ))}
              </ol>
              <span class="dim nowrap row-end">
                <RelativeTime at={run.endedAt ?? run.createdAt} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Recent() {
  const { router } = useDashboard();
  const { state, refetch } = useQuery(
    "list",
    { where: { status: ["completed", "dead", "cancelled"] }, limit: 8 },
    { refreshOn: onAnyTask },
  );
  return (
    <Panel
      title={t("Recent")}
      state={state}
      onRetry={refetch}
      empty={({ tasks }) =>
        tasks.length > 0
          ? null
          : { why: t("No task has ended yet."), next: t("Enqueue one with `msgsys enqueue`.") }
      }
    >
      {({ tasks }) => (
        <ul class="rows wraps">
          {tasks.map((task) => (
            <RecentRow
              key={task.id}
              task={task}
              onOpen={() => router.navigate({ screen: "task", id: task.id })}
            />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function RecentRow(props: { task: TaskSummary; onOpen: () => void }) {
  const { task, onOpen } = props;
  return (
    <li class="row">
      <StatusBadge status={task.status} iconOnly />
      <button type="button" class="plain link cut recent-name" title={task.id} onClick={onOpen}>
        {task.name} <span class="mono small">{shortId(task.id)}</span>
      </button>
      {task.error !== null && (
        <span class="dim cut grow">
          <Foreign text={task.error} limit={120} />
        </span>
      )}
      <span class="dim nowrap row-end">
        <Duration ms={task.durationMs} /> · <RelativeTime at={task.endedAt ?? task.createdAt} />
      </span>
    </li>
  );
}
