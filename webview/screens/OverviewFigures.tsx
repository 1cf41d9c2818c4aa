import type { MetricsView, StatusView } from "../../shared/control.ts";
import type { Address } from "../../shared/view/messages.ts";
import { useDashboard } from "../dashboard.ts";
import { courseOf, depthOf, type Figures, figuresOf, timesOf } from "../state/overview.ts";
import { dataOf, type QueryState } from "../state/query.ts";
import { exactCount, formatDuration, formatShare, shortCount } from "../ui/format.ts";
import { BUCKET_LOOKS } from "../ui/looks.ts";
import { Sparkline } from "../ui/Sparkline.tsx";
import { TimeChart } from "../ui/TimeChart.tsx";
import { t } from "../ui/text.ts";

/** Six numbers, each with its recent course. */
export function OverviewFigures(props: {
  metrics: QueryState<MetricsView>;
  status: QueryState<StatusView>;
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
      ...noted(
        status &&
          (slots === 0 ? t("no worker is ready") : t("of {n} slots", { n: exactCount(slots) })),
      ),
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
      ...noted(
        figures &&
          (figures.failedShare === null ? t("none ran in 1 hour") : t("of all executions")),
      ),
      spark: figures?.failed ?? [],
      token: "bad",
    },
    {
      title: t("Dead letters"),
      value: counts && shortCount(counts.dead),
      ...noted(
        metrics &&
          (deadLastHour === 0 ? t("none new in 1 hour") : t("+{n} in 1 hour", { n: deadLastHour })),
      ),
      go: { screen: "dead" },
    },
    {
      title: t("Wait (p95)"),
      value: orNull(metrics?.waitMs?.p95, formatDuration),
      ...noted(
        metrics &&
          (metrics.waitMs === null
            ? t("none started in 1 hour")
            : t("half within {time}", { time: formatDuration(metrics.waitMs.p50) })),
      ),
    },
  ];
}

/** A note, when what it is about is known. */
function noted(note: string | null): { note: string } | object {
  return note === null ? {} : { note };
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
      <span class="card-note dim">{note ?? ""}</span>
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

/** Waiting tasks of each bucket over time. */
export function DepthChart(props: { metrics: MetricsView; minutes: number }) {
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
