import { useMemo } from "preact/hooks";
import { LEVEL_NAMES } from "../../shared/priority.ts";
import { TASK_STATUSES } from "../../shared/task.ts";
import { useDashboard, useQuery } from "../dashboard.ts";
import { TASK_KEYS, type TaskKey } from "../state/task-filter.ts";
import { FilterBox, type FilterKey } from "../ui/FilterBox.tsx";
import { Icon } from "../ui/Icon.tsx";
import { key, t } from "../ui/text.ts";

const MEANINGS: Readonly<Record<TaskKey, string>> = {
  status: key("state, several are alternatives"),
  queue: key("queue"),
  name: key("name of the task, exactly"),
  bucket: key("high, normal or low"),
  level: key("level: 9, >=8 or 0-3"),
  by: key("who enqueued it"),
  run: key("id of a pipeline run"),
  since: key("enqueued within: 15m, 2h, 7d"),
};

/** A filter of tasks with what the daemon knows as suggestions. */
export function TaskFilterBox(props: {
  value: string;
  onChange: (text: string) => void;
  placeholder?: string;
}) {
  const { connection } = useDashboard();
  const definitions = useQuery("definitions", {}).state;
  const queues = useQuery("queues", {}).state;
  const names = "data" in definitions ? definitions.data.tasks.map(({ name }) => name) : [];
  const lanes = "data" in queues ? queues.data.queues.map(({ queue }) => queue) : [];
  const me = connection.identity.value?.user;
  const keys = useMemo<FilterKey[]>(() => {
    const values: Readonly<Record<TaskKey, readonly string[]>> = {
      status: TASK_STATUSES,
      queue: lanes,
      name: names,
      bucket: ["high", "normal", "low"],
      level: [">=8", ...LEVEL_NAMES.map((_, level) => String(level)).reverse()],
      by: me === undefined ? [] : [me],
      run: [],
      since: ["15m", "1h", "24h", "7d"],
    };
    return TASK_KEYS.map((name) => ({
      key: name,
      meaning: t(MEANINGS[name]),
      values: () => values[name],
    }));
  }, [names.join(), lanes.join(), me]);
  return (
    <FilterBox
      label={t("Filter tasks")}
      value={props.value}
      onChange={props.onChange}
      keys={keys}
      placeholder={props.placeholder ?? t("Filter, e.g. status:waiting queue:etl level:>=8")}
    />
  );
}

/** Why a filter cannot be asked; nothing is listed then. */
export function Problems(props: { problems: readonly string[] }) {
  return (
    <div class="note note-warn" role="status">
      <Icon name="warning" tone="wait" />
      <div class="note-text">
        {props.problems.map((problem) => (
          <p key={problem}>{problem}</p>
        ))}
      </div>
    </div>
  );
}
