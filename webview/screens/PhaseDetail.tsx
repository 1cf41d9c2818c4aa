import type { RunView, TaskDetail } from "../../shared/control.ts";
import { useDashboard, useQuery } from "../dashboard.ts";
import { onTask } from "../state/query.ts";
import { StatusBadge } from "../ui/Badge.tsx";
import { Button } from "../ui/controls.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import { plainForeign } from "../ui/foreign-text.ts";
import { JsonView } from "../ui/JsonView.tsx";
import { Empty, Panel } from "../ui/Panel.tsx";
import { t } from "../ui/text.ts";
import { Progress } from "./TaskDetail.tsx";

type Phase = RunView["phases"][number];

/** The selected phase of a run: how far it is, what went wrong, what came out, and the way to its task. */
export function PhaseDetail(props: { phase: Phase }) {
  const { phase } = props;
  const title = plainForeign(phase.phase, 60);
  if (phase.taskId === null) {
    return (
      <section class="panel phase-detail" aria-label={title}>
        <header class="panel-head">
          <h2>{title}</h2>
          <StatusBadge status={phase.status} />
        </header>
        <Empty
          why={t("It has not begun.")}
          next={t("It begins when the phase before it has completed.")}
        />
      </section>
    );
  }
  return <Begun title={title} taskId={phase.taskId} />;
}

function Begun(props: { title: string; taskId: string }) {
  const { router } = useDashboard();
  const { title, taskId } = props;
  const { state, refetch } = useQuery("get", { id: taskId }, { refreshOn: onTask(taskId) });
  return (
    <Panel
      class="phase-detail"
      title={title}
      state={state}
      onRetry={refetch}
      rows={2}
      tools={
        <Button icon="go-to-file" onClick={() => router.navigate({ screen: "task", id: taskId })}>
          {t("Open task")}
        </Button>
      }
    >
      {(task) => <Contents task={task} />}
    </Panel>
  );
}

function Contents(props: { task: TaskDetail }) {
  const { copy } = useDashboard();
  const { task } = props;
  return (
    <>
      <p class="title-line">
        <StatusBadge status={task.status} />
        <span class="dim">
          {t("attempt {n} of {all}", { n: task.attempts, all: task.maxAttempts })}
        </span>
      </p>
      {task.status === "running" && <Progress task={task} />}
      {task.error !== null && (
        <p class="wrap">
          <Foreign text={task.error} limit={2000} lines />
        </p>
      )}
      {task.resultJson !== null && (
        <JsonView text={task.resultJson} label={t("Result")} onCopy={(shown) => void copy(shown)} />
      )}
    </>
  );
}
