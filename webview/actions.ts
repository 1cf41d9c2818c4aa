import type { BulkOutcome, TaskFilter } from "../shared/control.ts";
import { ESCALATIONS, type EscalationAction, LEVEL_NAMES } from "../shared/priority.ts";
import { leastRoleForLevel, type Role, roleAtLeast } from "../shared/roles.ts";
import type { TaskStatus } from "../shared/task.ts";
import type { Dashboard } from "./dashboard.ts";
import type { Outcome } from "./host.ts";
import { exactCount } from "./ui/format.ts";
import type { IconName } from "./ui/icon-names.ts";
import { ESCALATION_LOOKS } from "./ui/looks.ts";
import { key, plural, t } from "./ui/text.ts";

/** What people do to tasks. `undo` takes back the last change of priority. */
export type TaskActId = EscalationAction | "level" | "cancel" | "retry" | "redrive" | "undo";

export interface TaskAct {
  readonly id: TaskActId;
  /** Through `t`. */
  readonly label: string;
  readonly icon: IconName;
  /** The single key, where a task is in focus. */
  readonly shortcut: string | null;
  /** The least role, for tasks of one's own. */
  readonly needs: Role;
  readonly statuses: readonly TaskStatus[];
  readonly reason: "required" | "optional";
}

const WAITING: readonly TaskStatus[] = ["waiting", "scheduled", "retrying"];

function escalation(id: EscalationAction, shortcut: string | null): TaskAct {
  const { word, icon } = ESCALATION_LOOKS[id];
  const needs = leastRoleForLevel(ESCALATIONS[id]);
  return { id, label: word, icon, shortcut, needs, statuses: WAITING, reason: "required" };
}

/** Every act with its label, icon, key and conditions, in the order of menus. */
export const TASK_ACTS: Readonly<Record<TaskActId, TaskAct>> = {
  prioritize: escalation("prioritize", "e"),
  urgent: escalation("urgent", null),
  critical: escalation("critical", null),
  level: {
    id: "level",
    label: key("Set level…"),
    icon: "layers",
    shortcut: null,
    needs: "Operator",
    statuses: WAITING,
    reason: "required",
  },
  undo: {
    id: "undo",
    label: key("Undo change of level"),
    icon: "discard",
    shortcut: null,
    needs: "Operator",
    statuses: WAITING,
    reason: "required",
  },
  retry: {
    id: "retry",
    label: key("Run now"),
    icon: "play",
    shortcut: null,
    needs: "Operator",
    statuses: ["scheduled", "retrying", "dead", "cancelled"],
    reason: "optional",
  },
  redrive: {
    id: "redrive",
    label: key("Redrive"),
    icon: "debug-restart",
    shortcut: "r",
    needs: "Operator",
    statuses: ["dead", "cancelled"],
    reason: "optional",
  },
  cancel: {
    id: "cancel",
    label: key("Cancel"),
    icon: "debug-stop",
    shortcut: null,
    needs: "Operator",
    statuses: [...WAITING, "running"],
    reason: "optional",
  },
};

/** What an act would be done to, as far as is known. */
export interface ActTarget {
  readonly status: TaskStatus | null;
  readonly priority: number | null;
  readonly by: string | null;
}

/** Why an act cannot be done now, in a sentence; null: it can. The daemon decides again. Pure but for the language. */
export function whyNot(
  act: TaskAct,
  target: ActTarget,
  actor: {
    readonly role: Role | null;
    readonly user: string | null;
    readonly isConnected: boolean;
  },
): string | null {
  const { role, user, isConnected } = actor;
  if (!isConnected) return t("There is no connection to the daemon.");
  if (role === null) return t("You are not signed in.");
  if (!roleAtLeast(role, act.needs)) return needsRole(act.needs, role);
  const isForeign = target.by !== null && target.by !== user;
  if (act.id === "cancel" && isForeign && !roleAtLeast(role, "Manager")) {
    return t("It is a task of {by}. {why}", {
      by: target.by ?? "",
      why: needsRole("Manager", role),
    });
  }
  if (target.status !== null && !act.statuses.includes(target.status)) {
    return t("Not possible for a task in this state.");
  }
  const to = act.id in ESCALATIONS ? ESCALATIONS[act.id as EscalationAction] : null;
  if (to !== null && target.priority !== null && target.priority >= to) {
    return t("It has level {level} already.", { level: target.priority });
  }
  return null;
}

function needsRole(needs: Role, role: Role): string {
  return t("Needs the role {needs}. You are {role}.", { needs, role });
}

/** Which tasks: by id, or all that a filter matches. */
export type Tasks = { readonly ids: readonly string[] } | { readonly where: TaskFilter };

export interface Order {
  readonly act: TaskActId;
  readonly tasks: Tasks;
  /** How many they are, for the words; null: unknown. */
  readonly count: number | null;
  /** Only of `level`. */
  readonly to?: number;
  /** Only of `redrive` of one task: another input, as JSON text. */
  readonly input?: string;
  readonly priority?: number;
}

/** The level that an order sets; null: none. */
export function levelOf(order: Order): number | null {
  if (order.act === "level") return order.to ?? null;
  return order.act in ESCALATIONS ? ESCALATIONS[order.act as EscalationAction] : null;
}

/** Sends an order with its reason. Single-task verbs are asked once for each id. */
export async function send(
  host: Dashboard["host"],
  order: Order,
  reason: string,
): Promise<Outcome<BulkOutcome>> {
  const why = reason === "" ? {} : { reason };
  const target = "ids" in order.tasks ? { ids: [...order.tasks.ids] } : order.tasks;
  const to = levelOf(order);
  if (to !== null) return host.request("escalate", { ...target, to, reason });
  if (order.act === "cancel") return host.request("cancel", { ...target, ...why });
  if (order.act === "redrive") {
    const input = order.input === undefined ? {} : { input: order.input };
    const priority = order.priority === undefined ? {} : { priority: order.priority };
    return host.request("redrive", { ...target, ...why, ...input, ...priority });
  }
  const ids = "ids" in order.tasks ? order.tasks.ids : [];
  const outcomes: Outcome<BulkOutcome>[] = [];
  for (const id of ids) {
    outcomes.push(
      await (order.act === "undo"
        ? host.request("undo", { id, reason })
        : host.request("retry", { id, ...why })),
    );
  }
  return together(outcomes);
}

function together(outcomes: readonly Outcome<BulkOutcome>[]): Outcome<BulkOutcome> {
  const failed = outcomes.find((outcome) => !outcome.ok);
  if (failed !== undefined) return failed;
  const parts = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value] : []));
  const sum = (of: (part: BulkOutcome) => number): number =>
    parts.reduce((total, part) => total + of(part), 0);
  return {
    ok: true,
    value: {
      matched: sum((part) => part.matched),
      applied: sum((part) => part.applied),
      refused: parts.flatMap((part) => part.refused),
      refusedCount: sum((part) => part.refusedCount),
      dryRun: false,
    },
  };
}

/** What an act does, as a question and as its outcome. Whole sentences, so that each language can word them. */
const WORDS: Readonly<
  Record<
    "level" | "cancel" | "retry" | "redrive" | "undo",
    readonly [string, string, string, string]
  >
> = {
  level: [
    key("Move 1 task to level {level}?"),
    key("Move {n} tasks to level {level}?"),
    key("1 task moved to level {level}."),
    key("{n} tasks moved to level {level}."),
  ],
  cancel: [
    key("Cancel 1 task?"),
    key("Cancel {n} tasks?"),
    key("1 task cancelled."),
    key("{n} tasks cancelled."),
  ],
  retry: [
    key("Run 1 task now?"),
    key("Run {n} tasks now?"),
    key("1 task runs again."),
    key("{n} tasks run again."),
  ],
  redrive: [
    key("Redrive 1 task?"),
    key("Redrive {n} tasks?"),
    key("1 task redriven."),
    key("{n} tasks redriven."),
  ],
  undo: [
    key("Undo the last change of level?"),
    key("Undo the last change of level of {n} tasks?"),
    key("1 change of level undone."),
    key("{n} changes of level undone."),
  ],
};

function wordsOf(order: Order) {
  const to = levelOf(order);
  const kind = to === null ? (order.act as Exclude<TaskActId, EscalationAction>) : "level";
  const level = to === null ? "" : `${to} ${t(LEVEL_NAMES[to] ?? "")}`.trim();
  return { words: WORDS[kind], level };
}

/** The question's title, with the count and the level. */
export function questionOf(order: Order): string {
  const { words, level } = wordsOf(order);
  const count = order.count ?? 0;
  return plural(count, words[0], words[1], { n: exactCount(count), level });
}

/** What came of it, in one line: `1 task moved to level 9 Urgent. 2 refused: …`. */
export function reportOf(order: Order, outcome: BulkOutcome): string {
  const { words, level } = wordsOf(order);
  const { applied, refusedCount, refused } = outcome;
  const done = plural(applied, words[2], words[3], { n: exactCount(applied), level });
  if (refusedCount === 0) return done;
  const first = refused[0]?.error.message ?? "";
  const not = plural(refusedCount, "1 refused: {first}", "{n} refused, the first: {first}", {
    n: exactCount(refusedCount),
    first,
  });
  return applied === 0 ? not : `${done} ${not}`;
}

/** Asks, orders, and tells what came of it. True: something was done. */
export async function perform(dashboard: Dashboard, order: Order): Promise<boolean> {
  const { dialogs, host, queries } = dashboard;
  const act = TASK_ACTS[order.act];
  const answer = await dialogs.ask({
    title: questionOf(order),
    confirm: t(act.label),
    reason: act.reason,
    isGrave: order.act === "cancel",
  });
  if (answer === null) return false;
  const outcome = await send(host, order, answer.reason);
  if (!outcome.ok) {
    dialogs.tell("bad", outcome.error.message, outcome.error.hint);
    return false;
  }
  const tone = outcome.value.refusedCount > 0 ? "bad" : "ok";
  dialogs.tell(tone, reportOf(order, outcome.value));
  queries.refreshAll();
  return outcome.value.applied > 0;
}
