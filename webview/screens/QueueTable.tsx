import { useEffect, useState } from "preact/hooks";
import type { MetricsView, StatusView } from "../../shared/control.ts";
import { useDashboard, useQuery } from "../dashboard.ts";
import { depthOf } from "../state/overview.ts";
import { onQueues, type QueryState } from "../state/query.ts";
import {
  bucketRows,
  NO_SAMPLES,
  pacePerMinute,
  type QueueRow,
  type QueueState,
  queueRows,
  SAMPLE_EVERY_MS,
  sampleDepths,
} from "../state/queues.ts";
import { Badge } from "../ui/Badge.tsx";
import { type Column, DataTable } from "../ui/DataTable.tsx";
import { Duration } from "../ui/Duration.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import { exactCount, formatDuration, shortCount } from "../ui/format.ts";
import { BUCKET_LOOKS, type Look } from "../ui/looks.ts";
import { Panel } from "../ui/Panel.tsx";
import { Sparkline } from "../ui/Sparkline.tsx";
import { key, plural, t } from "../ui/text.ts";

const STATE_LOOKS: Readonly<Record<QueueState, Look>> = {
  "no-worker": { word: key("No worker"), icon: "warning", tone: "wait" },
  stuck: { word: key("Waits too long"), icon: "clock", tone: "wait" },
  backlogged: { word: key("Backlogged"), icon: "layers", tone: "wait" },
  processing: { word: key("Processing"), icon: "play", tone: "run" },
  idle: { word: key("Idle"), icon: "dash", tone: "idle" },
};

const EVERY_MS = SAMPLE_EVERY_MS;

/** What waits in each bucket and each queue. Choosing one filters the list of tasks. */
export function QueueTable(props: {
  onBucket: (bucket: string) => void;
  onQueue: (queue: string) => void;
  /** The queue that the list is filtered by. */
  chosen: string | null;
}) {
  const status = useQuery("status", {}, { refreshOn: onQueues, everyMs: EVERY_MS });
  const metrics = useQuery("metrics", { minutes: 15 }, { refreshOn: onQueues, everyMs: EVERY_MS });
  return (
    <Panel
      title={t("Queues")}
      state={status.state}
      onRetry={status.refetch}
      rows={5}
      tools={<Pace metrics={metrics.state} />}
      empty={({ queues }) =>
        queues.length > 0
          ? null
          : {
              why: t("No queue has had a task yet."),
              next: t("Enqueue one with `msgsys enqueue`, or run a pipeline."),
            }
      }
    >
      {(data) => (
        <>
          <Buckets status={data} metrics={metrics.state} onBucket={props.onBucket} />
          <Rows status={data} onQueue={props.onQueue} chosen={props.chosen} />
        </>
      )}
    </Panel>
  );
}

function Pace(props: { metrics: QueryState<MetricsView> }) {
  const { metrics } = props;
  if (!("data" in metrics)) return null;
  const pace = pacePerMinute(metrics.data);
  if (pace === null) return null;
  return (
    <span class="dim nowrap" title={t("The mean of the last 5 minutes, all queues together")}>
      {t("in {in} and out {out} per minute", {
        in: shortCount(pace.in),
        out: shortCount(pace.out),
      })}
    </span>
  );
}

function Buckets(props: {
  status: StatusView;
  metrics: QueryState<MetricsView>;
  onBucket: (bucket: string) => void;
}) {
  const { status, metrics, onBucket } = props;
  return (
    <ul class="buckets" aria-label={t("Buckets")}>
      {bucketRows(status.queues).map(({ bucket, waiting, running }) => (
        <li key={bucket}>
          <button type="button" class="plain card card-link" onClick={() => onBucket(bucket)}>
            <span class="card-line">
              <Badge look={BUCKET_LOOKS[bucket]} />
              {"data" in metrics && (
                <Sparkline values={depthOf(metrics.data, bucket)} token={bucket} />
              )}
            </span>
            <span title={exactCount(waiting)}>{t("{n} waiting", { n: shortCount(waiting) })}</span>
            <span class="dim" title={exactCount(running)}>
              {t("{n} running", { n: shortCount(running) })}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** The depth of each queue since this view looks. */
function useDepths(status: StatusView): Readonly<Record<string, readonly number[]>> {
  const [samples, setSamples] = useState(NO_SAMPLES);
  useEffect(() => {
    setSamples((old) => sampleDepths(old, status.queues, Date.now()));
  }, [status]);
  return samples.depths;
}

function Rows(props: {
  status: StatusView;
  onQueue: (queue: string) => void;
  chosen: string | null;
}) {
  const { hello } = useDashboard();
  const { status, onQueue, chosen } = props;
  const depths = useDepths(status);
  const rows = queueRows(status, hello.value?.limits ?? null);
  const columns: Column<QueueRow>[] = [
    {
      id: "queue",
      title: t("Queue"),
      cell: ({ queue, pool }) => (
        <>
          <Foreign text={queue} limit={80} />
          {pool !== null && pool !== queue && (
            <span class="dim">
              {" "}
              <Foreign text={pool} limit={40} />
            </span>
          )}
        </>
      ),
      sortBy: ({ queue }) => queue,
      look: "grow cell-name",
    },
    {
      id: "state",
      title: t("State"),
      cell: ({ state }) => <Badge look={STATE_LOOKS[state]} />,
      sortBy: ({ state }) => state,
      look: "cell-acts",
    },
    {
      id: "waiting",
      title: t("Waiting"),
      cell: (row) => (
        <span title={bucketWords(row)}>
          {shortCount(row.waiting)}
          <NarrowWord word={t("waiting")} />
          <span class="unseen"> {bucketWords(row)}</span>
        </span>
      ),
      sortBy: ({ waiting }) => waiting,
      look: "num cell-state",
    },
    {
      id: "depth",
      title: t("Depth"),
      cell: ({ queue }) => (
        <span title={t("Since this view was opened, a point every 5 s")}>
          <Sparkline values={depths[queue] ?? []} />
        </span>
      ),
      look: "wide",
    },
    {
      id: "running",
      title: t("Running"),
      cell: ({ running }) => (
        <>
          {shortCount(running)}
          <NarrowWord word={t("running")} />
        </>
      ),
      sortBy: ({ running }) => running,
      look: "num cell-level",
    },
    {
      id: "oldest",
      title: t("Oldest"),
      cell: ({ oldestWaitMs }) => <Duration ms={oldestWaitMs} />,
      sortBy: ({ oldestWaitMs }) => oldestWaitMs,
      look: "num nowrap cell-time",
    },
    {
      id: "workers",
      title: t("Workers"),
      cell: (row) => <Workers row={row} />,
      sortBy: ({ workers }) => workers,
      look: "nowrap wide",
    },
  ];
  return (
    <div class="two-line">
      <DataTable
        label={t("Queues")}
        columns={columns}
        rows={rows}
        keyOf={({ queue }) => queue}
        openKey={chosen}
        onOpen={({ queue }) => onQueue(queue)}
      />
    </div>
  );
}

/** What a number is, where there is no header above it. */
function NarrowWord(props: { word: string }) {
  return <span class="narrow-word dim"> {props.word}</span>;
}

function bucketWords({ waitingBy, oldestWaitMs }: QueueRow): string {
  const words = (["high", "normal", "low"] as const).map(
    (bucket) => `${t(BUCKET_LOOKS[bucket].word)} ${exactCount(waitingBy[bucket])}`,
  );
  const oldest =
    oldestWaitMs === null
      ? []
      : [t("the oldest for {time}", { time: formatDuration(oldestWaitMs) })];
  return [...words, ...oldest].join(" · ");
}

function Workers(props: { row: QueueRow }) {
  const { workers, busy, slots } = props.row;
  if (workers === 0) return <span class="dim">–</span>;
  return (
    <span title={t("Slots of these workers in use, for all queues that they serve")}>
      {plural(workers, "1 worker", "{n} workers", { n: exactCount(workers) })}{" "}
      <span class="dim">
        {exactCount(busy)}/{exactCount(slots)}
      </span>
    </span>
  );
}
