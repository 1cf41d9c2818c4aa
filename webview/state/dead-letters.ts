import type { TaskSummary } from "../../shared/control.ts";

export type Grouping = "cause" | "task" | "queue";

/** Dead letters that belong together. The newest stands first. */
export interface Group {
  readonly key: string;
  /** What they have in common; empty: nothing was told. */
  readonly title: string;
  readonly tasks: readonly TaskSummary[];
  /** ISO 8601. */
  readonly oldestAt: string;
  readonly newestAt: string;
}

const CAUSE_LENGTH = 200;

/**
 * What errors of one cause have in common: the text without what differs from task to task (numbers, ids, quoted values,
 * paths). Pure.
 */
export function fingerprintOf(error: string | null): string {
  if (error === null) return "";
  return error
    .slice(0, 2 * CAUSE_LENGTH)
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27,}/gi, "‹id›")
    .replace(/(["'“`])(?:(?!["'”`]).){1,120}["'”`]/g, "‹…›")
    .replace(/(?:[a-z]:)?[\\/][^\s:,;]*[\\/][^\s:,;]*/gi, "‹path›")
    .replace(/\b(?=[0-9a-f]*\d)[0-9a-f]{6,}\b/gi, "‹id›")
    .replace(/\d+(?:[.,]\d+)*/g, "‹n›")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, CAUSE_LENGTH);
}

function keyOf(task: TaskSummary, by: Grouping): string {
  if (by === "task") return task.name;
  return by === "queue" ? task.queue : fingerprintOf(task.error);
}

/** The groups, the largest first. Tasks keep their order, the newest letter first. Pure. */
export function groupsOf(tasks: readonly TaskSummary[], by: Grouping): readonly Group[] {
  const groups = [...Map.groupBy(tasks, (task) => keyOf(task, by))].map(([key, members]) => {
    const sorted = members.toSorted((a, b) => (endOf(a) < endOf(b) ? 1 : -1));
    return {
      key,
      // Its own words are better to read than what is left of them.
      title: by === "cause" ? (sorted[0]?.error ?? "") : key,
      tasks: sorted,
      newestAt: endOf(sorted[0]!),
      oldestAt: endOf(sorted.at(-1)!),
    };
  });
  return groups.sort(
    (a, b) => b.tasks.length - a.tasks.length || (a.newestAt < b.newestAt ? 1 : -1),
  );
}

function endOf(task: TaskSummary): string {
  return task.endedAt ?? task.createdAt;
}

/** Redriven letters stay in sight so long, so that nobody wonders where they went. */
export const KEPT_MS = 10_000;

/** What was redriven, and until when it is still shown: epoch ms. */
export interface Kept {
  readonly task: TaskSummary;
  readonly until: number;
}

/** The letters together with those that were redriven a moment ago. Pure. */
export function withKept(
  tasks: readonly TaskSummary[],
  kept: readonly Kept[],
  now: number,
): { readonly tasks: readonly TaskSummary[]; readonly gone: ReadonlySet<string> } {
  const here = new Set(tasks.map(({ id }) => id));
  // A letter that died again is a letter.
  const extra = kept.filter(({ task, until }) => until > now && !here.has(task.id));
  return {
    tasks: [...tasks, ...extra.map(({ task }) => task)],
    gone: new Set(extra.map(({ task }) => task.id)),
  };
}
