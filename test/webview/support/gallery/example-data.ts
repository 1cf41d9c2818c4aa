/**
 * Example data in the shapes that a daemon answers. For looking at screens and for their tests only: nothing of the
 * product imports it. Some texts are hostile on purpose.
 */
import type {
  AuditEventView,
  MetricsView,
  QueueView,
  ResponseOf,
  RunView,
  StatusView,
  TaskDetail,
  TaskSummary,
  WorkerView,
} from "../../../../shared/control.ts";
import { bucketOf } from "../../../../shared/priority.ts";
import { TASK_STATUSES, type TaskStatus } from "../../../../shared/task.ts";
import type { ViewVerb } from "../../../../shared/view/messages.ts";

const MINUTE = 60_000;

/** Everything is told relative to this instant, so that pictures of it are alike. */
export const EXAMPLE_NOW = Date.parse("2026-11-20T18:04:12.331Z");
const ago = (ms: number): string => new Date(EXAMPLE_NOW - ms).toISOString();

/** HTML, a right-to-left override, a bell, and a text without end. */
export const HOSTILE = "<img src=x onerror=alert(1)> \u202egnp.exe\u202c \u0007 ";
export const LONG = "the warehouse did not answer within 30 s; ".repeat(200);

const NAMES = [
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

const taskList = (count: number): TaskSummary[] =>
  Array.from({ length: count }, (_, index) => exampleTask(index));

function exampleDetail(id: string): TaskDetail {
  const index = Number(id.slice(-6)) || 0;
  const task = exampleTask(index);
  return {
    ...task,
    id,
    maxAttempts: 4,
    worker: task.startedAt === null ? null : "vo0SgAZQY7LrNNwnRi2mEV",
    inputJson: `{"root":"~/cls/november","id":9007199254740993,"note":${JSON.stringify(HOSTILE)},"rows":[1,2.50,1e21]}`,
    resultJson: task.status === "completed" ? '{"rows":42,"big":18446744073709551615}' : null,
    deadReason: task.status === "dead" ? "attempts-exhausted" : null,
    correlationId: null,
    traceId: "7f3a9c0211d94a1b",
    category: "etl",
    phase: "load",
    attemptHistory: Array.from({ length: task.attempts }, (_, attempt) => ({
      attempt: attempt + 1,
      generation: 1,
      worker: `w${attempt + 1}`,
      startedAt: ago(900_000 - attempt * 90_000),
      endedAt: ago(870_000 - attempt * 90_000),
      durationMs: 30_000,
      outcome: "timed-out",
      error: { code: "timed-out", message: "no reply from the warehouse within 30 s", stack: LONG },
    })),
    priorityHistory: [
      {
        at: ago(700_000),
        by: "manager1",
        role: "Manager",
        from: 5,
        to: task.priority,
        action: "urgent",
        reason: "customer call",
      },
    ],
    progress: task.status === "running" ? { done: 12_480, total: 20_400, what: "rows" } : null,
  };
}

function exampleAudit(id: string): AuditEventView[] {
  const kinds = [
    "task.enqueued",
    "task.waiting",
    "task.running",
    "task.retrying",
    "task.running",
    "task.dead",
  ];
  return kinds.map((kind, index) => ({
    seq: index * 7,
    at: ago(900_000 - index * 90_000),
    kind,
    by: index < 2 ? "operator1" : null,
    role: index < 2 ? "Operator" : null,
    detail: { id, generation: 1, level: 5, ...(kind === "task.dead" ? { error: HOSTILE } : {}) },
  }));
}

function exampleRun(index: number): RunView {
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
      taskId: `${phase}-task`,
      status: states[status][at]!,
      result: null,
      error: states[status][at] === "dead" ? HOSTILE : null,
      startedAt: ago(190_000 + index * 3_600_000 - at * 42_000),
      endedAt:
        states[status][at] === "completed" ? ago(150_000 + index * 3_600_000 - at * 42_000) : null,
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

const QUEUES = [
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

const NO_METRICS: MetricsView = {
  ...exampleMetrics(15),
  steps: Array.from({ length: 60 }, () => null),
  waitMs: null,
  endedLastHour: { completed: 0, dead: 0, cancelled: 0 },
  failedAttemptsLastHour: 0,
};

const BULK = { matched: 1, applied: 1, refused: [], refusedCount: 0, dryRun: false } as const;

type Answers = { readonly [V in ViewVerb]: (body: never) => ResponseOf[V] };

/** What a busy daemon answers. */
export const FULL_ANSWERS: Answers = {
  status: () => EXAMPLE_STATUS,
  metrics: ({ minutes = 15 }: { minutes?: number }) => exampleMetrics(minutes),
  get: ({ id }: { id: string }) => exampleDetail(id),
  list: ({ where, limit = 50 }: { where?: { status?: readonly TaskStatus[] }; limit?: number }) => {
    const wanted = taskList(140).filter(({ status }) => where?.status?.includes(status) ?? true);
    return { tasks: wanted.slice(0, limit), next: wanted.length > limit ? "more" : null };
  },
  why: ({ id }: { id: string }) => ({
    id,
    status: "waiting",
    sentence:
      "It waits behind 4 tasks at Normal (5); all 4 slots are busy; at the present rate it starts in about 4m 00s.",
    position: 4,
    etaMs: 240_000,
  }),
  queues: () => ({ queues: QUEUES }),
  definitions: () => ({
    tasks: NAMES.map((name) => ({
      name,
      queue: name.split(".")[0]!,
      priority: 5,
      maxAttempts: 4,
      timeoutMs: 60_000,
      category: "etl",
      phase: null,
      inputSchema: {},
      source: null,
    })),
    pipelines: [
      { name: "cls_all", phases: ["sync", "integrate", "classify", "export"], paramsSchema: {} },
    ],
  }),
  runs: ({ limit = 50 }: { limit?: number }) => ({
    runs: Array.from({ length: Math.min(limit, 12) }, (_, index) => exampleRun(index)),
  }),
  run_get: ({ id }: { id: string }) => ({ ...exampleRun(0), id }),
  audit_query: () => ({
    columns: ["status", "count", "median ms"],
    rows: [
      ["completed", 2520, 212],
      ["dead", 3, null],
    ],
  }),
  audit_task: ({ id }: { id: string }) => ({ id, events: exampleAudit(id) }),
  escalate: () => BULK,
  undo: () => BULK,
  retry: () => BULK,
  redrive: () => BULK,
  cancel: () => BULK,
  cancel_run: () => BULK,
  run: () => ({ runId: "RunOfExample00000119", phases: ["sync"], firstTaskId: "sync-task" }),
  enqueue: () => ({ outcomes: [] }),
};

/** What a daemon answers that has never had anything to do. */
export const EMPTY_ANSWERS: Answers = {
  ...FULL_ANSWERS,
  status: () => EMPTY_STATUS,
  metrics: () => NO_METRICS,
  list: () => ({ tasks: [], next: null }),
  queues: () => ({ queues: [] }),
  runs: () => ({ runs: [] }),
  definitions: () => ({ tasks: [], pipelines: [] }),
  audit_query: () => ({ columns: ["status", "count"], rows: [] }),
  audit_task: ({ id }: { id: string }) => ({ id, events: [] }),
};
