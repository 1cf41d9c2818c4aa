import { useState } from "preact/hooks";
import type { BulkOutcome, TaskSummary } from "../../shared/control.ts";
import { highestLevelOf } from "../../shared/roles.ts";
import { reportOf, send, type Tasks } from "../actions.ts";
import { useDashboard, useQuery } from "../dashboard.ts";
import { inputFault } from "../state/task.ts";
import { Button, Checkbox, Select, TextArea, TextField } from "../ui/controls.tsx";
import { escapeOdd } from "../ui/foreign-text.ts";
import { exactCount } from "../ui/format.ts";
import { Modal } from "../ui/Modal.tsx";
import { Skeleton } from "../ui/Panel.tsx";
import { plural, t } from "../ui/text.ts";
import { levelWords } from "./TaskTimeline.tsx";

/** What is to be redriven. One letter may get another input. */
export interface RedriveWish {
  readonly tasks: Tasks;
  readonly count: number;
  /** The only one; null: several. */
  readonly one: Pick<TaskSummary, "id" | "name"> | null;
  /** Those of them that the list shows. */
  readonly shown: readonly TaskSummary[];
}

export type AskRedrive = (wish: RedriveWish) => void;

/** As many as one order may name. */
const MOST_NAMED = 10_000;

/** The wish to redrive these tasks. */
export function wishFor(tasks: readonly TaskSummary[]): RedriveWish {
  const shown = tasks.slice(0, MOST_NAMED);
  const ids = shown.map(({ id }) => id);
  return { tasks: { ids }, count: ids.length, one: ids.length === 1 ? shown[0]! : null, shown };
}

const AS_BEFORE = "as-before";

/** Asks how, and lets them run again. `onDone` gets what came of it, to tell it; without it a line at the edge does. */
export function RedriveDialog(props: {
  wish: RedriveWish;
  onClose: () => void;
  onDone?: (outcome: BulkOutcome) => void;
}) {
  const dashboard = useDashboard();
  const { wish, onClose, onDone } = props;
  const [level, setLevel] = useState(AS_BEFORE);
  const [reason, setReason] = useState("");
  const [isEdited, setEdited] = useState(false);
  const [input, setInput] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const isBad = isEdited && (input === null || inputFault(input) !== null);

  async function redrive(): Promise<void> {
    if (isBad || isBusy) return;
    setBusy(true);
    const order = {
      act: "redrive" as const,
      tasks: wish.tasks,
      count: wish.count,
      ...(level === AS_BEFORE ? {} : { priority: Number(level) }),
      ...(isEdited && input !== null ? { input } : {}),
    };
    const outcome = await send(dashboard.host, order, reason.trim());
    setBusy(false);
    if (!outcome.ok) {
      dashboard.dialogs.tell("bad", outcome.error.message, outcome.error.hint);
      return;
    }
    dashboard.queries.refreshAll();
    if (onDone === undefined) dashboard.dialogs.tell("ok", reportOf(order, outcome.value));
    else onDone(outcome.value);
    onClose();
  }

  const verb = plural(wish.count, "Redrive 1 task", "Redrive {n} tasks", {
    n: exactCount(wish.count),
  });
  return (
    <Modal title={verb} onClose={onClose} class="redrive">
      <div class="form">
        <p>
          {plural(
            wish.count,
            "It runs again from the start, with all its attempts. The history stays.",
            "They run again from the start, with all their attempts. The history stays.",
          )}
        </p>
        <LevelField value={level} onChange={setLevel} />
        <TextField label={t("Reason (optional)")} value={reason} onInput={setReason} />
        {wish.one !== null && (
          <Checkbox label={t("With another input")} checked={isEdited} onChange={setEdited} />
        )}
        {wish.one !== null && isEdited && (
          <InputField id={wish.one.id} value={input} onInput={setInput} isBad={isBad} />
        )}
      </div>
      <div class="confirm-buttons">
        <Button onClick={onClose}>{t("Cancel")}</Button>
        <Button kind="primary" disabled={isBad || isBusy} onClick={() => void redrive()}>
          {verb}
        </Button>
      </div>
    </Modal>
  );
}

function LevelField(props: { value: string; onChange: (value: string) => void }) {
  const { role } = useDashboard();
  const highest = role.value === null ? -1 : highestLevelOf(role.value);
  const levels = Array.from({ length: highest + 1 }, (_, level) => level).reverse();
  return (
    <Select
      label={t("Level")}
      value={props.value}
      options={[
        { value: AS_BEFORE, label: t("As before") },
        ...levels.map((level) => ({ value: String(level), label: levelWords(level) })),
      ]}
      onChange={props.onChange}
    />
  );
}

/** The input as it was, to be changed. */
function InputField(props: {
  id: string;
  value: string | null;
  onInput: (text: string) => void;
  isBad: boolean;
}) {
  const { state } = useQuery("get", { id: props.id });
  const before = "data" in state ? escapeOdd(state.data.inputJson ?? "{}") : null;
  if (before === null) {
    return state.kind === "loading" ? (
      <Skeleton rows={3} />
    ) : (
      <p class="dim">{t("Its input cannot be read now.")}</p>
    );
  }
  return (
    <>
      <TextArea
        label={t("Input (JSON)")}
        value={props.value ?? before}
        onInput={props.onInput}
        invalid={props.value !== null && props.isBad}
        rows={8}
        mono
      />
      {props.value === null ? (
        <p class="dim small">{t("Change it first: it is as it was.")}</p>
      ) : (
        props.isBad && <p class="dim small">{t("This is no JSON.")}</p>
      )}
    </>
  );
}
