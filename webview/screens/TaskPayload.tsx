import { useMemo } from "preact/hooks";
import type { AuditEventView, TaskDetail } from "../../shared/control.ts";
import { useDashboard, useKept } from "../dashboard.ts";
import { rawOf } from "../state/task.ts";
import { Tabs } from "../ui/controls.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import { JsonView } from "../ui/JsonView.tsx";
import { Empty } from "../ui/Panel.tsx";
import { t } from "../ui/text.ts";
import { ErrorOf } from "./TaskTimeline.tsx";

const TABS = ["params", "result", "error", "raw"] as const;
type Tab = (typeof TABS)[number];
const isTab = (value: unknown): value is Tab => TABS.some((tab) => tab === value);

/** What went in, what came out, what went wrong, and all of it. */
export function TaskPayload(props: { task: TaskDetail; events: readonly AuditEventView[] }) {
  const { task, events } = props;
  const tab = useKept<Tab>("task.tab", "params", isTab);
  const errors = task.attemptHistory.filter(({ error }) => error !== null);
  return (
    <Tabs
      label={t("Contents of the task")}
      tabs={[
        { id: "params", label: t("Params") },
        { id: "result", label: t("Result") },
        {
          id: "error",
          label: errors.length > 1 ? t("Errors ({n})", { n: errors.length }) : t("Error"),
        },
        { id: "raw", label: t("Raw") },
      ]}
      selected={tab.value}
      onSelect={(next) => {
        tab.value = next;
      }}
    >
      {tab.value === "params" && <Params task={task} />}
      {tab.value === "result" && <Result task={task} />}
      {tab.value === "error" && <Errors task={task} />}
      {tab.value === "raw" && <Raw task={task} events={events} />}
    </Tabs>
  );
}

function Json(props: { text: string; label: string; task: TaskDetail }) {
  const { can, copy, host } = useDashboard();
  const { text, label, task } = props;
  const open = (shown: string): void => {
    void host.act({ kind: "open-json", title: `${task.name} ${task.id.slice(-6)}`, text: shown });
  };
  return (
    <JsonView
      text={text}
      label={label}
      onCopy={(shown) => void copy(shown)}
      onOpen={can("open-json") ? open : undefined}
    />
  );
}

function Params(props: { task: TaskDetail }) {
  const { task } = props;
  if (task.inputJson === null)
    return <Empty why={t("Its input is not kept.")} next={t("The audit has forgotten it.")} />;
  return <Json text={task.inputJson} label={t("Params")} task={task} />;
}

function Result(props: { task: TaskDetail }) {
  const { task } = props;
  if (task.resultJson !== null)
    return <Json text={task.resultJson} label={t("Result")} task={task} />;
  return task.status === "completed" ? (
    <Empty
      why={t("The result is large and is kept apart.")}
      next={t("`msgsys result {id}` prints it.", { id: task.id })}
    />
  ) : (
    <Empty why={t("There is no result.")} next={t("A task has one when it has completed.")} />
  );
}

function Errors(props: { task: TaskDetail }) {
  const { task } = props;
  const attempts = task.attemptHistory.filter(({ error }) => error !== null).toReversed();
  if (attempts.length === 0) {
    return task.error === null ? (
      <Empty why={t("No attempt has failed.")} />
    ) : (
      <p class="wrap">
        <Foreign text={task.error} limit={20_000} lines />
      </p>
    );
  }
  return (
    <ul class="rows" aria-label={t("Errors, the newest first")}>
      {attempts.map(({ attempt, generation, error }) => (
        <li class="row row-top" key={`${generation} ${attempt}`}>
          <span class="dim nowrap">{t("Attempt {n}", { n: attempt })}</span>
          <div class="grow cut-not">{error !== null && <ErrorOf error={error} />}</div>
        </li>
      ))}
    </ul>
  );
}

function Raw(props: { task: TaskDetail; events: readonly AuditEventView[] }) {
  const { task, events } = props;
  const text = useMemo(() => rawOf(task, events), [task, events]);
  return <Json text={text} label={t("Raw")} task={task} />;
}
