import { useState } from "preact/hooks";
import type { TaskSummary } from "../../shared/control.ts";
import { TASK_ACTS, whyNot } from "../actions.ts";
import { useDashboard } from "../dashboard.ts";
import type { Group, Grouping } from "../state/dead-letters.ts";
import { Badge, LevelBadge } from "../ui/Badge.tsx";
import { Button, Checkbox, IconButton } from "../ui/controls.tsx";
import type { Column } from "../ui/DataTable.tsx";
import { RelativeTime } from "../ui/Duration.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import { plainForeign } from "../ui/foreign-text.ts";
import { exactCount } from "../ui/format.ts";
import { Icon } from "../ui/Icon.tsx";
import { plural, t } from "../ui/text.ts";
import { type AskRedrive, wishFor } from "./RedriveDialog.tsx";
import { useActor } from "./TaskActions.tsx";
import { TaskName, TaskTable } from "./TaskTable.tsx";

/** Rows of a group that are shown at once. */
const ROWS = 50;

/** Letters of one cause (or task, or queue), to be opened, chosen and redriven together. */
export function LetterGroup(props: {
  group: Group;
  grouping: Grouping;
  /** Redriven a moment ago. */
  gone: ReadonlySet<string>;
  ticked: ReadonlySet<string>;
  onTick: (ticked: ReadonlySet<string>) => void;
  onRedrive: AskRedrive;
  isOpenFirst: boolean;
}) {
  const { group, grouping, gone, ticked, onTick, onRedrive } = props;
  const [isOpen, setOpen] = useState(props.isOpenFirst);
  const why = useRedriveRefusal();
  const letters = group.tasks.filter(({ id }) => !gone.has(id));
  const count = letters.filter(({ id }) => ticked.has(id)).length;
  const name = group.title === "" ? t("No error was told") : plainForeign(group.title, 80);
  const tickAll = (): void => {
    const isAll = count === letters.length;
    const next = new Set(ticked);
    for (const { id } of letters) {
      if (isAll) next.delete(id);
      else next.add(id);
    }
    onTick(next);
  };
  return (
    <section class="group" aria-label={name}>
      <div class="group-head">
        {letters.length > 0 && (
          <Checkbox
            hideLabel
            label={t("Select the group {name}", { name })}
            checked={count === letters.length}
            indeterminate={count > 0 && count < letters.length}
            onChange={tickAll}
          />
        )}
        <button
          type="button"
          class="plain group-title"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          <Icon name={isOpen ? "chevron-down" : "chevron-right"} />
          <span class="strong cut">
            {group.title === "" ? name : <Foreign text={group.title} limit={200} />}
          </span>
          <span class="dim nowrap">({exactCount(letters.length)})</span>
        </button>
        <span class="dim nowrap wide">
          {t("the oldest")} <RelativeTime at={group.oldestAt} />
        </span>
        {letters.length > 1 && (
          <Button
            disabled={why !== null}
            why={why ?? undefined}
            onClick={() => onRedrive(wishFor(letters))}
          >
            {t("Redrive group…")}
          </Button>
        )}
      </div>
      {isOpen && (
        <div class="group-body">
          <Rows
            tasks={group.tasks}
            label={name}
            hasError={grouping !== "cause"}
            gone={gone}
            ticked={ticked}
            onTick={onTick}
            onRedrive={onRedrive}
          />
        </div>
      )}
    </section>
  );
}

function useRedriveRefusal(): string | null {
  const actor = useActor();
  return whyNot(TASK_ACTS.redrive, { status: null, priority: null, by: null }, actor);
}

function Rows(props: {
  tasks: readonly TaskSummary[];
  label: string;
  hasError: boolean;
  gone: ReadonlySet<string>;
  ticked: ReadonlySet<string>;
  onTick: (ticked: ReadonlySet<string>) => void;
  onRedrive: AskRedrive;
}) {
  const { router, dialogs } = useDashboard();
  const { tasks, label, hasError, gone, ticked, onTick, onRedrive } = props;
  const [shown, setShown] = useState(ROWS);
  const why = useRedriveRefusal();
  const open = router.detail.value;
  const left = tasks.length - shown;
  const visible = tasks.slice(0, shown);
  const redrive = (task: TaskSummary): void => {
    if (gone.has(task.id)) return;
    if (why === null) onRedrive(wishFor([task]));
    else dialogs.tell("info", why);
  };
  return (
    <>
      <TaskTable
        label={t("Dead letters: {name}", { name: label })}
        columns={columnsOf({ gone, hasError, why, redrive })}
        rows={visible}
        onOpen={({ id }) => router.navigate({ screen: "task", id })}
        openKey={open?.screen === "task" ? (open.id ?? null) : null}
        ticked={ticked}
        onTick={(next) => {
          // The table knows its own rows only: what is chosen in other groups stays.
          const here = new Set(visible.map(({ id }) => id));
          const others = [...ticked].filter((id) => !here.has(id));
          const mine = [...next].filter((id) => here.has(id) && !gone.has(id));
          onTick(new Set([...others, ...mine]));
        }}
        onRowKey={(key, task) => {
          if (key !== TASK_ACTS.redrive.shortcut) return false;
          redrive(task);
          return true;
        }}
      />
      {left > 0 && (
        <Button onClick={() => setShown(shown + ROWS * 4)}>
          {plural(left, "Show 1 more", "Show {n} more", { n: exactCount(left) })}
        </Button>
      )}
    </>
  );
}

function columnsOf(deps: {
  gone: ReadonlySet<string>;
  hasError: boolean;
  why: string | null;
  redrive: (task: TaskSummary) => void;
}): Column<TaskSummary>[] {
  const { gone, hasError, why, redrive } = deps;
  const error: Column<TaskSummary> = {
    id: "error",
    title: t("Error"),
    cell: (task) => <Foreign text={task.error ?? t("No error was told")} limit={120} />,
    look: "grow wide",
  };
  return [
    {
      id: "name",
      title: t("Task"),
      cell: (task) => <TaskName task={task} />,
      sortBy: ({ name }) => name,
      look: hasError ? "nowrap cell-name" : "grow cell-name",
    },
    ...(hasError ? [error] : []),
    {
      id: "attempts",
      title: t("Attempts"),
      cell: ({ id, attempts }) =>
        gone.has(id) ? (
          <Badge look={{ word: t("Redriven"), icon: "debug-restart", tone: "ok" }} />
        ) : (
          plural(attempts, "1 attempt", "{n} attempts")
        ),
      sortBy: ({ attempts }) => attempts,
      look: "nowrap cell-state",
    },
    {
      id: "level",
      title: t("Level"),
      cell: ({ priority }) => <LevelBadge level={priority} />,
      sortBy: ({ priority }) => priority,
      look: "cell-level",
    },
    {
      id: "died",
      title: t("Died"),
      cell: ({ endedAt, createdAt }) => <RelativeTime at={endedAt ?? createdAt} />,
      sortBy: ({ endedAt, createdAt }) => endedAt ?? createdAt,
      look: "num nowrap cell-time",
    },
    {
      id: "acts",
      title: "",
      cell: (task) =>
        !gone.has(task.id) && (
          <IconButton
            icon="debug-restart"
            label={t("Redrive")}
            disabled={why !== null}
            why={why ?? undefined}
            onClick={() => redrive(task)}
          />
        ),
      look: "cell-acts",
    },
  ];
}
