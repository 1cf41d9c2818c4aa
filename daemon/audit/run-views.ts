import type Database from "better-sqlite3";
import type { RunView } from "../../shared/control.ts";
import type { TaskStatus } from "../../shared/task.ts";
import { toIso } from "./iso.ts";
import type { RunStatus } from "./runs.ts";

interface RunRow {
  readonly id: string;
  readonly pipeline: string;
  readonly phases: string;
  readonly params: string;
  readonly by: string;
  readonly level: number;
  readonly status: RunStatus;
  readonly warnings: number;
  readonly createdAt: number;
  readonly endedAt: number | null;
}

interface PhaseRow {
  readonly phase: string;
  readonly taskId: string;
  readonly status: TaskStatus;
  readonly result: string | null;
  readonly error: string | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

const RUN_COLUMNS = `run_id AS id, pipeline, phases, params, created_by AS "by", level, status, warnings,
  created_at AS createdAt, ended_at AS endedAt`;

/** Pipeline runs with their phases in the run's order. */
export function createRunViews(db: Database.Database): {
  runs(limit: number): RunView[];
  run(id: string): RunView | null;
} {
  const newest = db.prepare<[number], RunRow>(
    `SELECT ${RUN_COLUMNS} FROM pipeline_run ORDER BY created_at DESC, rowid DESC LIMIT ?`,
  );
  const one = db.prepare<[string], RunRow>(
    `SELECT ${RUN_COLUMNS} FROM pipeline_run WHERE run_id = ?`,
  );
  const tasks = db.prepare<[string], PhaseRow>(
    `SELECT phase, task_id AS taskId, status, result, error, started_at AS startedAt,
            ended_at AS endedAt
     FROM task_audit WHERE run_id = ? AND phase IS NOT NULL ORDER BY row`,
  );

  function view({ level, ...run }: RunRow): RunView {
    // A phase that ran again has several tasks: the newest, read last, stays in the map.
    const byPhase = new Map(tasks.all(run.id).map((task) => [task.phase, task]));
    const phases = JSON.parse(run.phases) as string[];
    return {
      ...run,
      phases: phases.map((phase) => phaseView(phase, byPhase.get(phase))),
      params: JSON.parse(run.params) as Record<string, unknown>,
      priority: level,
      createdAt: toIso(run.createdAt),
      endedAt: toIso(run.endedAt),
    };
  }

  return {
    runs: (limit) => newest.all(limit).map(view),
    run(id) {
      const row = one.get(id);
      return row === undefined ? null : view(row);
    },
  };
}

function phaseView(phase: string, task: PhaseRow | undefined): RunView["phases"][number] {
  if (task === undefined)
    return {
      phase,
      taskId: null,
      status: "pending",
      result: null,
      error: null,
      startedAt: null,
      endedAt: null,
    };
  return {
    phase,
    taskId: task.taskId,
    status: task.status,
    result: task.result === null ? null : (JSON.parse(task.result) as unknown),
    error: task.error,
    startedAt: toIso(task.startedAt),
    endedAt: toIso(task.endedAt),
  };
}
