import type * as z from "zod";
import { AppError } from "../../shared/errors.ts";
import type { Settings } from "../../shared/settings.ts";
import { clsPipelines } from "./cls/pipeline.ts";

/** A chain of phases, each one task; a phase starts when the one before has completed. */
export interface PipelineDefinition {
  readonly name: string;
  /** All phases in order. */
  readonly phases: readonly string[];
  /** The task name that serves a phase. */
  taskOf(phase: string): string;
  readonly params: z.ZodType;
  /** The domain event that a phase's completion publishes: it starts the next one. */
  completedSubject(phase: string): string;
  /** Parameters of every run that the settings give; a caller's own win. */
  fromSettings?(settings: Settings): Readonly<Record<string, unknown>>;
  /** Throws what makes these parameters unusable for these phases. */
  check?(params: Readonly<Record<string, unknown>>, phases: readonly string[]): void;
}

const PIPELINES: readonly PipelineDefinition[] = clsPipelines;

export function allPipelines(): readonly PipelineDefinition[] {
  return PIPELINES;
}

export function isPipeline(name: string): boolean {
  return PIPELINES.some((pipeline) => pipeline.name === name);
}

export function findPipeline(name: string): PipelineDefinition {
  const found = PIPELINES.find((pipeline) => pipeline.name === name);
  if (found) return found;
  throw new AppError("unknown-pipeline", {
    name,
    known: PIPELINES.map((pipeline) => pipeline.name).join(", "),
  });
}

/** The phases of a run: all, or those asked for with every phase before them, in order. */
export function planPhases(
  pipeline: PipelineDefinition,
  asked: readonly string[] | undefined,
): readonly string[] {
  if (asked === undefined) return pipeline.phases;
  for (const phase of asked) {
    if (!pipeline.phases.includes(phase)) {
      throw new AppError("bad-usage", {
        what: `The pipeline ${pipeline.name} has no phase ${phase}; it has ${pipeline.phases.join(", ")}.`,
      });
    }
  }
  const last = Math.max(...asked.map((phase) => pipeline.phases.indexOf(phase)));
  return pipeline.phases.slice(0, last + 1);
}

/** The phase after this one in the run; null when the run lists none. */
export function nextPhase(phases: readonly string[], phase: string): string | null {
  const at = phases.indexOf(phase);
  return at === -1 ? null : (phases[at + 1] ?? null);
}

/** One task per run and phase: a repeated completion event names the same task again. */
export function phaseTaskId(runId: string, phase: string): string {
  return `${runId}-${phase}`;
}
