import type { ComponentChildren } from "preact";
import type { MetricsView, RunView, StatusView, TaskSummary } from "../../shared/control.ts";
import type { Address } from "../../shared/view/messages.ts";
import { useDashboard, useKept, useQuery } from "../dashboard.ts";
import { now } from "../state/clock.ts";
import {
  addressOf,
  type Concern,
  concernsOf,
  courseOf,
  depthOf,
  type Figures,
  figuresOf,
  timesOf,
} from "../state/overview.ts";
import { onAnyTask, onDead, onQueues, onRuns, type QueryState } from "../state/query.ts";
import { StatusBadge } from "../ui/Badge.tsx";
import { Button, Select } from "../ui/controls.tsx";
import { Duration, RelativeTime } from "../ui/Duration.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import { exactCount, formatDuration, formatShare, shortCount, shortId } from "../ui/format.ts";
import { Icon, type Tone } from "../ui/Icon.tsx";
import type { IconName } from "../ui/icon-names.ts";
import { BUCKET_LOOKS, STATUS_LOOKS } from "../ui/looks.ts";
import { Empty, Panel } from "../ui/Panel.tsx";
import { Sparkline } from "../ui/Sparkline.tsx";
import { TimeChart } from "../ui/TimeChart.tsx";
import { plural, t } from "../ui/text.ts";

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
      <Numbers metrics={metrics.state} status={status.state} onRetry={metrics.refetch} />
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
        <Attention metrics={metrics.state} status={status} runs={runs.state} />
        <PipelinesNow {...runs} />
        <Recent />
      </div>
    </div>
  );
}

function rangeWord(minutes: Range): string {
  return minutes === "15" ? t("15 min") : plural(Number(minutes) / 60, "1 hour", "{n} hours");
}

function dataOf<T>(state: QueryState<T>): T | null {
  return "data" in state ? state.data : null;
}

function Numbers(props: {
  metrics: QueryState<MetricsView>;
  status: QueryState<StatusView>;
  onRetry: () => void;
}) {
  const metrics = dataOf(props.metrics);
  const status = dataOf(props.status);
  const figures = metrics === null ? null : figuresOf(metrics);
  const isOld = [props.metrics, props.status].some(
    (state) => state.kind === "stale" && state.why === "offline",
  );
  return (
    <ul class={`cards ${isOld ? "is-old" : ""}`} aria-label={t("Figures")}>
      {cardsOf(figures, metrics, status).map((card) => (
        <Card key={card.title} {...card} />
      ))}
    </ul>
  );
}

interface CardProps {
  readonly title: string;
  /** Null: unknown. */
  readonly value: string | null;
  readonly exact?: string;
  readonly note?: string;
  readonly spark?: readonly (number | null)[];
  readonly token?: string;
  readonly go?: Address;
}

function cardsOf(
  figures: Figures | null,
  metrics: MetricsView | null,
  status: StatusView | null,
): CardProps[] {
  const counts = status?.counts ?? null;
  const ready = status?.workers.filter(({ state }) => state === "ready") ?? [];
  const slots = ready.reduce((sum, worker) => sum + worker.slots, 0);
  const deadLastHour = metrics?.endedLastHour.dead ?? 0;
  return [
    {
      title: t("Waiting"),
      value: counts && shortCount(counts.waiting),
      ...(counts === null ? {} : { exact: exactCount(counts.waiting) }),
      spark: figures?.waiting ?? [],
      go: { screen: "queues" },
    },
    {
      title: t("Running"),
      value: counts && shortCount(counts.running),
      note: slots === 0 ? t("no worker is ready") : t("of {n} slots", { n: exactCount(slots) }),
      spark: figures?.running ?? [],
    },
    {
      title: t("Done per minute"),
      value: orNull(figures?.donePerMinute, shortCount),
      spark: figures?.completed ?? [],
      token: "ok",
    },
    {
      title: t("Failed in 1 hour"),
      value: orNull(figures?.failedShare, formatShare),
      note: t("of all executions"),
      spark: figures?.failed ?? [],
      token: "bad",
    },
    {
      title: t("Dead letters"),
      value: counts && shortCount(counts.dead),
      note: deadLastHour === 0 ? t("none new in 1 hour") : t("+{n} in 1 hour", { n: deadLastHour }),
      go: { screen: "dead" },
    },
    {
      title: t("Wait, 95 of 100"),
      value: orNull(metrics?.waitMs?.p95, formatDuration),
      note:
        metrics?.waitMs == null
          ? t("none started in 1 hour")
          : t("half within {time}", { time: formatDuration(metrics.waitMs.p50) }),
    },
  ];
}

function orNull<T>(value: T | null | undefined, format: (value: T) => string): string | null {
  return value === null || value === undefined ? null : format(value);
}

function Card(props: CardProps) {
  const { router } = useDashboard();
  const { title, value, exact, note, spark, token, go } = props;
  const content = (
    <>
      <span class="card-title">{title}</span>
      <span class="card-line">
        <span class="card-value" title={exact}>
          {value ?? <span class="dim">–</span>}
        </span>
        {spark !== undefined && <Sparkline values={spark} token={token ?? "normal"} />}
      </span>
      <span class="card-note dim">{value === null ? t("not known") : (note ?? "")}</span>
    </>
  );
  return (
    <li>
      {go === undefined ? (
        <div class="card">{content}</div>
      ) : (
        <button type="button" class="plain card card-link" onClick={() => router.navigate(go)}>
          {content}
        </button>
      )}
    </li>
  );
}

const DASHES = { high: [], normal: [6, 3], low: [2, 3] } as const;

function DepthChart(props: { metrics: MetricsView; minutes: number }) {
  const { metrics, minutes } = props;
  const series = (["high", "normal", "low"] as const).map((bucket) => ({
    label: t(BUCKET_LOOKS[bucket].word),
    values: depthOf(metrics, bucket),
    token: `--s-${bucket}` as const,
    dash: DASHES[bucket],
  }));
  const sentences = series.map(({ label, values }) => {
    const course = courseOf(values);
    return course === null
      ? t("{label}: not measured.", { label })
      : t("{label} went from {from} to {to}.", { label, ...course });
  });
  return (
    <TimeChart
      summary={`${t("Waiting tasks in the last {time}.", { time: formatDuration(minutes * 60_000) })} ${sentences.join(" ")}`}
      times={timesOf(metrics)}
      series={series}
      unit={t("tasks")}
    />
  );
}

function Attention(props: {
  metrics: QueryState<MetricsView>;
  status: { state: QueryState<StatusView>; refetch: () => void };
  runs: QueryState<{ readonly runs: readonly RunView[] }>;
}) {
  const { hello, router } = useDashboard();
  const limits = hello.value?.limits;
  return (
    <Panel
      title={t("Needs attention")}
      state={props.status.state}
      onRetry={props.status.refetch}
      rows={3}
    >
      {(status) => {
        const deadLastHour = dataOf(props.metrics)?.endedLastHour.dead ?? 0;
        const runs = dataOf(props.runs)?.runs ?? [];
        const concerns =
          limits === undefined ? [] : concernsOf(status, runs, deadLastHour, limits, now.value);
        if (concerns.length === 0) {
          return (
            <Empty
              icon="pass"
              why={t("Nothing needs you.")}
              next={t("Queues move, workers answer, no dead letters.")}
            />
          );
        }
        return (
          <ul class="rows">
            {concerns.map((concern) => {
              const go = addressOf(concern);
              const { icon, tone, words } = describeConcern(concern);
              return (
                <li class="row" key={JSON.stringify(concern)}>
                  <Icon name={icon} tone={tone} />
                  <span class="row-text wrap">{words}</span>
                  {go !== null && <Button onClick={() => router.navigate(go)}>{t("Open")}</Button>}
                </li>
              );
            })}
          </ul>
        );
      }}
    </Panel>
  );
}

function describeConcern(concern: Concern): {
  icon: IconName;
  tone: Tone;
  words: ComponentChildren;
} {
  switch (concern.kind) {
    case "degraded":
      return {
        icon: "warning",
        tone: "wait",
        words: (
          <Foreign
            text={t("The daemon is degraded: {why}", { why: concern.reasons.join(" ") })}
            limit={600}
          />
        ),
      };
    case "audit":
      return {
        icon: "warning",
        tone: "wait",
        words: (
          <Foreign
            text={t("The audit cannot be written: {why}", { why: concern.cause ?? "–" })}
            limit={600}
          />
        ),
      };
    case "dead":
      return {
        icon: "error",
        tone: "bad",
        words: plural(concern.count, "1 dead letter", "{n} dead letters", {
          n: exactCount(concern.count),
        }),
      };
    case "no-worker":
      return {
        icon: "warning",
        tone: "wait",
        words: t("No worker serves the queue {queue}; {n} waiting", {
          queue: concern.queue,
          n: exactCount(concern.waiting),
        }),
      };
    case "slow":
      return {
        icon: "clock",
        tone: "wait",
        words: t("Queue {queue}: the oldest waits for {time} (limit {limit})", {
          queue: concern.queue,
          time: formatDuration(concern.oldestMs),
          limit: formatDuration(concern.limitMs),
        }),
      };
    case "backlog":
      return {
        icon: "layers",
        tone: "wait",
        words: t("Queue {queue}: {n} waiting (limit {limit})", {
          queue: concern.queue,
          n: exactCount(concern.waiting),
          limit: exactCount(concern.limit),
        }),
      };
    case "worker":
      return {
        icon: "debug-disconnect",
        tone: "bad",
        words:
          concern.state === "silent"
            ? t("A worker of the pool {pool} does not answer", { pool: concern.pool })
            : t("The worker of the pool {pool} fails again and again; it was given up", {
                pool: concern.pool,
              }),
      };
    case "run":
      return {
        icon: "error",
        tone: "bad",
        words: (
          <>
            {t("A run of {pipeline} failed", { pipeline: concern.pipeline })},{" "}
            <RelativeTime at={concern.endedAt} />
          </>
        ),
      };
    default:
      return concern satisfies never;
  }
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
        <ul class="rows">
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
        <ul class="rows">
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
      <button type="button" class="plain link cut" title={task.id} onClick={onOpen}>
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
