import { useEffect, useRef, useState } from "preact/hooks";
import type { FeedRow } from "../../shared/view/messages.ts";
import { useDashboard } from "../dashboard.ts";
import { Badge, StatusBadge } from "../ui/Badge.tsx";
import { Button, IconButton } from "../ui/controls.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import { exactCount, formatClock, formatInstant, shortId } from "../ui/format.ts";
import { SEVERITY_LOOKS } from "../ui/looks.ts";
import { plural, t } from "../ui/text.ts";
import { Cell } from "../ui/VirtualList.tsx";

/** One event in a line. */
export function feedCells(row: FeedRow) {
  const { severity, status } = row;
  return (
    <>
      <Cell class="feed-time mono dim" title={formatInstant(row.at)}>
        {formatClock(row.at, true)}
      </Cell>
      <Cell class="feed-icon">
        {severity === "info" && status !== null ? (
          <StatusBadge status={status} iconOnly />
        ) : (
          <Badge look={SEVERITY_LOOKS[severity]} iconOnly />
        )}
      </Cell>
      <Cell class="feed-type cut">
        <Foreign text={row.type} limit={80} />
      </Cell>
      <Cell class="feed-subject cut">
        <Foreign text={row.subject} limit={120} />
        {row.taskId !== null && <span class="dim mono small"> {shortId(row.taskId)}</span>}
      </Cell>
      <Cell class="feed-text cut">
        <Foreign text={row.text} />
        {row.times > 1 && <span class="dim"> ×{exactCount(row.times)}</span>}
      </Cell>
    </>
  );
}

/** The selected event, whole. */
export function FeedDetail(props: { row: FeedRow }) {
  const { feed, router, can, copy } = useDashboard();
  const { row } = props;
  const facts: (readonly [string, string | null])[] = [
    [t("Subject"), row.subject === "" ? null : row.subject],
    [t("Task"), row.taskId],
    [t("Run"), row.runId],
    [t("Queue"), row.queue],
    [t("By"), row.by],
    [t("Trace"), row.traceId],
  ];
  return (
    <section class="feed-detail" aria-label={t("The selected event")}>
      <header class="panel-head">
        <Badge look={SEVERITY_LOOKS[row.severity]} />
        <h2 class="cut">
          <Foreign text={row.type} limit={80} />
        </h2>
        <span class="dim mono nowrap">{formatClock(row.at, true)}</span>
        <span class="spacer" />
        <IconButton
          icon="close"
          label={t("Close")}
          onClick={() => feed.act({ kind: "select", seq: null })}
        />
      </header>
      <p class="wrap">
        <Foreign text={row.text} limit={2000} />
      </p>
      <dl class="facts">
        {facts.map(
          ([name, value]) =>
            value !== null && (
              <div key={name}>
                <dt>{name}</dt>
                <dd class="mono wrap">
                  <Foreign text={value} />
                </dd>
              </div>
            ),
        )}
      </dl>
      <div class="buttons">
        {row.taskId !== null && (
          <Button onClick={() => router.navigate({ screen: "task", id: row.taskId! })}>
            {t("Open task")}
          </Button>
        )}
        {row.runId !== null && (
          <Button onClick={() => router.navigate({ screen: "run", id: row.runId! })}>
            {t("Open run")}
          </Button>
        )}
        {can("copy") && (
          <Button icon="copy" onClick={() => void copy(JSON.stringify(row, null, 2))}>
            {t("Copy JSON")}
          </Button>
        )}
      </div>
    </section>
  );
}

const ANNOUNCED_EVERY_MS = 10_000;

/** Says now and then how much came, for those who do not see it. */
export function FeedAnnouncer(props: { rows: readonly FeedRow[] }) {
  const [words, setWords] = useState("");
  const newest = useRef(props.rows);
  newest.current = props.rows;
  useEffect(() => {
    let told = newest.current.at(-1)?.seq ?? 0;
    const timer = setInterval(() => {
      const news = newest.current.filter(({ seq }) => seq > told);
      told = newest.current.at(-1)?.seq ?? told;
      if (news.length === 0) return;
      const failures = news.filter(({ severity }) => severity === "error").length;
      const events = plural(news.length, "1 new event", "{n} new events");
      setWords(
        failures === 0 ? events : `${events}, ${plural(failures, "1 failure", "{n} failures")}`,
      );
    }, ANNOUNCED_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <p class="unseen" aria-live="polite">
      {words}
    </p>
  );
}
