import { useState } from "preact/hooks";
import type { TaskFilter } from "../../shared/control.ts";
import { highestLevelOf } from "../../shared/roles.ts";
import { TASK_STATUSES } from "../../shared/task.ts";
import { TASK_ACTS, whyNot } from "../actions.ts";
import { useDashboard } from "../dashboard.ts";
import { countOf, NOTHING, type Selection } from "../state/queues.ts";
import { Button, Select } from "../ui/controls.tsx";
import { exactCount } from "../ui/format.ts";
import { Toolbar } from "../ui/Toolbar.tsx";
import { plural, t } from "../ui/text.ts";
import { useActor } from "./TaskActions.tsx";
import { levelWords } from "./TaskTimeline.tsx";
import type { Bulk } from "./use-bulk.tsx";

/** What is chosen, and what can be done to all of it. */
export function SelectionBar(props: {
  selection: Selection;
  onSelect: (selection: Selection) => void;
  where: TaskFilter;
  bulk: Bulk;
}) {
  const { selection, onSelect, where, bulk } = props;
  const count = countOf(selection);
  if (count === 0) return null;
  const run = async (wish: Pick<Parameters<Bulk["run"]>[0], "act" | "to">): Promise<void> => {
    if (await bulk.run({ ...wish, selection, where })) onSelect(NOTHING);
  };
  return (
    <div class="selection-bar">
      <Toolbar label={t("Acts on the selected tasks")}>
        <span class="strong">
          {selection.kind === "all"
            ? plural(count, "All that match (1)", "All that match ({n})", { n: exactCount(count) })
            : plural(count, "1 selected", "{n} selected", { n: exactCount(count) })}
        </span>
        <BulkButtons run={(wish) => void run(wish)} />
        {selection.kind === "some" && <SelectAll where={where} onSelect={onSelect} />}
        <Button icon="close" onClick={() => onSelect(NOTHING)}>
          {t("Clear selection")}
        </Button>
      </Toolbar>
    </div>
  );
}

const NOBODY = { status: null, priority: null, by: null } as const;

function BulkButtons(props: {
  run: (wish: Pick<Parameters<Bulk["run"]>[0], "act" | "to">) => void;
}) {
  const [level, setLevel] = useState("5");
  const actor = useActor();
  const highest = actor.role === null ? -1 : highestLevelOf(actor.role);
  const levels = Array.from({ length: highest + 1 }, (_, n) => String(highest - n));
  return (
    <>
      {(["prioritize", "urgent", "critical", "cancel"] as const).map((act) => {
        const why = whyNot(TASK_ACTS[act], NOBODY, actor);
        return (
          <Button
            key={act}
            icon={TASK_ACTS[act].icon}
            disabled={why !== null}
            why={why ?? undefined}
            onClick={() => props.run({ act })}
          >
            {t(TASK_ACTS[act].label)}
          </Button>
        );
      })}
      {levels.length > 0 && (
        <span class="level-choice">
          <Select
            label={t("Level")}
            hideLabel
            value={level}
            options={levels.map((value) => ({ value, label: levelWords(Number(value)) }))}
            onChange={setLevel}
          />
          <Button
            disabled={whyNot(TASK_ACTS.level, NOBODY, actor) !== null}
            onClick={() => props.run({ act: "level", to: Number(level) })}
          >
            {t("Set level…")}
          </Button>
        </span>
      )}
    </>
  );
}

/** Widens the choice to all that match; how many that are is asked of the daemon. */
function SelectAll(props: { where: TaskFilter; onSelect: (selection: Selection) => void }) {
  const { host, dialogs } = useDashboard();
  const { where, onSelect } = props;
  const [isAsking, setAsking] = useState(false);
  const widen = async (): Promise<void> => {
    setAsking(true);
    const status = where.status ?? [...TASK_STATUSES];
    const outcome = await host.request("cancel", { where: { ...where, status }, dryRun: true });
    setAsking(false);
    if (outcome.ok) onSelect({ kind: "all", count: outcome.value.matched });
    else dialogs.tell("bad", outcome.error.message, outcome.error.hint);
  };
  return (
    <Button disabled={isAsking} onClick={() => void widen()}>
      {t("Select all that match")}
    </Button>
  );
}
