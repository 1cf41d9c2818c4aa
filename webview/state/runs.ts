import type { RunView } from "../../shared/control.ts";
import { type GanttInput, median } from "../graph/gantt.ts";
import type { Edge } from "../graph/layout.ts";

type Phase = RunView["phases"][number];

/** Runs that the usual duration of a phase is taken from. */
const MOST_SAMPLES = 5;

/** How long a phase took in the last runs of its pipeline. */
export interface Usual {
  readonly medianMs: number;
  /** How many runs it is taken from. */
  readonly runs: number;
}

export function atOf(iso: string | null): number | null {
  return iso === null ? null : Date.parse(iso);
}

export function phaseMs({ startedAt, endedAt }: Phase, now: number): number | null {
  const start = atOf(startedAt);
  return start === null ? null : Math.max(0, (atOf(endedAt) ?? now) - start);
}

/** The usual duration of each phase: the median of the last completed ones. Newest runs first. Pure. */
export function usualOf(run: RunView, others: readonly RunView[]): ReadonlyMap<string, Usual> {
  const before = others.filter(({ id, pipeline }) => pipeline === run.pipeline && id !== run.id);
  const found = run.phases.flatMap(({ phase }) => {
    const samples = before
      .flatMap(({ phases }) => phases.filter((one) => one.phase === phase))
      .filter(({ status }) => status === "completed")
      .flatMap((one) => phaseMs(one, 0) ?? [])
      .slice(0, MOST_SAMPLES);
    const medianMs = median(samples);
    return medianMs === null ? [] : [[phase, { medianMs, runs: samples.length }] as const];
  });
  return new Map(found);
}

export function ganttInputs(run: RunView, usual: ReadonlyMap<string, Usual>): GanttInput[] {
  return run.phases.map((phase) => ({
    id: phase.phase,
    startedAt: atOf(phase.startedAt),
    endedAt: atOf(phase.endedAt),
    isRunning: phase.status === "running",
    usualMs: usual.get(phase.phase)?.medianMs ?? null,
  }));
}

/** A run's phases follow each other. */
export function edgesOf({ phases }: Pick<RunView, "phases">): Edge[] {
  return phases.slice(1).map(({ phase }, index) => ({ from: phases[index]!.phase, to: phase }));
}

/** How an edge is drawn: passed, still to come, or never, because what is before it ended badly. */
export type EdgeLook = "done" | "waiting" | "blocked";

export function edgeLook(from: Phase | undefined): EdgeLook {
  if (from?.status === "completed") return "done";
  return from?.status === "dead" || from?.status === "cancelled" ? "blocked" : "waiting";
}

/** The phase that a follower looks at: the one that runs or waits to run, else the one that went wrong, else the last. */
export function currentPhase({ phases }: Pick<RunView, "phases">): string | null {
  const isAlive = ({ status }: Phase): boolean =>
    status === "running" || status === "retrying" || status === "waiting" || status === "scheduled";
  const isBad = ({ status }: Phase): boolean => status === "dead" || status === "cancelled";
  const found =
    phases.find(isAlive) ??
    phases.find(isBad) ??
    phases.findLast(({ status }) => status === "completed") ??
    phases[0];
  return found?.phase ?? null;
}

/** The node that an arrow key leads to along the edges; null: there is none. */
export function neighbourOf(
  phase: string,
  key: string,
  edges: readonly Edge[],
  direction: "right" | "down",
): string | null {
  const [ahead, back] =
    direction === "right" ? ["ArrowRight", "ArrowLeft"] : ["ArrowDown", "ArrowUp"];
  if (key === ahead) return edges.find(({ from }) => from === phase)?.to ?? null;
  if (key === back) return edges.find(({ to }) => to === phase)?.from ?? null;
  return null;
}

export function doneOf({ phases }: Pick<RunView, "phases">): number {
  return phases.filter(({ status }) => status === "completed").length;
}

/** A share of 0–1; null when the task did not say how much there is. Never a guess. */
export function shareOf(
  progress: { readonly done: number; readonly total: number | null } | null,
): number | null {
  if (progress === null || progress.total === null || progress.total <= 0) return null;
  return Math.min(1, Math.max(0, progress.done / progress.total));
}
