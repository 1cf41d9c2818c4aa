import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { AuditEventView, TaskDetail as Detail } from "../../shared/control.ts";
import type { Address } from "../../shared/view/messages.ts";
import { perform, TASK_ACTS } from "../actions.ts";
import { useDashboard, useQuery } from "../dashboard.ts";
import { now } from "../state/clock.ts";
import { isFlag } from "../state/prefs.ts";
import { onTask, type QueryState } from "../state/query.ts";
import { shareOf } from "../state/runs.ts";
import { actsFor } from "../state/task.ts";
import { timelineOf } from "../state/timeline.ts";
import { LevelBadge, StatusBadge } from "../ui/Badge.tsx";
import { IconButton } from "../ui/controls.tsx";
import { Elapsed, RelativeTime } from "../ui/Duration.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import { exactCount, formatDuration, formatShare, shortId } from "../ui/format.ts";
import { pressOf } from "../ui/keyboard.ts";
import { STATUS_LOOKS } from "../ui/looks.ts";
import { Panel } from "../ui/Panel.tsx";
import { ProgressBar } from "../ui/ProgressBar.tsx";
import { plural, t } from "../ui/text.ts";
import "../styles/work.css";
import { PriorityHistory } from "./PriorityHistory.tsx";
import { RedriveDialog, wishFor } from "./RedriveDialog.tsx";
import { TaskActions, useWhyNot } from "./TaskActions.tsx";
import { TaskPayload } from "./TaskPayload.tsx";
import { TaskTimeline } from "./TaskTimeline.tsx";

/** One task: what it is, what can be done, why it waits, its life, and what it carries. */
export function TaskDetail(props: { address: Address }) {
  const id = props.address.id ?? "";
  const task = useQuery("get", { id }, { refreshOn: onTask(id) });
  const audit = useQuery("audit_task", { id }, { refreshOn: onTask(id) });
  return (
    <div class="detail">
      <h1 class="unseen">{t("Task {id}", { id: shortId(id) })}</h1>
      <Panel title={t("Task")} hideTitle state={task.state} onRetry={task.refetch} rows={8}>
        {(detail) => <Known task={detail} audit={audit} />}
      </Panel>
    </div>
  );
}

function Known(props: {
  task: Detail;
  audit: {
    state: QueryState<{ readonly events: readonly AuditEventView[] }>;
    refetch: () => void;
  };
}) {
  const { task, audit } = props;
  const [isRedriving, setRedriving] = useState(false);
  useTaskKeys(task, () => setRedriving(true));
  const events = "data" in audit.state ? audit.state.data.events : [];
  const items = useMemo(() => timelineOf(task, events), [task, events]);
  const waits = ["waiting", "scheduled", "retrying"].includes(task.status);
  return (
    <div class="detail-parts">
      <Title task={task} />
      <TaskActions task={task} onRedrive={() => setRedriving(true)} />
      {waits && <Why id={task.id} />}
      {task.status === "running" && <Progress task={task} />}
      <Facts task={task} />
      <Panel
        title={t("Timeline")}
        state={audit.state}
        onRetry={audit.refetch}
        rows={5}
        empty={() => (items.length > 0 ? null : { why: t("The audit has nothing of it yet.") })}
      >
        {() => <TaskTimeline items={items} maxAttempts={task.maxAttempts} />}
      </Panel>
      <section class="panel" aria-label={t("Priority history")}>
        <header class="panel-head">
          <h2>{t("Priority history")}</h2>
        </header>
        <PriorityHistory task={task} />
      </section>
      <TaskPayload task={task} events={events} />
      {isRedriving && <RedriveDialog wish={wishFor([task])} onClose={() => setRedriving(false)} />}
    </div>
  );
}

function Title(props: { task: Detail }) {
  const { copy } = useDashboard();
  const { task } = props;
  return (
    <div class="title-line">
      <h2 class="title wrap">
        <Foreign text={task.name} limit={200} />
      </h2>
      <span class="mono dim nowrap" title={task.id}>
        {shortId(task.id)}
      </span>
      <IconButton icon="copy" label={t("Copy the id")} onClick={() => void copy(task.id)} />
      <StatusBadge status={task.status} word={statusWord(task)} />
      <LevelBadge level={task.priority} />
    </div>
  );
}

/** A retry says when; anything else is its state's word. */
function statusWord({ status, dueAt }: Detail): string {
  const time = dueAt === null ? null : formatDuration(Math.max(0, Date.parse(dueAt) - now.value));
  if (time !== null && status === "retrying") return t("Retrying in {time}", { time });
  if (time !== null && status === "scheduled") return t("Starts in {time}", { time });
  return t(STATUS_LOOKS[status].word);
}

/** One sentence on why it does not run, with its place in the line and a guess of when. */
function Why(props: { id: string }) {
  const { state, refetch } = useQuery(
    "why",
    { id: props.id },
    { refreshOn: onTask(props.id), everyMs: 5000 },
  );
  return (
    <Panel title={t("Why it waits")} state={state} onRetry={refetch} rows={1}>
      {(why) => (
        <>
          <p class="wrap">
            <Foreign text={why.sentence} limit={600} />
          </p>
          <p class="dim">
            {why.position !== null &&
              (why.position === 0
                ? t("It is the next.")
                : plural(why.position, "1 task before it.", "{n} tasks before it.", {
                    n: exactCount(why.position),
                  }))}{" "}
            {why.etaMs !== null &&
              why.etaMs > 0 &&
              t("Starts in about {time}.", { time: formatDuration(why.etaMs) })}
          </p>
        </>
      )}
    </Panel>
  );
}

/** How far it is if it says so, else only since when: never a guess. */
export function Progress(props: { task: Pick<Detail, "progress" | "startedAt"> }) {
  const { progress, startedAt } = props.task;
  const share = shareOf(progress);
  return (
    <div class="progress-line">
      {share !== null && <ProgressBar share={share} label={t("Progress")} />}
      <span>
        {progress !== null &&
          (progress.total === null ? (
            exactCount(progress.done)
          ) : (
            <>
              {share !== null && `${formatShare(share)} · `}
              {t("{done} of {total}", {
                done: exactCount(progress.done),
                total: exactCount(progress.total),
              })}
            </>
          ))}{" "}
        {progress !== null && <Foreign text={progress.what} limit={80} />}
      </span>
      {startedAt !== null && (
        <span class="dim nowrap">
          {t("running for")} <Elapsed since={Date.parse(startedAt)} />
        </span>
      )}
    </div>
  );
}

function Facts(props: { task: Detail }) {
  const { router, copy } = useDashboard();
  const { task } = props;
  const { runId, traceId, correlationId } = task;
  const facts: (readonly [string, ComponentChildren])[] = [
    [t("Queue"), <Foreign key="queue" text={task.queue} />],
    [t("Enqueued"), <RelativeTime key="at" at={task.createdAt} />],
    [t("By"), task.by !== null && <Foreign text={task.by} />],
    [t("Attempts"), t("{n} of {all}", { n: task.attempts, all: task.maxAttempts })],
    [t("Worker"), task.worker !== null && <Foreign text={task.worker} />],
    [t("Category"), task.category !== null && <Foreign text={task.category} />],
    [t("Phase"), task.phase !== null && <Foreign text={task.phase} />],
    [
      t("Run"),
      runId !== null && (
        <button
          type="button"
          class="plain link mono"
          title={runId}
          onClick={() => router.navigate({ screen: "run", id: runId })}
        >
          {shortId(runId)}
        </button>
      ),
    ],
    [
      t("Trace"),
      traceId !== null && (
        <span class="with-copy">
          <Foreign class="mono" text={traceId} />
          <IconButton
            icon="copy"
            label={t("Copy the trace id")}
            onClick={() => void copy(traceId)}
          />
        </span>
      ),
    ],
    [t("Correlation"), correlationId !== null && <Foreign class="mono" text={correlationId} />],
  ];
  return (
    <dl class="facts">
      {facts.map(
        ([name, value]) =>
          value !== false && (
            <div key={name}>
              <dt>{name}</dt>
              <dd class="wrap">{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

/** `e` prioritizes and `r` redrives while the detail has the focus. */
function useTaskKeys(task: Detail, redrive: () => void): void {
  const dashboard = useDashboard();
  const whyNotAct = useWhyNot(task);
  useEffect(() => {
    const letters = dashboard.prefs.slot("letters", true, isFlag);
    const onKeyDown = (event: KeyboardEvent): void => {
      const press = pressOf(event);
      const isHere = document.getElementById("detail")?.contains(event.target as Node) === true;
      if (event.defaultPrevented || press.isModified || press.isTyping || !letters.peek()) return;
      if (!isHere || dashboard.dialogs.asked.peek() !== null) return;
      const act = actsFor(task).find((id) => TASK_ACTS[id].shortcut === press.key);
      if (act === undefined) return;
      event.preventDefault();
      const why = whyNotAct(TASK_ACTS[act]);
      if (why !== null) dashboard.dialogs.tell("info", why);
      else if (act === "redrive") redrive();
      else void perform(dashboard, { act, tasks: { ids: [task.id] }, count: 1 });
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  });
}
