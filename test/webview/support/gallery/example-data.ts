/**
 * Example data in the shapes that a daemon answers. For looking at screens and for their tests only: nothing of the
 * product imports it. Some texts are hostile on purpose.
 */
import type {
  MetricsView,
  QueueView,
  RunView,
  StatusView,
  TaskSummary,
  WorkerView,
} from "../../../../shared/control.ts";
import { bucketOf } from "../../../../shared/priority.ts";
import { TASK_STATUSES, type TaskStatus } from "../../../../shared/task.ts";

const MINUTE = 60_000;

/** Everything is told relative to this instant, so that pictures of it are alike. */
export const EXAMPLE_NOW = Date.parse("2026-11-20T18:04:12.331Z");
const ago = (ms: number): string => new Date(EXAMPLE_NOW - ms).toISOString();

/** HTML, a right-to-left override, a bell, and a text without end. */
export const HOSTILE = "<img src=x onerror=alert(1)> \u202egnp.exe\u202c \u0007 ";
export const LONG = "the warehouse did not answer within 30 s; ".repeat(200);

export const NAMES = [
  "etl.load.warehouse",
  "cls.integrate",
  "webapp.email.send",
  "reports.daily.sales",
  "etl.transform.dedupe",
] as const;

function statusAt(index: number): TaskStatus {
  return TASK_STATUSES[index % TASK_STATUSES.length]!;
}

function errorOf(status: TaskStatus, index: number): string | null {
  if (status === "dead")
    return index % 3 === 0 ? HOSTILE + LONG : "no reply from the warehouse within 30 s";
  return status === "retrying" ? "column amount is not a number" : null;
}

export function exampleTask(index: number, status: TaskStatus = statusAt(index)): TaskSummary {
  const name = NAMES[index % NAMES.length]!;
  const priority = [5, 9, 5, 2, 8][index % 5]!;
  const hasStarted = !["waiting", "scheduled"].includes(status);
  const hasEnded = ["completed", "dead", "cancelled"].includes(status);
  return {
    id: `FEKb8TkOBqk6dYDt${String(index).padStart(6, "0")}`,
    name,
    queue: name.split(".")[0]!,
    status,
    priority,
    bucket: bucketOf(priority),
    generation: 1 + (index % 3),
    attempts: hasStarted ? 1 + (index % 4) : 0,
    createdAt: ago((index + 1) * 37_000),
    startedAt: hasStarted ? ago((index + 1) * 30_000) : null,
    endedAt: hasEnded ? ago((index + 1) * 21_000) : null,
    dueAt: status === "scheduled" || status === "retrying" ? ago(-48_000) : null,
    durationMs: hasEnded ? 212 + index * 1311 : null,
    by: ["ada", "operator1", "grace"][index % 3]!,
    runId: name.startsWith("cls.") ? "RunOfExample00000118" : null,
    error: errorOf(status, index),
  };
}

export const taskList = (count: number): TaskSummary[] =>
  Array.from({ length: count }, (_, index) => exampleTask(index));

export function exampleRun(index: number): RunView {
  const status = (["running", "completed", "failed", "cancelled"] as const)[index % 4]!;
  const states: Record<typeof status, readonly RunView["phases"][number]["status"][]> = {
    running: ["completed", "running", "pending", "pending"],
    completed: ["completed", "completed", "completed", "completed"],
    failed: ["completed", "completed", "dead", "pending"],
    cancelled: ["completed", "cancelled", "pending", "pending"],
  };
  return {
    id: `RunOfExample${String(118 - index).padStart(8, "0")}`,
    pipeline: "cls_all",
    status,
    phases: ["sync", "integrate", "classify", "export"].map((phase, at) => ({
      phase,
      taskId: states[status][at] === "pending" ? null : `${phase}-task`,
      status: states[status][at]!,
      result: null,
      error: states[status][at] === "dead" ? HOSTILE : null,
      startedAt:
        states[status][at] === "pending" ? null : ago(188_000 + index * 3_600_000 - at * 42_000),
      endedAt:
        states[status][at] === "pending" || states[status][at] === "running"
          ? null
          : ago(150_000 + index * 3_600_000 - at * 42_000),
    })),
    params: { root: "~/cls/november" },
    by: "operator1",
    priority: 9,
    warnings: index,
    createdAt: ago(190_000 + index * 3_600_000),
    endedAt: status === "running" ? null : ago(10_000 + index * 3_600_000),
  };
}

function exampleQueue(queue: string, waiting: number, oldestWaitMs: number | null): QueueView {
  return {
    queue,
    pool: queue === "orphans" ? null : "slow",
    waiting,
    running: queue === "etl" ? 3 : 0,
    levels: [{ level: 5, waiting, running: 0 }],
    tasks: NAMES.filter((name) => name.startsWith(queue)),
    oldestWaitMs,
  };
}

export const QUEUES = [
  exampleQueue("etl", 1284, 242_000),
  exampleQueue("webapp", 3, 4000),
  exampleQueue("reports", 0, null),
  exampleQueue("orphans", 7, 61_000),
];

function exampleWorker(pool: string, slots: number): WorkerView {
  return {
    id: `worker-of-${pool}`,
    pool,
    queues: ["*"],
    pid: 4712,
    host: "example",
    slots,
    running: 2,
    state: "ready",
    startedAt: ago(3_780_000),
    lastBeatAt: ago(200),
    error: null,
  };
}

export const EXAMPLE_STATUS: StatusView = {
  daemon: {
    pid: 4711,
    version: "0.1.0",
    protocol: 1,
    dataDir: "/home/example/.msgsys",
    startedAt: ago(3_780_000),
    state: "ready",
    degraded: [],
    eventLoopDelayMs: { p50: 1, p99: 4, p999: 9, max: 20 },
    memoryMb: 107.4,
  },
  nats: { url: "nats://127.0.0.1:4222", version: "2.15.1", embedded: true, pid: 4713 },
  workers: [exampleWorker("fast", 10), exampleWorker("slow", 4)],
  queues: QUEUES,
  audit: { file: "audit.db", state: "ok", lagRecords: 0, cause: null },
  counts: {
    scheduled: 2,
    waiting: 1294,
    running: 3,
    retrying: 4,
    completed: 81_223,
    cancelled: 12,
    dead: 3,
  },
};

export const EMPTY_STATUS: StatusView = {
  ...EXAMPLE_STATUS,
  queues: [],
  counts: {
    scheduled: 0,
    waiting: 0,
    running: 0,
    retrying: 0,
    completed: 0,
    cancelled: 0,
    dead: 0,
  },
};

/** Waves with a hole in them: for three steps nobody measured. */
export function exampleMetrics(minutes: number): MetricsView {
  const count = 60;
  const stepMs = (minutes * MINUTE) / count;
  const wave = (index: number, height: number, pace: number): number =>
    Math.round(height * (1 + Math.sin(index / pace)) + height * 0.2 * Math.sin(index * 2.1));
  return {
    stepMs,
    lastStepAt: EXAMPLE_NOW - (EXAMPLE_NOW % 5000),
    steps: Array.from({ length: count }, (_, index) =>
      index > 20 && index < 24
        ? null
        : {
            waiting: {
              high: wave(index, 4, 4),
              normal: wave(index, 12, 9),
              low: wave(index, 7, 14),
            },
            running: wave(index, 2, 5),
            enqueued: wave(index, 20, 6),
            completed: wave(index, 18, 6),
            failed: index % 11 === 0 ? 2 : 0,
            dead: 0,
          },
    ),
    waitMs: { p50: 800, p95: 8400 },
    endedLastHour: { completed: 2520, dead: 1, cancelled: 3 },
    failedAttemptsLastHour: 31,
  };
}

export const NO_METRICS: MetricsView = {
  ...exampleMetrics(15),
  steps: Array.from({ length: 60 }, () => null),
  waitMs: null,
  endedLastHour: { completed: 0, dead: 0, cancelled: 0 },
  failedAttemptsLastHour: 0,
};
