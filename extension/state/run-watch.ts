import type { FollowEvent } from "../../shared/bus/follow.ts";
import type { RunView } from "../../shared/control.ts";
import { isTerminal } from "../../shared/task.ts";
import type { RunNews } from "../app-context.ts";
import { runOfEvent } from "./run-model.ts";

/** Finds out when runs of this user end. It asks only when a phase of a run ended. */
export interface RunWatch {
  heard(event: FollowEvent): void;
  dispose(): void;
}

export interface RunWatchDeps {
  /** Null: nobody can be asked now. */
  get(runId: string): Promise<RunView | null>;
  user(): string | null;
  ended(run: RunView, outcome: RunNews["outcome"], tookMs: number): void;
  failed(error: unknown): void;
}

/** Runs that were told of are kept in mind, so that none is told twice. */
const REMEMBERED = 200;
/** The end of the last phase is known before that of its run. */
const AFTER_MS = 400;
const TRIES = 4;

export function createRunWatch(deps: RunWatchDeps): RunWatch {
  const told = new Set<string>();
  const asking = new Map<string, ReturnType<typeof setTimeout>>();

  function ask(runId: string, tries: number): void {
    const before = asking.get(runId);
    if (before !== undefined) clearTimeout(before);
    asking.set(
      runId,
      setTimeout(() => {
        asking.delete(runId);
        look(runId, tries).catch(deps.failed);
      }, AFTER_MS),
    );
  }

  async function look(runId: string, tries: number): Promise<void> {
    const run = await deps.get(runId);
    if (run === null || run.by !== deps.user() || told.has(runId)) return;
    if (run.status === "running") {
      const isLast = run.phases.every(({ status }) => status !== "pending" && isTerminal(status));
      if (isLast && tries > 1) ask(runId, tries - 1);
      return;
    }
    told.add(runId);
    if (told.size > REMEMBERED) told.delete([...told][0]!);
    const end = run.endedAt === null ? Date.parse(run.createdAt) : Date.parse(run.endedAt);
    deps.ended(run, run.status, Math.max(0, end - Date.parse(run.createdAt)));
  }

  return {
    heard(event) {
      if (event.kind !== "task" || !isTerminal(event.status)) return;
      const runId = runOfEvent(event);
      if (runId !== null && !told.has(runId)) ask(runId, TRIES);
    },
    dispose() {
      for (const timer of asking.values()) clearTimeout(timer);
      asking.clear();
    },
  };
}
