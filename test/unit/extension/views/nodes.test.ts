import { describe, expect, test } from "vitest";
import type {
  BucketModel,
  QueueModel,
  TaskModel,
} from "../../../../extension/state/queue-model.ts";
import type { NodeView } from "../../../../extension/views/node.ts";
import { attemptNodes, queueNodes, taskNode } from "../../../../extension/views/queue-nodes.ts";
import { ROLES } from "../../../../shared/roles.ts";
import { TASK_STATUSES, type TaskStatus } from "../../../../shared/task.ts";
import { aContext, aDetail, aTask, NO_COUNTS, secondsAgo } from "../../../support/work-views.ts";

const DUE = new Date(Date.parse(secondsAgo(0)) + 47_200).toISOString();

/** A task as it is in each status. */
const IN: Readonly<Record<TaskStatus, TaskModel>> = {
  scheduled: aTask({ status: "scheduled", dueAt: DUE }),
  waiting: aTask({ status: "waiting" }),
  running: aTask({ status: "running", startedAt: secondsAgo(64), attempts: 1 }),
  retrying: aTask({ status: "retrying", dueAt: DUE, attempts: 2 }),
  completed: aTask({ status: "completed", durationMs: 2000, attempts: 1 }),
  cancelled: aTask({ status: "cancelled" }),
  dead: aTask({ status: "dead", attempts: 4, error: "timeout" }),
};

describe("a task", () => {
  test.each<[TaskStatus, string, string]>([
    ["scheduled", "clock", "Starts in 48 s  #a41f9c"],
    ["waiting", "circle-outline", "Waiting 30 s  #a41f9c"],
    ["running", "sync~spin", "Running 1m 04s  #a41f9c"],
    ["retrying", "history", "Retrying in 48 s · attempt 2  #a41f9c"],
    ["completed", "pass", "Completed · 2.0 s  #a41f9c"],
    ["cancelled", "circle-slash", "Cancelled  #a41f9c"],
    ["dead", "error", "Dead letter · attempt 4  #a41f9c"],
  ])("that is %s has its own shape and its state in words", (status, icon, description) => {
    const node = taskNode(IN[status], undefined, aContext());
    expect([node.icon.id, node.description]).toEqual([icon, description]);
  });

  test("no two states look alike without colour, but a phase that waits and one not begun", () => {
    const shapes = TASK_STATUSES.map(
      (status) => taskNode(IN[status], undefined, aContext()).icon.id,
    );
    expect(new Set(shapes).size).toBe(TASK_STATUSES.length);
  });

  test("says its level only when it is not the usual one, and how far it is", () => {
    const urgent = aTask({ priority: 9, bucket: "high" });
    expect(taskNode(urgent, undefined, aContext()).description).toBe(
      "Waiting 30 s · 9 Urgent  #a41f9c",
    );
    const half = { ...IN.running, progress: { done: 61, total: 100 } };
    expect(taskNode(half, undefined, aContext()).description).toContain("Running 1m 04s · 61 %");
    const open = { ...IN.running, progress: { done: 61, total: null } };
    expect(taskNode(open, undefined, aContext()).description).not.toContain("%");
  });

  test("is read out as a sentence without marks", () => {
    const node = taskNode({ ...IN.running, attempts: 2 }, undefined, aContext());
    expect(node.accessibility).toBe("etl.load, Running 1m 04s, attempt 2, Normal bucket");
  });

  test("has attempts below it once it was begun", () => {
    expect(taskNode(IN.waiting, undefined, aContext())).toMatchObject({
      collapsible: "none",
      children: [],
    });
    expect(taskNode(IN.running, undefined, aContext())).toMatchObject({
      collapsible: "collapsed",
      children: null,
    });
  });

  test("whose name holds marks and controls shows them by their code", () => {
    const name = "a\u202eb\u0007";
    expect(taskNode(aTask({ name }), undefined, aContext()).label).toBe("a⟨U+202E⟩b⟨U+0007⟩");
  });
});

/** What each role may do with another person's task. */
const MAY: Readonly<Record<TaskStatus, Readonly<Record<(typeof ROLES)[number], string>>>> = {
  scheduled: {
    Viewer: "task",
    Operator: "task escalatable prioritizable lowerable startable",
    Manager: "task escalatable prioritizable urgentable lowerable startable cancelable",
    Admin: "task escalatable prioritizable urgentable criticalable lowerable startable cancelable",
  },
  waiting: {
    Viewer: "task",
    Operator: "task escalatable prioritizable lowerable",
    Manager: "task escalatable prioritizable urgentable lowerable cancelable",
    Admin: "task escalatable prioritizable urgentable criticalable lowerable cancelable",
  },
  running: {
    Viewer: "task",
    Operator: "task",
    Manager: "task abortable",
    Admin: "task abortable",
  },
  retrying: {
    Viewer: "task",
    Operator: "task escalatable prioritizable lowerable startable",
    Manager: "task escalatable prioritizable urgentable lowerable startable cancelable",
    Admin: "task escalatable prioritizable urgentable criticalable lowerable startable cancelable",
  },
  completed: { Viewer: "task", Operator: "task", Manager: "task", Admin: "task" },
  cancelled: {
    Viewer: "task",
    Operator: "task retryable",
    Manager: "task retryable",
    Admin: "task retryable",
  },
  dead: {
    Viewer: "dead",
    Operator: "dead retryable redrivable",
    Manager: "dead retryable redrivable",
    Admin: "dead retryable redrivable",
  },
};

describe("what may be done with a task", () => {
  for (const status of TASK_STATUSES)
    test.each(ROLES.map((role) => [role, MAY[status][role]] as const))(
      `${status}: %s sees “%s”`,
      (role, words) => {
        const node = taskNode(IN[status], undefined, aContext(role, "grace"));
        expect(node.contextValue).toBe(words);
      },
    );

  test("an Operator may cancel tasks of their own", () => {
    const of = (task: TaskModel) => taskNode(task, undefined, aContext("Operator")).contextValue;
    expect(of(IN.waiting)).toContain("cancelable");
    expect(of(IN.running)).toContain("abortable");
  });

  test("a task above the role's highest level cannot be moved at all, not even down", () => {
    const critical = aTask({ priority: 10, bucket: "high" });
    expect(taskNode(critical, undefined, aContext("Manager", "grace")).contextValue).toBe(
      "task cancelable",
    );
  });

  test("only levels above the present one are offered", () => {
    const urgent = aTask({ priority: 9, bucket: "high" });
    expect(taskNode(urgent, undefined, aContext("Admin", "grace")).contextValue).toBe(
      "task escalatable criticalable lowerable cancelable",
    );
    const lowest = aTask({ priority: 0, bucket: "low" });
    expect(taskNode(lowest, undefined, aContext()).contextValue).not.toContain("lowerable");
  });

  test("a change can be undone when there was one, and the role may set the level before", () => {
    const urgent = aTask({ priority: 8, bucket: "high" });
    const words = (from: number | undefined) =>
      taskNode(urgent, from, aContext("Operator")).contextValue;
    expect([words(5), words(9), words(undefined)].map((one) => one.includes("undoable"))).toEqual([
      true,
      false,
      false,
    ]);
  });

  test("nothing is offered before it is known who is signed in", () => {
    expect(taskNode(IN.waiting, undefined, aContext(null)).contextValue).toBe("task");
  });
});

const EMPTY = { waiting: 0, running: 0, tasks: [], more: null };
function aModel(
  part: Partial<Omit<BucketModel, "bucket">>,
  rest: Partial<QueueModel> = {},
): QueueModel {
  return {
    buckets: [
      { bucket: "high", ...EMPTY },
      { bucket: "normal", ...EMPTY, ...part },
      { bucket: "low", ...EMPTY },
    ],
    lanes: [],
    counts: NO_COUNTS,
    moved: new Map(),
    ...rest,
  };
}
const labels = (nodes: readonly NodeView[] | null): string[] =>
  (nodes ?? []).map(({ label, description }) => `${label} | ${description}`);

describe("queues", () => {
  test("three buckets from high to low, with their counts", () => {
    const nodes = queueNodes(
      aModel({ waiting: 14, running: 2, tasks: [IN.waiting], more: { known: 15, others: false } }),
      aContext(),
    );
    expect(labels(nodes)).toEqual(["High | 0", "Normal | 14 waiting · 2 running", "Low | 0"]);
    expect(labels(nodes[1]!.children)).toEqual([
      "etl.load | Waiting 30 s  #a41f9c",
      "15 more… | in the dashboard",
    ]);
  });

  test("a bucket counts what waits for its time apart, and says nothing of what is none", () => {
    const of = (part: Parameters<typeof aModel>[0]): string =>
      queueNodes(aModel(part), aContext())[1]!.description;
    expect(of({ running: 1, tasks: [IN.running] })).toBe("1 running");
    expect(of({ tasks: [IN.scheduled] })).toBe("1 delayed");
    const more = { known: 3, others: true };
    expect(of({ waiting: 4, tasks: [IN.waiting, IN.retrying], more })).toBe(
      "4 waiting · 1+ delayed",
    );
  });

  test("“more” opens the dashboard with the tasks of that bucket", () => {
    const [, normal] = queueNodes(
      aModel({ waiting: 99_950, more: { known: 99_950, others: false } }),
      aContext(),
    );
    expect(normal!.children![0]).toMatchObject({
      label: "99,950 more…",
      command: {
        id: "msgSys.dashboard.open",
        args: [{ screen: "queues", filter: "bucket:normal" }],
      },
    });
  });

  test("no node at all when nothing is queued, so that the welcome shows", () => {
    expect(queueNodes(aModel({}), aContext())).toEqual([]);
  });

  test("lanes are there only while one of them needs a person", () => {
    const lanes = [
      { queue: "etl", waiting: 12, oldestWaitMs: 245_000, trouble: "late" },
      { queue: "mail", waiting: 3, oldestWaitMs: 1000, trouble: "unserved" },
    ] as const;
    const nodes = queueNodes(aModel({ waiting: 1, tasks: [IN.waiting] }, { lanes }), aContext());
    expect(labels(nodes).at(-1)).toBe("Lanes | 2 need attention");
    expect(labels(nodes.at(-1)!.children)).toEqual([
      "etl | Oldest waits 4m 00s · 12 waiting",
      "mail | No worker serves it · 3 waiting",
    ]);
  });

  test("keys are the same as long as a node means the same, and none is there twice", () => {
    const model = aModel({
      waiting: 1,
      tasks: [IN.waiting, IN.running].map((task, at) => ({ ...task, id: `t${at}` })),
    });
    const keys = (nodes: readonly NodeView[]): string[] =>
      nodes.flatMap((node) => [node.key, ...keys(node.children ?? [])]);
    const later = { ...aContext(), now: aContext().now + 60_000 };
    expect(keys(queueNodes(model, later))).toEqual(keys(queueNodes(model, aContext())));
    expect(new Set(keys(queueNodes(model, later))).size).toBe(5);
  });

  test("attempts stand below a task, the last one first, each with how it went", () => {
    const attempt = {
      generation: 1,
      worker: "w",
      startedAt: secondsAgo(90),
      endedAt: secondsAgo(60),
    };
    const nodes = attemptNodes(
      aDetail({
        attemptHistory: [
          {
            ...attempt,
            attempt: 1,
            durationMs: 30_000,
            outcome: "timed-out",
            error: { code: "timed-out", message: "no reply\u0000" },
          },
          { ...attempt, attempt: 2, durationMs: null, outcome: "running", error: null },
        ],
      }),
      aContext(),
    );
    expect(labels(nodes)).toEqual([
      "Attempt 2 | Running · 1m 30s",
      "Attempt 1 | Timed out · 30 s · no reply⟨U+0000⟩",
    ]);
  });
});
