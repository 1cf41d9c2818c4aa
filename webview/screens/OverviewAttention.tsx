import type { ComponentChildren } from "preact";
import type { MetricsView, RunView, StatusView } from "../../shared/control.ts";
import { useDashboard } from "../dashboard.ts";
import { now } from "../state/clock.ts";
import { addressOf, type Concern, concernsOf } from "../state/overview.ts";
import { dataOf, type QueryState } from "../state/query.ts";
import { Button } from "../ui/controls.tsx";
import { RelativeTime } from "../ui/Duration.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import { exactCount, formatDuration } from "../ui/format.ts";
import { Icon, type Tone } from "../ui/Icon.tsx";
import type { IconName } from "../ui/icon-names.ts";
import { Empty, Panel } from "../ui/Panel.tsx";
import { plural, t } from "../ui/text.ts";

/** What a person should look at, or that there is nothing. */
export function OverviewAttention(props: {
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
