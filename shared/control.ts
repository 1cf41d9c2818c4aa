import * as z from "zod";
import type { WireError } from "./errors.ts";
import { CATEGORIES, PHASES, type PriorityAction } from "./priority.ts";
import { type Permission, ROLES, type Role } from "./roles.ts";
import { TASK_ID_PATTERN, TASK_NAME_PATTERN, USER_NAME_PATTERN } from "./subjects.ts";
import { type AttemptError, type DeadReason, TASK_STATUSES, type TaskStatus } from "./task.ts";
import { LAST_INSTANT_MS } from "./time.ts";

/** Grows when an old client could misread a new daemon. */
export const PROTOCOL_VERSION = 1;

const level = z.number().int().min(0).max(10);
const taskId = z
  .string()
  .regex(TASK_ID_PATTERN, "an id has 1 to 120 letters, digits, hyphens and underscores");
const reason = z.string().trim().min(1).max(1000);
const userName = z
  .string()
  .regex(
    USER_NAME_PATTERN,
    "a name has 1 to 32 lower-case letters, digits, hyphens and underscores, and begins and ends with a letter or digit",
  );

/** Which tasks: all conditions must hold. Times are epoch ms. */
export const taskFilter = z
  .object({
    status: z.array(z.enum(TASK_STATUSES)),
    queue: z.string(),
    name: z.string(),
    level,
    minLevel: level,
    maxLevel: level,
    bucket: z.enum(["high", "normal", "low"]),
    runId: z.string(),
    by: z.string(),
    text: z.string(),
    createdAfter: z.number(),
    createdBefore: z.number(),
  })
  .partial();
export type TaskFilter = z.output<typeof taskFilter>;

const enqueueItem = z.object({
  name: z.string().regex(TASK_NAME_PATTERN),
  /** The input as JSON text, exactly as it is stored and delivered: 64-bit integers stay exact. */
  input: z.string(),
  priority: level.optional(),
  queue: z.string().optional(),
  id: taskId.optional(),
  /** The id was made for this very call: with `first`, no other task can bear it. */
  made: z.boolean().optional(),
  /** Same key and same input: the same task again. Same key, other input: `idempotency-conflict`. */
  key: z.string().max(200).optional(),
  runAt: z.number().max(LAST_INSTANT_MS, "the year 9999 is the last one").optional(),
  category: z.enum(CATEGORIES).optional(),
  phase: z.enum(PHASES).optional(),
  correlationId: z.string().max(200).optional(),
  traceId: z.string().max(200).optional(),
});
export type EnqueueItem = z.output<typeof enqueueItem>;

/** A set of tasks: by id, or by filter. */
const target = z.union([
  z.object({ ids: z.array(taskId).min(1).max(10_000) }),
  z.object({ where: taskFilter }),
]);

/** Every control verb: what it takes, what it needs, whether its subject names the level that it sets. */
export const VERBS = {
  status: { request: z.object({}), permission: "view_tasks", levelled: false },
  get: { request: z.object({ id: taskId }), permission: "view_tasks", levelled: false },
  list: {
    request: z.object({
      where: taskFilter.default({}),
      limit: z.number().int().min(1).max(1000).default(50),
      cursor: z.string().optional(),
      /** By creation; with a level and a status of waiting tasks, `oldest` is the order in which they start. */
      order: z.enum(["newest", "oldest"]).default("newest"),
    }),
    permission: "view_tasks",
    levelled: false,
  },
  why: { request: z.object({ id: taskId }), permission: "view_tasks", levelled: false },
  queues: { request: z.object({}), permission: "view_tasks", levelled: false },
  definitions: { request: z.object({}), permission: "view_tasks", levelled: false },
  /** Depth, flow and waiting times of the last `minutes`, in even steps, oldest first. */
  metrics: {
    request: z.object({ minutes: z.number().int().min(1).max(1440).default(15) }),
    permission: "view_tasks",
    levelled: false,
  },
  runs: {
    request: z.object({ limit: z.number().int().min(1).max(1000).default(50) }),
    permission: "view_tasks",
    levelled: false,
  },
  run_get: { request: z.object({ id: z.string() }), permission: "view_tasks", levelled: false },
  result: { request: z.object({ id: taskId }), permission: "view_tasks", levelled: false },
  /** What is kept of events, or of the tasks' journals, in the order it was stored. */
  events: {
    request: z.object({
      of: z.enum(["events", "tasks"]),
      /** Subject with wildcards. */
      subject: z.string().regex(/^[^\s.]+(?:\.[^\s.]+)*$/),
      /** The first sequence of the stream. */
      from: z.number().int().min(1).optional(),
      /** Instead: what was stored at this instant or later, epoch ms. */
      since: z.number().min(0).max(8.64e15).optional(),
      limit: z.number().int().min(1).max(500).default(200),
    }),
    permission: "view_tasks",
    levelled: false,
  },
  enqueue: {
    request: z.object({
      items: z.array(enqueueItem).min(1).max(1000),
      /** The first sending of these items; a repeat after a lost answer says false. */
      first: z.boolean().default(false),
    }),
    permission: "run_tasks",
    levelled: true,
  },
  run: {
    request: z.object({
      pipeline: z.string(),
      phases: z.array(z.string()).min(1).optional(),
      params: z.record(z.string(), z.unknown()).default({}),
      priority: level.optional(),
      runId: taskId.optional(),
    }),
    permission: "run_tasks",
    levelled: true,
  },
  escalate: {
    request: z.intersection(
      target,
      z.object({ to: level, reason, dryRun: z.boolean().default(false) }),
    ),
    permission: "prioritize_tasks",
    levelled: true,
  },
  undo: {
    request: z.object({ id: taskId, reason }),
    permission: "prioritize_tasks",
    levelled: true,
  },
  retry: {
    request: z.object({ id: taskId, reason: reason.optional() }),
    permission: "prioritize_tasks",
    levelled: true,
  },
  redrive: {
    request: z.intersection(
      target,
      z.object({
        input: z.string().optional(),
        priority: level.optional(),
        reason: reason.optional(),
        dryRun: z.boolean().default(false),
      }),
    ),
    permission: "prioritize_tasks",
    levelled: true,
  },
  /** An Operator may cancel tasks of their own; others need `cancel_tasks`. */
  cancel: {
    request: z.intersection(
      target,
      z.object({ reason: reason.optional(), dryRun: z.boolean().default(false) }),
    ),
    permission: "run_tasks",
    levelled: false,
  },
  cancel_run: {
    request: z.object({ id: z.string(), reason: reason.optional() }),
    permission: "run_tasks",
    levelled: false,
  },
  audit_query: {
    request: z.object({
      query: z.enum(["by-status", "durations", "failures", "refusals", "priority"]),
      hours: z.number().positive().default(24),
    }),
    permission: "view_tasks",
    levelled: false,
  },
  audit_task: { request: z.object({ id: taskId }), permission: "view_tasks", levelled: false },
  audit_verify: { request: z.object({}), permission: "view_tasks", levelled: false },
  config: { request: z.object({}), permission: "view_tasks", levelled: false },
  whoami: { request: z.object({}), permission: "view_tasks", levelled: false },
  /** A link that signs the caller in to the browser dashboard, once and soon. */
  dashboard_link: { request: z.object({}), permission: "view_dashboard", levelled: false },
  user_list: { request: z.object({}), permission: "manage_users", levelled: false },
  user_add: {
    request: z.object({ name: userName, role: z.enum(ROLES), publicKey: z.string() }),
    permission: "manage_users",
    levelled: false,
  },
  user_role: {
    request: z.object({ name: userName, role: z.enum(ROLES) }),
    permission: "manage_users",
    levelled: false,
  },
  user_rotate: {
    request: z.object({ name: userName, publicKey: z.string() }),
    permission: "manage_users",
    levelled: false,
  },
  user_remove: {
    request: z.object({ name: userName }),
    permission: "manage_users",
    levelled: false,
  },
  backup: { request: z.object({ path: z.string() }), permission: "manage_users", levelled: false },
  reconcile: { request: z.object({}), permission: "manage_users", levelled: false },
  /** Makes tasks known that workers elsewhere will serve, so that they can be enqueued before one of them is up. */
  declare: {
    request: z.object({
      definitions: z
        .array(
          z.object({
            name: z.string().regex(TASK_NAME_PATTERN),
            queue: z.string(),
            priority: level.default(5),
            maxAttempts: z.number().int().min(1).default(4),
            timeoutMs: z.number().int().positive().nullish(),
            category: z.enum(CATEGORIES).nullish(),
            phase: z.enum(PHASES).nullish(),
            inputSchema: z.unknown().optional(),
          }),
        )
        .min(1)
        .max(1000),
    }),
    permission: "manage_users",
    levelled: false,
  },
  shutdown: { request: z.object({}), permission: "manage_users", levelled: false },
} as const satisfies Record<
  string,
  { request: z.ZodType; permission: Permission; levelled: boolean }
>;

export type Verb = keyof typeof VERBS;
export type RequestOf<V extends Verb> = z.input<(typeof VERBS)[V]["request"]>;
export type ParsedRequestOf<V extends Verb> = z.output<(typeof VERBS)[V]["request"]>;

export type Reply<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: WireError };

// ---- what the verbs answer ----

export interface PriorityChange {
  readonly at: string;
  readonly by: string;
  readonly role: Role | "system";
  readonly from: number;
  readonly to: number;
  readonly action: PriorityAction;
  readonly reason: string | null;
}

export interface AttemptView {
  readonly attempt: number;
  readonly generation: number;
  readonly worker: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly durationMs: number | null;
  /** How it ended: `completed`, an error code, `lost`, `interrupted`, `running`. */
  readonly outcome: string;
  readonly error: AttemptError | null;
}

/** Instants are ISO 8601 UTC. */
export interface TaskSummary {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly status: TaskStatus;
  readonly priority: number;
  readonly bucket: "high" | "normal" | "low";
  readonly generation: number;
  readonly attempts: number;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly dueAt: string | null;
  readonly durationMs: number | null;
  readonly by: string | null;
  readonly runId: string | null;
  readonly error: string | null;
}

export interface TaskDetail extends TaskSummary {
  readonly maxAttempts: number;
  readonly worker: string | null;
  /** The input and the result as JSON text, so that 64-bit integers stay exact. */
  readonly inputJson: string | null;
  readonly resultJson: string | null;
  readonly deadReason: DeadReason | null;
  readonly correlationId: string | null;
  readonly traceId: string | null;
  readonly category: string | null;
  readonly phase: string | null;
  readonly attemptHistory: readonly AttemptView[];
  readonly priorityHistory: readonly PriorityChange[];
  readonly progress: {
    readonly done: number;
    readonly total: number | null;
    readonly what: string;
  } | null;
}

export interface EnqueueOutcome {
  readonly id: string;
  readonly queue: string;
  readonly priority: number;
  readonly status: "waiting" | "scheduled";
  /** True when the key or the id named a task that was there already. */
  readonly deduplicated: boolean;
  /** `journaled`: on disk in the audit database and the broker; `broker`: the broker's word alone. */
  readonly durability: "journaled" | "broker";
}

/** The outcome of an act on many tasks. `refused` lists at most the first hundred. */
export interface BulkOutcome {
  readonly matched: number;
  readonly applied: number;
  readonly refused: readonly { readonly id: string; readonly error: WireError }[];
  readonly refusedCount: number;
  readonly dryRun: boolean;
}

export interface QueueView {
  readonly queue: string;
  readonly pool: string | null;
  readonly waiting: number;
  readonly running: number;
  readonly levels: readonly {
    readonly level: number;
    readonly waiting: number;
    readonly running: number;
  }[];
  readonly tasks: readonly string[];
  readonly oldestWaitMs: number | null;
}

export interface WorkerView {
  readonly id: string;
  readonly pool: string;
  readonly queues: readonly string[];
  readonly pid: number;
  readonly host: string;
  readonly slots: number;
  readonly running: number;
  readonly state: "starting" | "ready" | "draining" | "silent" | "gone" | "given-up";
  readonly startedAt: string;
  readonly lastBeatAt: string | null;
  readonly error: string | null;
}

export interface StatusView {
  readonly daemon: {
    readonly pid: number;
    readonly version: string;
    readonly protocol: number;
    readonly dataDir: string;
    readonly startedAt: string;
    readonly state: "starting" | "ready" | "degraded" | "stopping";
    /** Why it is degraded, in sentences. */
    readonly degraded: readonly string[];
    readonly eventLoopDelayMs: {
      readonly p50: number;
      readonly p99: number;
      readonly p999: number;
      readonly max: number;
    };
    readonly memoryMb: number;
  };
  readonly nats: {
    readonly url: string;
    readonly version: string;
    readonly embedded: boolean;
    readonly pid: number | null;
  };
  readonly workers: readonly WorkerView[];
  readonly queues: readonly QueueView[];
  readonly audit: {
    readonly file: string;
    readonly state: "ok" | "unavailable";
    readonly lagRecords: number;
    readonly cause: string | null;
  };
  readonly counts: Readonly<Record<TaskStatus, number>>;
  /** The dashboard for browsers; absent: the daemon is of a version without one. */
  readonly dashboard?: DashboardView;
}

export interface DashboardView {
  /** Where a browser on the daemon's machine finds it; null: it is not served. */
  readonly url: string | null;
  /** Why it is not served, or not at its usual port; null: nothing to say. */
  readonly why: string | null;
}

export interface WhyView {
  readonly id: string;
  readonly status: TaskStatus;
  /** One sentence. */
  readonly sentence: string;
  /** How many waiting tasks of its pool's queues start before it; null when it does not wait for its turn. */
  readonly position: number | null;
  readonly etaMs: number | null;
}

export interface RunView {
  readonly id: string;
  readonly pipeline: string;
  readonly status: "running" | "completed" | "failed" | "cancelled";
  readonly phases: readonly {
    readonly phase: string;
    readonly taskId: string | null;
    readonly status: TaskStatus | "pending";
    readonly result: unknown;
    readonly error: string | null;
    readonly startedAt: string | null;
    readonly endedAt: string | null;
  }[];
  readonly params: Readonly<Record<string, unknown>>;
  readonly by: string;
  readonly priority: number;
  readonly warnings: number;
  readonly createdAt: string;
  readonly endedAt: string | null;
}

/** What a dashboard's charts show. A point that nobody measured is null, never zero. */
export interface MetricsView {
  readonly stepMs: number;
  /** Start of the last, still growing step, epoch ms; the others lie `stepMs` apart before it. */
  readonly lastStepAt: number;
  readonly steps: readonly (MetricsStep | null)[];
  /** Of tasks that started in the last hour; null when none did. */
  readonly waitMs: { readonly p50: number; readonly p95: number } | null;
  /** Tasks that ended in the last hour. */
  readonly endedLastHour: {
    readonly completed: number;
    readonly dead: number;
    readonly cancelled: number;
  };
  /** Executions that failed in the last hour, retried or not. */
  readonly failedAttemptsLastHour: number;
}

export interface MetricsStep {
  /** Waiting tasks at the end of the step. */
  readonly waiting: Readonly<Record<"high" | "normal" | "low", number>>;
  readonly running: number;
  /** In this step. */
  readonly enqueued: number;
  readonly completed: number;
  readonly failed: number;
  readonly dead: number;
}

/** What a worker tells of a task it can run. */
export interface DefinitionView {
  readonly name: string;
  readonly queue: string;
  readonly priority: number;
  readonly maxAttempts: number;
  readonly timeoutMs: number | null;
  readonly category: string | null;
  readonly phase: string | null;
  readonly inputSchema: unknown;
  readonly source: string | null;
}

export interface UserView {
  readonly name: string;
  readonly role: Role;
  readonly publicKey: string;
  readonly createdAt: string;
}

export interface ResponseOf {
  status: StatusView;
  get: TaskDetail;
  list: { readonly tasks: readonly TaskSummary[]; readonly next: string | null };
  why: WhyView;
  queues: { readonly queues: readonly QueueView[] };
  definitions: {
    readonly tasks: readonly DefinitionView[];
    readonly pipelines: readonly {
      readonly name: string;
      readonly phases: readonly string[];
      readonly paramsSchema: unknown;
    }[];
  };
  metrics: MetricsView;
  runs: { readonly runs: readonly RunView[] };
  run_get: RunView;
  result: {
    readonly status: TaskStatus;
    readonly resultJson: string | null;
    readonly error: AttemptError | null;
  };
  events: { readonly events: readonly KeptEvent[]; readonly more: boolean };
  enqueue: { readonly outcomes: readonly (EnqueueOutcome | { readonly error: WireError })[] };
  run: { readonly runId: string; readonly phases: readonly string[]; readonly firstTaskId: string };
  escalate: BulkOutcome;
  undo: BulkOutcome;
  retry: BulkOutcome;
  redrive: BulkOutcome;
  cancel: BulkOutcome;
  cancel_run: BulkOutcome;
  audit_query: {
    readonly columns: readonly string[];
    readonly rows: readonly (readonly (string | number | null)[])[];
  };
  audit_task: { readonly id: string; readonly events: readonly AuditEventView[] };
  audit_verify: {
    readonly ok: boolean;
    readonly rows: number;
    readonly firstBad: number | null;
    readonly what: string | null;
  };
  config: {
    readonly settings: readonly {
      readonly key: string;
      readonly value: unknown;
      readonly source: string;
    }[];
  };
  whoami: { readonly user: string; readonly role: Role };
  dashboard_link: { readonly url: string; readonly expiresAt: string };
  user_list: { readonly users: readonly UserView[] };
  user_add: UserView;
  user_role: UserView;
  user_rotate: UserView;
  user_remove: { readonly name: string };
  backup: { readonly path: string; readonly bytes: number };
  reconcile: { readonly checked: number; readonly repaired: number };
  declare: { readonly declared: number };
  shutdown: { readonly stopping: true };
}

/** A message that a stream keeps. */
export interface KeptEvent {
  /** Its sequence in the stream. */
  readonly seq: number;
  /** When the broker stored it. */
  readonly at: string;
  readonly subject: string;
  /** As it was published; null when it is too large to be handed on. */
  readonly data: string | null;
}

/** One line of a task's audit timeline. */
export interface AuditEventView {
  readonly seq: number;
  readonly at: string;
  readonly kind: string;
  readonly by: string | null;
  readonly role: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}
