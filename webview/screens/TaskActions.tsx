import { useState } from "preact/hooks";
import type { TaskDetail } from "../../shared/control.ts";
import { highestLevelOf } from "../../shared/roles.ts";
import { perform, TASK_ACTS, type TaskAct, whyNot } from "../actions.ts";
import { useDashboard } from "../dashboard.ts";
import { actsFor, type DetailAct } from "../state/task.ts";
import { Button, Select } from "../ui/controls.tsx";
import { Toolbar } from "../ui/Toolbar.tsx";
import { t } from "../ui/text.ts";
import { levelWords } from "./TaskTimeline.tsx";

/** Who would act, as far as this view knows. */
export function useActor(): Parameters<typeof whyNot>[2] {
  const { role, connection } = useDashboard();
  return {
    role: role.value,
    user: connection.identity.value?.user ?? null,
    isConnected: connection.phase.value === "connected",
  };
}

/** Why the user cannot do an act to this task now; null: it can be done. */
export function useWhyNot(task: TaskDetail): (act: TaskAct) => string | null {
  const actor = useActor();
  return (act) => whyNot(act, task, actor);
}

/** What can be done to a task. What the user may not do is there too, and says why. */
export function TaskActions(props: { task: TaskDetail; onRedrive: () => void }) {
  const dashboard = useDashboard();
  const { task, onRedrive } = props;
  const whyNotAct = useWhyNot(task);
  const acts = actsFor(task);
  if (acts.length === 0) return null;
  const press = (act: DetailAct): void => {
    if (act === "redrive") onRedrive();
    else void perform(dashboard, { act, tasks: { ids: [task.id] }, count: 1 });
  };
  const refusals = Map.groupBy(
    acts.flatMap((act) => {
      const why = whyNotAct(TASK_ACTS[act]);
      return why === null ? [] : [{ label: t(TASK_ACTS[act].label), why }];
    }),
    ({ why }) => why,
  );
  return (
    <div class="task-acts">
      <Toolbar label={t("Actions")}>
        {acts.map((act) => {
          const { label, icon, shortcut } = TASK_ACTS[act];
          const why = whyNotAct(TASK_ACTS[act]);
          const hint = shortcut === null ? undefined : t("Key {key}", { key: shortcut });
          return (
            <Button
              key={act}
              icon={icon}
              kind={act === "redrive" ? "primary" : "secondary"}
              disabled={why !== null}
              why={why ?? hint}
              onClick={() => press(act)}
            >
              {t(label)}
            </Button>
          );
        })}
        {acts.includes("prioritize") && <LevelChoice task={task} />}
      </Toolbar>
      {[...refusals].map(([why, refused]) => (
        <p class="dim small" key={why}>
          {refused.map(({ label }) => label).join(", ")}: {why}
        </p>
      ))}
    </div>
  );
}

/** Any level that the role may set, also a lower one. */
function LevelChoice(props: { task: TaskDetail }) {
  const dashboard = useDashboard();
  const { task } = props;
  const why = useWhyNot(task)(TASK_ACTS.level);
  const [chosen, setChosen] = useState(task.priority);
  const role = dashboard.role.value;
  if (role === null || why !== null) return null;
  const levels = Array.from({ length: highestLevelOf(role) + 1 }, (_, level) => level).reverse();
  const to = levels.includes(chosen) ? chosen : levels[0]!;
  return (
    <span class="level-choice">
      <Select
        label={t("Level")}
        hideLabel
        value={String(to)}
        options={levels.map((level) => ({ value: String(level), label: levelWords(level) }))}
        onChange={(value) => setChosen(Number(value))}
      />
      <Button
        disabled={to === task.priority}
        why={to === task.priority ? t("It has this level already.") : undefined}
        onClick={() =>
          void perform(dashboard, { act: "level", to, tasks: { ids: [task.id] }, count: 1 })
        }
      >
        {t("Set level…")}
      </Button>
    </span>
  );
}
