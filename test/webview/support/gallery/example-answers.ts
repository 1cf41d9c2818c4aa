/** What a daemon answers in the gallery. For looking at and tests only. */
import type { ResponseOf } from "../../../../shared/control.ts";
import type { TaskStatus } from "../../../../shared/task.ts";
import type { ViewVerb } from "../../../../shared/view/messages.ts";
import {
  EMPTY_STATUS,
  EXAMPLE_STATUS,
  exampleMetrics,
  exampleRun,
  NAMES,
  NO_METRICS,
  QUEUES,
  taskList,
} from "./example-data.ts";
import { exampleAudit, exampleAuditQuery, exampleDetail } from "./example-task.ts";

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
  run_get: ({ id }: { id: string }) => ({
    ...exampleRun(Math.max(0, 118 - Number(id.slice(-8)) || 0)),
    id,
  }),
  audit_query: ({ query }: { query: string }) => exampleAuditQuery(query),
  audit_task: ({ id }: { id: string }) => ({ id, events: exampleAudit(id) }),
  escalate: () => BULK,
  undo: () => BULK,
  retry: () => BULK,
  redrive: () => BULK,
  cancel: ({ dryRun = false }: { dryRun?: boolean }) => ({
    ...BULK,
    dryRun,
    matched: dryRun ? 128 : 1,
  }),
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
  audit_query: () => ({ columns: ["at", "task_id", "by"], rows: [] }),
  audit_task: ({ id }: { id: string }) => ({ id, events: [] }),
};
