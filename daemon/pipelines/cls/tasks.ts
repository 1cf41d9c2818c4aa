import { EVENTS_ROOT } from "../../../shared/subjects.ts";
import type { TaskContext, TaskDefinition } from "../../define.ts";
import { defineTask } from "../../sdk/define-task.ts";
import type { PhaseCompleted } from "../runs.ts";
import { clsActTasks } from "./act-tasks.ts";
import {
  CLS_PHASES,
  type CLSPipelineResult,
  type ClsContext,
  type ClsParams,
  type ClsPhase,
  clsParams,
} from "./params.ts";

/** What the tasks need from the process that runs them. */
export interface ClsTasksDeps {
  readonly dataDir: string;
}

/** The tasks of CLS: the four phases, and the acts on what they stored. */
export function clsTasks({ dataDir }: ClsTasksDeps): TaskDefinition<never, unknown>[] {
  const acts = clsActTasks((context) => toClsContext(context, dataDir));
  return [...phaseTasks(dataDir), ...acts];
}

/** Each phase is usable alone; inside a run its completion event starts the next phase. */
function phaseTasks(dataDir: string): TaskDefinition<never, unknown>[] {
  return CLS_PHASES.map((phase) =>
    defineTask(
      {
        name: `cls.${phase}`,
        input: clsParams,
        category: "etl",
        phase,
        // What is wrong with files and settings fails at once. Other failures are tried again soon, not over an hour; and
        // a lost worker uses an attempt, so a phase that is killed twice must have more of them.
        retry: { retries: 3, delayMs: 5000 },
      },
      async (params, context) => {
        const result = await runPhase(phase, params, toClsContext(context, dataDir));
        announce(phase, context);
        return result;
      },
    ),
  ) as unknown as TaskDefinition<never, unknown>[];
}

/** Loaded when first needed: readers and writers of workbooks cost memory that other workers need not spend. */
async function runPhase(
  phase: ClsPhase,
  params: ClsParams,
  context: ClsContext,
): Promise<CLSPipelineResult> {
  if (params.checkout !== undefined && params.checkoutPhases.includes(phase)) {
    const { runCheckoutPhase } = await import("./checkout.ts");
    return runCheckoutPhase(phase, params, context);
  }
  switch (phase) {
    case "sync":
      return (await import("./sync.ts")).runSync(params, context);
    case "integrate":
      return (await import("./integrate.ts")).runIntegrate(params, context);
    case "classify":
      return (await import("./classify.ts")).runClassify(params, context);
    case "export":
      return (await import("./export.ts")).runExport(params, context);
    default:
      return phase satisfies never;
  }
}

function announce(phase: ClsPhase, context: TaskContext): void {
  const { run } = context;
  const data: Partial<PhaseCompleted> & { taskId: string } = {
    taskId: context.taskId,
    level: context.level,
    ...(run === null ? {} : { run: { ...run, phase } }),
  };
  context.publish(`${EVENTS_ROOT}.cls.${phase}.completed`, data);
}

function toClsContext(context: TaskContext, dataDir: string): ClsContext {
  return {
    runId: context.run?.id ?? context.taskId,
    dataDir,
    signal: context.signal,
    progress: (p) => context.progress(p),
    log: (level, event, data) => context.log[level](event, data),
  };
}
