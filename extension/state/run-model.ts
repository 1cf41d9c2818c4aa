import type { Client } from "../../shared/bus/client.ts";
import type { FollowEvent } from "../../shared/bus/follow.ts";
import type { ResponseOf, RunView } from "../../shared/control.ts";
import { runOfTask } from "../../shared/view/rows.ts";
import type { Loaded } from "./live-model.ts";
import { progressOf } from "./queue-model.ts";

/** What the Pipelines view shows. */
export interface RunModel {
  readonly pipelines: readonly PipelineModel[];
  /** How far running phases are, by task id. */
  readonly progress: ReadonlyMap<string, { readonly done: number; readonly total: number | null }>;
}

export interface PipelineModel {
  readonly name: string;
  readonly phases: readonly string[];
  /** Newest first. */
  readonly runs: readonly RunView[];
  /** There are older runs. */
  readonly hasMore: boolean;
}

/** Runs that are shown of each pipeline. */
const RUNS_SHOWN = 10;
const RUNS_ASKED = 50;

export async function loadRuns(client: Client): Promise<Loaded<RunModel>> {
  const [{ runs }, { pipelines }] = await Promise.all([
    client.request("runs", { limit: RUNS_ASKED }),
    client.definitions(),
  ]);
  const isFull = runs.length >= RUNS_ASKED;
  return {
    value: { pipelines: groupRuns(pipelines, runs, isFull), progress: new Map() },
    isBehind: false,
  };
}

/**
 * Runs under their pipelines. A pipeline that is another one under a second name (`cls` and `cls_all`) is not shown twice;
 * runs of pipelines that are known no more keep a place of their own.
 */
export function groupRuns(
  known: ResponseOf["definitions"]["pipelines"],
  runs: readonly RunView[],
  isFull: boolean,
): readonly PipelineModel[] {
  const shape = (one: (typeof known)[number]): string =>
    JSON.stringify([one.phases, one.paramsSchema]);
  const firsts = known.filter(
    (one, at) => known.findIndex((other) => shape(other) === shape(one)) === at,
  );
  const nameOf = (pipeline: string): string => {
    const own = known.find(({ name }) => name === pipeline);
    if (own === undefined) return pipeline;
    return firsts.find((first) => shape(first) === shape(own))?.name ?? pipeline;
  };
  const forgotten = runs
    .map(({ pipeline }) => pipeline)
    .filter((name) => !known.some((one) => one.name === name))
    .map((name) => ({ name, phases: [] as readonly string[] }));
  const unique = new Map([...firsts, ...forgotten].map((one) => [one.name, one]));
  return [...unique.values()].map(({ name, phases }) => {
    const own = runs.filter(({ pipeline }) => nameOf(pipeline) === name);
    const hasMore = own.length > RUNS_SHOWN || (isFull && own.length > 0);
    return { name, phases, runs: own.slice(0, RUNS_SHOWN), hasMore };
  });
}

/** How far the phases are that still run: no answer tells it. */
export function carryProgress(before: RunModel, loaded: RunModel): RunModel {
  const running = new Set(
    loaded.pipelines.flatMap(({ runs }) =>
      runs.flatMap(({ phases }) =>
        phases.flatMap(({ taskId, status }) => (status === "running" && taskId ? taskId : [])),
      ),
    ),
  );
  return { ...loaded, progress: new Map([...before.progress].filter(([id]) => running.has(id))) };
}

/** Whether a run begins, ends, or goes from phase to phase. */
export function concernsRuns(event: FollowEvent): boolean {
  if (event.kind === "task") return runOfEvent(event) !== null;
  if (event.kind !== "system" || event.event !== "enqueued") return false;
  const { runs } = event.data as { runs?: unknown };
  return Array.isArray(runs) && runs.length > 0;
}

/** The run that a fact of a task belongs to; null: it is of no run. */
export function runOfEvent(event: FollowEvent & { readonly kind: "task" }): string | null {
  return event.record.run?.id ?? runOfTask(event.taskId, event.record.n);
}

/** Notes how far a phase is, and that it started; what a phase's end means for its run only the daemon tells. */
export function reduceRuns(model: RunModel, event: FollowEvent): RunModel {
  if (event.kind === "system") {
    const progress = progressOf(event);
    if (progress === null || !hasPhase(model, progress.taskId)) return model;
    const { taskId, done, total } = progress;
    return { ...model, progress: new Map([...model.progress, [taskId, { done, total }]]) };
  }
  if (event.kind !== "task" || event.status !== "running") return model;
  const { taskId, record } = event;
  let isChanged = false;
  const started = (phase: RunView["phases"][number]): RunView["phases"][number] => {
    if (phase.taskId !== taskId || (phase.status !== "waiting" && phase.status !== "pending"))
      return phase;
    isChanged = true;
    const startedAt = new Date(record.st ?? record.t).toISOString();
    return { ...phase, status: "running", startedAt };
  };
  const pipelines = model.pipelines.map((pipeline) => ({
    ...pipeline,
    runs: pipeline.runs.map((run) => ({ ...run, phases: run.phases.map(started) })),
  }));
  return isChanged ? { ...model, pipelines } : model;
}

function hasPhase({ pipelines }: RunModel, taskId: string): boolean {
  return pipelines.some(({ runs }) =>
    runs.some(({ phases }) => phases.some((phase) => phase.taskId === taskId)),
  );
}
