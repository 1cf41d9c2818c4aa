import type { BulkOutcome, ResponseOf, TaskDetail, TaskFilter, Verb } from "../control.ts";
import { AppError } from "../errors.ts";
import { DEFAULT_LEVEL, HIGHEST_LEVEL } from "../priority.ts";
import { highestLevelOf } from "../roles.ts";
import type { Requester, RequestOptions } from "./request.ts";

/** One task, several tasks, or all that match. */
export type Target = string | { readonly ids: readonly string[] } | { readonly where: TaskFilter };

type WireTarget = { ids: string[] } | { where: TaskFilter };

export function toWireTarget(target: Target): WireTarget {
  if (typeof target === "string") return { ids: [target] };
  return "ids" in target ? { ids: [...target.ids] } : { where: target.where };
}

export interface ActOptions {
  readonly dryRun?: boolean | undefined;
  readonly reason?: string | undefined;
}

export interface RedriveOptions extends ActOptions {
  /** The new input as JSON text; absent: the old one. */
  readonly inputJson?: string | undefined;
  readonly priority?: number | undefined;
}

/** Thousands of tasks may be named; each is moved by itself. */
export const BULK_TIMEOUT_MS = 300_000;

/** The acts whose subject names a level. */
export interface LevelledActs {
  /** Moves waiting tasks to a level. Of many, those that were refused stand in `refused`; a single one rejects. */
  escalate(
    target: Target,
    to: number,
    reason: string,
    options?: { readonly dryRun?: boolean | undefined },
  ): Promise<BulkOutcome>;
  /** The same act with the intent said: rejects with `bad-usage` when `to` lies above the level of a single task. */
  lower(
    target: Target,
    to: number,
    reason: string,
    options?: { readonly dryRun?: boolean | undefined },
  ): Promise<BulkOutcome>;
  undo(id: string, reason: string): Promise<BulkOutcome>;
  retry(id: string, reason?: string): Promise<BulkOutcome>;
  redrive(target: Target, options?: RedriveOptions): Promise<BulkOutcome>;
}

/**
 * The right needed is that of the higher of the level a task has and the level it gets, so the present level is looked up
 * first; when the task moved meanwhile, the daemon tells the level and the act is sent once more.
 */
export function createLevelled(requester: Requester): LevelledActs {
  const get = (id: string): Promise<TaskDetail> => requester.request("get", { id });
  const ownLimit = async (): Promise<number> =>
    Math.max(0, highestLevelOf((await requester.request("whoami", {})).role));
  const onlyId = (target: Target): string | null => {
    if (typeof target === "string") return target;
    return "ids" in target && target.ids.length === 1 ? (target.ids[0] ?? null) : null;
  };
  const bulk = <V extends "escalate" | "undo" | "retry" | "redrive">(
    verb: V,
    body: object,
    level: number,
  ): Promise<BulkOutcome> => sendLevelled(requester, verb, JSON.stringify(body), { level });

  return {
    async escalate(target, to, reason, { dryRun = false } = {}) {
      const id = onlyId(target);
      const level = id === null ? to : Math.max(to, (await get(id)).priority);
      return bulk("escalate", { ...toWireTarget(target), to, reason, dryRun }, level);
    },
    async lower(target, to, reason, { dryRun = false } = {}) {
      const id = onlyId(target);
      const body = { ...toWireTarget(target), to, reason, dryRun };
      // The levels of many tasks are not known here: the caller's own limit is named, the daemon checks each task.
      if (id === null) return bulk("escalate", body, await ownLimit());
      const { priority } = await get(id);
      if (to > priority)
        throw new AppError("bad-usage", {
          what: `The task ${id} has level ${priority}; ${to} would raise it.`,
        });
      return bulk("escalate", body, priority);
    },
    async undo(id, reason) {
      const task = await get(id);
      return bulk("undo", { id, reason }, Math.max(task.priority, levelBefore(task)));
    },
    async retry(id, reason) {
      return bulk("retry", { id, reason }, (await get(id)).priority);
    },
    async redrive(target, { inputJson, priority, reason, dryRun = false } = {}) {
      const id = onlyId(target);
      const level = priority ?? (id === null ? DEFAULT_LEVEL : (await get(id)).priority);
      const body = { ...toWireTarget(target), input: inputJson, priority, reason, dryRun };
      return bulk("redrive", body, level);
    },
  };
}

/** The level that an undo goes back to: that before the last change which was no undo itself. */
export function levelBefore(task: TaskDetail): number {
  return task.priorityHistory.findLast(({ action }) => action !== "undo")?.from ?? 0;
}

/** Sends a levelled verb; once more with the level that the daemon asks for when the first was too low. */
export function sendLevelled<V extends Verb>(
  requester: Requester,
  verb: V,
  body: string,
  options: RequestOptions & { readonly level: number },
): Promise<ResponseOf[V]> {
  return atLevel(options.level, (level) => requester.send(verb, body, { ...options, level }));
}

/** Sends at this level, and once more at the one that the daemon asks for when that is higher. */
export async function atLevel<T>(level: number, send: (level: number) => Promise<T>): Promise<T> {
  try {
    return await send(level);
  } catch (error) {
    const needed = neededLevel(error);
    if (needed === null || needed <= level) throw error;
    return send(needed);
  }
}

/** The level in a refusal of the daemon; null when the error names none. */
function neededLevel(error: unknown): number | null {
  if (!(error instanceof AppError) || error.code !== "not-permitted") return null;
  const level = error.details["level"];
  return typeof level === "number" && level <= HIGHEST_LEVEL ? level : null;
}
