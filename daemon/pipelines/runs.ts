import { nuid } from "@nats-io/nuid";
import { AppError } from "../../shared/errors.ts";
import { DEFAULT_LEVEL } from "../../shared/priority.ts";
import { leastRoleForLevel } from "../../shared/roles.ts";
import type { Settings } from "../../shared/settings.ts";
import { EVENTS_ROOT } from "../../shared/subjects.ts";
import type { RunDescriptor } from "../../shared/task.ts";
import type { Log } from "../log.ts";
import { type EnqueueDeps, enqueue } from "../queue/enqueue.ts";
import { findPipeline, isPipeline, nextPhase, phaseTaskId, planPhases } from "./pipelines.ts";

export interface RunsDeps {
  readonly enqueue: EnqueueDeps;
  readonly log: Log;
  readonly settings: Settings;
}

export interface RunOrder {
  readonly pipeline: string;
  readonly phases?: readonly string[];
  readonly params: Readonly<Record<string, unknown>>;
  readonly priority?: number;
  readonly runId?: string;
}

/** What travels with a completion event of a phase. */
export interface PhaseCompleted {
  readonly run: RunDescriptor;
  readonly level: number;
  readonly taskId: string;
}

/**
 * Starts a run by its first task, which carries the run's description: both are kept together or not at all, so that no run
 * is left without a task. The same run id again names the same run.
 */
export async function startRun(
  deps: RunsDeps,
  order: RunOrder,
  by: string,
  maxLevel: number,
): Promise<{ runId: string; phases: readonly string[]; firstTaskId: string }> {
  const pipeline = findPipeline(order.pipeline);
  const phases = planPhases(pipeline, order.phases);
  const given = { ...pipeline.fromSettings?.(deps.settings), ...order.params };
  const parsed = pipeline.params.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new AppError("input-invalid", {
      name: order.pipeline,
      path: issue?.path.join(".") || "(root)",
      what: issue?.message ?? "invalid",
    });
  }
  const params = parsed.data as Record<string, unknown>;
  pipeline.check?.(params, phases);
  const runId = order.runId ?? nuid.next();
  const level = order.priority ?? DEFAULT_LEVEL;
  refuseLevel(level, by, maxLevel);
  const first = phases[0]!;
  const run: RunDescriptor = {
    id: runId,
    pipeline: order.pipeline,
    phases,
    phase: first,
    params: given,
    by,
  };
  await enqueuePhase(deps, run, level, maxLevel);
  return { runId, phases, firstTaskId: phaseTaskId(runId, first) };
}

/** Before anything is journaled: a refused run must leave no trace among the runs. */
function refuseLevel(level: number, by: string, maxLevel: number): void {
  if (level <= maxLevel) return;
  throw new AppError("not-permitted", {
    user: by,
    role: `up to level ${maxLevel}`,
    act: `run at level ${level}`,
    needs: leastRoleForLevel(level),
    level,
  });
}

async function enqueuePhase(
  deps: RunsDeps,
  run: RunDescriptor,
  level: number,
  maxLevel: number,
): Promise<void> {
  const pipeline = findPipeline(run.pipeline);
  const [result] = await enqueue(
    deps.enqueue,
    [
      {
        name: pipeline.taskOf(run.phase),
        input: JSON.stringify(run.params),
        id: phaseTaskId(run.id, run.phase),
        priority: level,
        correlationId: run.id,
        run,
      },
    ],
    run.by,
    maxLevel,
  );
  if (result && "error" in result) {
    throw new AppError(result.error.code, { ...result.error.details, what: result.error.message });
  }
}

/** The pattern of all completion events. */
export const COMPLETED_PATTERN = `${EVENTS_ROOT}.*.*.completed`;

/**
 * A completion event starts the next phase that its run lists. Safe to repeat: the next task's id is made of run and
 * phase, so a second event finds it there. Events without a run are nobody's business here.
 */
export async function onPhaseCompleted(
  deps: RunsDeps,
  data: unknown,
): Promise<"started" | "last" | "none"> {
  if (!isPhaseCompleted(data)) return "none";
  const next = nextPhase(data.run.phases, data.run.phase);
  if (next === null) return "last";
  // Anybody may publish below this subject: an event of a pipeline that is not ours would be refused at every repeat.
  if (!isPipeline(data.run.pipeline)) {
    deps.log.warn("completion of an unknown pipeline", { pipeline: data.run.pipeline });
    return "none";
  }
  await enqueuePhase(deps, { ...data.run, phase: next }, data.level, 10);
  deps.log.info("phase started", { runId: data.run.id, phase: next });
  return "started";
}

function isPhaseCompleted(data: unknown): data is PhaseCompleted {
  if (typeof data !== "object" || data === null || !("run" in data)) return false;
  const run = (data as { run: unknown }).run;
  return (
    typeof run === "object" &&
    run !== null &&
    "id" in run &&
    "phases" in run &&
    Array.isArray(run.phases) &&
    "phase" in run
  );
}
