import type Database from "better-sqlite3";
import type { RunDescriptor, TaskStatus } from "../../shared/task.ts";

export type RunStatus = "running" | "completed" | "failed" | "cancelled";

/** The newest task of a phase. */
export interface PhaseTask {
  readonly phase: string;
  readonly status: TaskStatus;
  readonly endedAt: number | null;
  readonly warnings: number;
}

/** The status of a run from its tasks; a phase that is not enqueued yet is pending. Newest task of a phase wins. */
export function runStatus(phases: readonly string[], tasks: readonly PhaseTask[]): RunStatus {
  const newest = new Map(tasks.map((task) => [task.phase, task.status]));
  const statuses = phases.map((phase) => newest.get(phase) ?? "pending");
  if (statuses.includes("dead")) return "failed";
  if (statuses.includes("cancelled")) return "cancelled";
  return statuses.every((status) => status === "completed") ? "completed" : "running";
}

/** Keeps `pipeline_run`. All functions run inside the caller's transaction. */
export interface Runs {
  /** A task of a run came; the first one makes the run. */
  enqueued(run: RunDescriptor, level: number, at: number): void;
  /** A task of this run was taken back before anyone was told of it; a run without tasks goes with it. */
  withdrawn(runId: string): void;
  /** A task of this run changed: its status is computed again at `flush`. */
  touch(runId: string): void;
  flush(): void;
  clear(): void;
}

export function createRuns(db: Database.Database): Runs {
  const insert = db.prepare(
    `INSERT INTO pipeline_run (run_id, pipeline, phases, params, created_by, level, status, created_at)
     VALUES (?, ?, ?, ?, ?, ?, 'running', ?) ON CONFLICT DO NOTHING`,
  );
  const phasesOf = db.prepare<[string], { phases: string }>(
    "SELECT phases FROM pipeline_run WHERE run_id = ?",
  );
  const tasksOf = db.prepare<[string], PhaseTask>(
    `SELECT phase, status, ended_at AS endedAt,
            coalesce(json_array_length(result, '$.warnings'), 0) AS warnings
     FROM task_audit WHERE run_id = ? AND phase IS NOT NULL ORDER BY row`,
  );
  const update = db.prepare(
    "UPDATE pipeline_run SET status = ?, ended_at = ?, warnings = ? WHERE run_id = ?",
  );
  const removeEmpty = db.prepare(
    "DELETE FROM pipeline_run WHERE run_id = ? AND NOT EXISTS (SELECT 1 FROM task_audit WHERE run_id = ?)",
  );
  const touched = new Set<string>();

  function recompute(runId: string): void {
    const row = phasesOf.get(runId);
    if (row === undefined) return;
    const tasks = tasksOf.all(runId);
    const status = runStatus(JSON.parse(row.phases) as string[], tasks);
    const endedAt =
      status === "running" ? null : Math.max(...tasks.map((task) => task.endedAt ?? 0));
    const newest = new Map(tasks.map((task) => [task.phase, task.warnings]));
    const warnings = [...newest.values()].reduce((sum, n) => sum + n, 0);
    update.run(status, endedAt, warnings, runId);
  }

  return {
    enqueued(run, level, at) {
      insert.run(
        run.id,
        run.pipeline,
        JSON.stringify(run.phases),
        JSON.stringify(run.params ?? {}),
        run.by,
        level,
        at,
      );
      touched.add(run.id);
    },
    withdrawn(runId) {
      if (removeEmpty.run(runId, runId).changes === 0) touched.add(runId);
    },
    touch: (runId) => touched.add(runId),
    flush() {
      for (const runId of touched) recompute(runId);
      touched.clear();
    },
    clear: () => touched.clear(),
  };
}
