import { useState } from "preact/hooks";
import type { BulkOutcome, TaskFilter, TaskSummary } from "../../shared/control.ts";
import {
  levelOf,
  type Order,
  questionOf,
  send,
  TASK_ACTS,
  type TaskActId,
  type Tasks,
} from "../actions.ts";
import { type Dashboard, useDashboard } from "../dashboard.ts";
import type { Outcome } from "../host.ts";
import type { Selection } from "../state/queues.ts";
import { within } from "../state/task-filter.ts";
import { Foreign } from "../ui/Foreign.tsx";
import { exactCount } from "../ui/format.ts";
import { plural, t } from "../ui/text.ts";

export interface BulkReport {
  readonly order: Order;
  readonly outcome: BulkOutcome;
}

/** Acts on a selection, with a preview of how many it would be, and what came of each. */
export interface Bulk {
  readonly report: BulkReport | null;
  readonly closeReport: () => void;
  /** Asks and acts. True: something was done. */
  run(wish: BulkWish): Promise<boolean>;
}

export interface BulkWish {
  readonly act: Extract<TaskActId, "prioritize" | "urgent" | "critical" | "level" | "cancel">;
  /** Only of `level`. */
  readonly to?: number;
  readonly selection: Selection;
  readonly where: TaskFilter;
}

/** What an act would really be done to: what is chosen, without what is in a state that does not allow it. */
interface Reach {
  readonly tasks: Tasks;
  readonly count: number;
  readonly leftOut: number;
  /** Some of them by name, the most frequent first. */
  readonly names: readonly (readonly [string, number])[];
}

const MOST_NAMES = 5;

export function useBulk(): Bulk {
  const dashboard = useDashboard();
  const [report, setReport] = useState<BulkReport | null>(null);
  return {
    report,
    closeReport: () => setReport(null),
    async run(wish) {
      setReport(null);
      const done = await act(dashboard, wish);
      if (done === null) return false;
      setReport(done);
      return done.outcome.applied > 0;
    },
  };
}

async function act(dashboard: Dashboard, wish: BulkWish): Promise<BulkReport | null> {
  const { dialogs, host, queries } = dashboard;
  const reach = await reachOf(dashboard, wish);
  if (!reach.ok) {
    dialogs.tell("bad", reach.error.message, reach.error.hint);
    return null;
  }
  const { tasks, count, leftOut, names } = reach.value;
  if (count === 0) {
    dialogs.tell("info", t("None of them is in a state that allows it."));
    return null;
  }
  const to = wish.to === undefined ? {} : { to: wish.to };
  const order: Order = { act: wish.act, tasks, count, ...to };
  const { label, reason } = TASK_ACTS[wish.act];
  const answer = await dialogs.ask({
    title: questionOf(order),
    confirm: plural(count, "{act}: 1 task", "{act}: {n} tasks", {
      act: t(label),
      n: exactCount(count),
    }),
    body: <Preview reach={reach.value} isAll={"where" in tasks} leftOut={leftOut} names={names} />,
    reason,
    isGrave: wish.act === "cancel",
  });
  if (answer === null) return null;
  const outcome = await send(host, order, answer.reason);
  queries.refreshAll();
  if (!outcome.ok) {
    dialogs.tell("bad", outcome.error.message, outcome.error.hint);
    return null;
  }
  return { order, outcome: outcome.value };
}

function Preview(props: {
  reach: Reach;
  isAll: boolean;
  leftOut: number;
  names: readonly (readonly [string, number])[];
}) {
  const { isAll, leftOut, names } = props;
  return (
    <>
      {isAll && <p>{t("All that match the filter now, also those that are not shown.")}</p>}
      {names.length > 0 && (
        <ul class="names">
          {names.map(([name, count]) => (
            <li key={name}>
              {exactCount(count)} × <Foreign text={name} limit={80} />
            </li>
          ))}
        </ul>
      )}
      {leftOut > 0 && (
        <p class="dim">
          {plural(
            leftOut,
            "1 more is left out: its state does not allow it.",
            "{n} more are left out: their state does not allow it.",
            { n: exactCount(leftOut) },
          )}
        </p>
      )}
    </>
  );
}

async function reachOf(dashboard: Dashboard, wish: BulkWish): Promise<Outcome<Reach>> {
  const { statuses } = TASK_ACTS[wish.act];
  const { selection } = wish;
  if (selection.kind === "some") {
    const fits = [...selection.tasks.values()].filter(({ status }) => statuses.includes(status));
    const value = {
      tasks: { ids: fits.map(({ id }) => id) },
      count: fits.length,
      leftOut: selection.tasks.size - fits.length,
      names: namesOf(fits),
    };
    return { ok: true, value };
  }
  const where = within(wish.where, statuses);
  if (where === null)
    return { ok: true, value: { tasks: { ids: [] }, count: 0, leftOut: 0, names: [] } };
  const counted = await count(dashboard, wish, where);
  if (!counted.ok) return counted;
  const { matched } = counted.value;
  const leftOut = Math.max(0, selection.count - matched);
  return { ok: true, value: { tasks: { where }, count: matched, leftOut, names: [] } };
}

/** How many an act would be done to, asked of the daemon without doing it. */
function count(
  { host }: Dashboard,
  wish: BulkWish,
  where: TaskFilter,
): Promise<Outcome<BulkOutcome>> {
  const to = levelOf({ act: wish.act, tasks: { where }, count: null, ...toOf(wish) });
  return to === null
    ? host.request("cancel", { where, dryRun: true })
    : host.request("escalate", { where, to, reason: "preview", dryRun: true });
}

function toOf({ to }: BulkWish) {
  return to === undefined ? {} : { to };
}

function namesOf(tasks: readonly TaskSummary[]): (readonly [string, number])[] {
  const counts = [...Map.groupBy(tasks, ({ name }) => name)].map(
    ([name, group]) => [name, group.length] as const,
  );
  return counts.sort((a, b) => b[1] - a[1]).slice(0, MOST_NAMES);
}
