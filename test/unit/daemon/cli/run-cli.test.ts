import { describe, expect, test, vi } from "vitest";
import type { BulkOutcome, RunView, StatusView, TaskDetail } from "../../../../shared/control.ts";
import { AppError } from "../../../../shared/errors.ts";
import { runWith } from "./fake-io.ts";

const outcome = (more: Partial<BulkOutcome> = {}): BulkOutcome => ({
  matched: 1,
  applied: 1,
  refused: [],
  refusedCount: 0,
  dryRun: false,
  ...more,
});

const status: StatusView = {
  daemon: {
    pid: 7,
    version: "0.1.0",
    protocol: 1,
    dataDir: "/data",
    startedAt: "2026-05-01T11:00:00.000Z",
    state: "ready",
    degraded: [],
    eventLoopDelayMs: { p50: 1, p99: 2, p999: 3, max: 4 },
    memoryMb: 90,
  },
  nats: { url: "nats://127.0.0.1:4222", version: "2.15.1", embedded: true, pid: 8 },
  workers: [],
  queues: [],
  audit: { file: "/data/audit.db", state: "ok", lagRecords: 0, cause: null },
  counts: {
    scheduled: 0,
    waiting: 2,
    running: 0,
    retrying: 0,
    completed: 5,
    cancelled: 0,
    dead: 0,
  },
};

const run: RunView = {
  id: "r1",
  pipeline: "cls_all",
  status: "completed",
  phases: [
    {
      phase: "sync",
      taskId: "r1-sync",
      status: "completed",
      result: { rowsIn: 3 },
      error: null,
      startedAt: "2026-05-01T11:59:00.000Z",
      endedAt: "2026-05-01T11:59:02.000Z",
    },
  ],
  params: {},
  by: "ann",
  priority: 5,
  warnings: 0,
  createdAt: "2026-05-01T11:59:00.000Z",
  endedAt: "2026-05-01T11:59:02.000Z",
};

const definitions = async (): Promise<never> =>
  ({
    tasks: [],
    pipelines: [
      { name: "cls_all", phases: ["sync", "integrate", "classify", "export"], paramsSchema: {} },
    ],
  }) as never;

describe("exit codes and streams", () => {
  test("a result goes to standard output as the daemon gave it, and nothing else does", async () => {
    const ran = await runWith(["status", "--json"], { status: async () => status });
    expect(ran).toEqual({ exit: 0, out: `${JSON.stringify(status)}\n`, err: "" });
  });

  test("the words for people name state, counts and relative times, without colours off a terminal", async () => {
    const { out } = await runWith(["status"], { status: async () => status });
    expect(out).toContain("ready, pid 7, version 0.1.0, started 1h 00m ago");
    expect(out).toContain("2 waiting, 5 completed");
    expect(out).not.toContain("\u001b[");
  });

  test("colours come on a terminal only, and never against NO_COLOR", async () => {
    const client = { status: async () => status };
    const coloured = await runWith(["status"], client, { outIsTerminal: true });
    const plain = await runWith(["status"], client, {
      outIsTerminal: true,
      env: { NO_COLOR: "1" },
    });
    expect([coloured.out.includes("\u001b["), plain.out.includes("\u001b[")]).toEqual([
      true,
      false,
    ]);
  });

  test.each([
    ["an unknown option", ["status", "--bogus"]],
    ["an unknown command", ["stat"]],
    ["a missing argument", ["show"]],
    ["no command", []],
    ["a level that is none", ["list", "--level", "11"]],
    ["a time that is none", ["enqueue", "a", "--delay", "soon"]],
    ["a status that is none", ["list", "--status", "asleep"]],
    ["a wait limit without waiting", ["enqueue", "a", "--timeout", "1s"]],
  ])("%s is a usage error: exit 2, nothing on standard output", async (_, argv) => {
    const ran = await runWith(argv, {});
    expect([ran.exit, ran.out]).toEqual([2, ""]);
    expect(ran.err).toContain("Error: ");
  });

  test("help goes to standard output with exit 0", async () => {
    const ran = await runWith(["--help"], null);
    expect([ran.exit, ran.err]).toEqual([0, ""]);
    expect(ran.out).toContain("Usage: msgsys");
  });

  test.each([
    ["daemon-not-running", 4],
    ["not-permitted", 5],
    ["task-not-found", 6],
    ["already-running", 3],
    ["input-invalid", 2],
  ] as const)("%s exits with %i, one sentence and its remedy", async (code, exit) => {
    const failure = new AppError(code, { id: "t1" });
    const ran = await runWith(["why", "t1"], { why: () => Promise.reject(failure) });
    expect([ran.exit, ran.out]).toEqual([exit, ""]);
    expect(ran.err).toBe(`Error: ${failure.message}\n${failure.hint}\n`);
  });

  test("with --json an error is also one object on standard output", async () => {
    const ran = await runWith(["status", "--json"], null);
    expect(ran.exit).toBe(4);
    expect(JSON.parse(ran.out)).toEqual({
      error: {
        code: "daemon-not-running",
        message: "No daemon runs on /data.",
        hint: "Start one with `msgsys up --detach`.",
      },
    });
  });

  test("--no-start refuses to start a daemon", async () => {
    const ran = await runWith(["--no-start", "enqueue", "etl.load"], null);
    expect([ran.exit, ran.out]).toEqual([4, ""]);
  });

  test("global options are understood before and after the command", async () => {
    const why = async (): Promise<never> => ({ sentence: "It runs." }) as never;
    const before = await runWith(["--json", "why", "t1"], { why });
    const after = await runWith(["why", "t1", "--json"], { why });
    expect(before).toEqual(after);
    expect(JSON.parse(after.out)).toEqual({ sentence: "It runs." });
  });
});

describe("enqueue", () => {
  const made = {
    id: "t1",
    queue: "etl",
    priority: 5,
    status: "waiting" as const,
    deduplicated: false,
    durability: "journaled" as const,
  };

  test("passes the JSON text and the options on", async () => {
    const enqueueJson = vi.fn(async () => made);
    const ran = await runWith(
      ["enqueue", "etl.load", '{"n": 9007199254740993}', "--priority", "urgent", "--delay", "5m"],
      { enqueueJson },
    );
    expect(ran.out).toBe("t1 waiting on etl at level 5 Normal.\n");
    expect(enqueueJson).toHaveBeenCalledWith(
      "etl.load",
      '{"n": 9007199254740993}',
      expect.objectContaining({ priority: 9, delayMs: 300_000 }),
    );
  });

  test("--wait prints the result alone, with 64-bit integers as they are", async () => {
    const client = {
      enqueueJson: async () => made,
      waitEnd: async () => ({ status: "completed" as const, resultJson: '{"n":9007199254740993}' }),
    };
    const words = await runWith(["enqueue", "etl.load", "--wait"], client);
    expect(words).toEqual({ exit: 0, out: '{"n":9007199254740993}\n', err: "" });
    const json = await runWith(["enqueue", "etl.load", "--wait", "--json"], client);
    expect(json.out).toBe('{"id":"t1","status":"completed","result":{"n":9007199254740993}}\n');
  });

  test("a task that failed exits with 1, whatever its error is", async () => {
    const client = {
      enqueueJson: async () => made,
      waitEnd: () => Promise.reject(new AppError("cls-folder-missing", { path: "/x", what: "y" })),
    };
    expect((await runWith(["enqueue", "etl.load", "--wait"], client)).exit).toBe(1);
  });

  test("a wait that took too long exits with 124", async () => {
    const client = {
      enqueueJson: async () => made,
      waitEnd: () => Promise.reject(new AppError("wait-timed-out", { what: "x", timeoutMs: 1 })),
    };
    const ran = await runWith(["enqueue", "etl.load", "--wait", "--timeout", "1ms"], client);
    expect(ran.exit).toBe(124);
  });

  test("--many enqueues each line and tells which were refused", async () => {
    const client = {
      enqueueJson: async (name: string, input: string) => {
        if (input === "[") throw new AppError("input-not-json", { name, what: "cut off" });
        return made;
      },
    };
    const ran = await runWith(["enqueue", "etl.load", "--many", "-", "--json"], client, {
      readInput: async () => "1\n[\n\n2\n",
    });
    expect(ran.exit).toBe(2);
    expect(JSON.parse(ran.out)).toMatchObject({
      enqueued: 2,
      refused: [{ line: 2, code: "input-not-json" }],
    });
  });
});

describe("run", () => {
  const started = { runId: "r1", phases: ["sync", "integrate"], firstTaskId: "r1-sync" };

  test("--phase runs that phase and those before it, with absolute folders", async () => {
    const start = vi.fn(async () => started);
    const ran = await runWith(
      ["run", "cls", "--phase", "integrate", "--root", "in", "--param", "python=python3", "--json"],
      { definitions, run: start },
    );
    expect(JSON.parse(ran.out)).toEqual(started);
    expect(start).toHaveBeenCalledWith(
      "cls_all",
      expect.objectContaining({
        phases: ["sync", "integrate"],
        params: { root: "/somewhere/in", python: "python3" },
      }),
    );
  });

  test("--wait --json prints one object with the result of each phase", async () => {
    const client = { definitions, run: async () => started, waitRun: async () => run };
    const ran = await runWith(["run", "cls_all", "--wait", "--json"], client);
    expect(ran.exit).toBe(0);
    expect(JSON.parse(ran.out)).toEqual({
      runId: "r1",
      status: "completed",
      phases: { sync: { rowsIn: 3 } },
      warnings: 0,
    });
  });

  test("a failed run exits with 1 and says why on standard error", async () => {
    const failed: RunView = {
      ...run,
      status: "failed",
      phases: [{ ...run.phases[0]!, status: "dead", result: null, error: "No folder." }],
    };
    const client = { definitions, run: async () => started, waitRun: async () => failed };
    const ran = await runWith(["run", "cls_all", "--wait", "--json"], client);
    expect(ran.exit).toBe(1);
    expect(JSON.parse(ran.out)).toMatchObject({ status: "failed", errors: { sync: "No folder." } });
    expect(ran.err).toContain("The run r1 failed in sync: No folder.");
  });

  test("an unknown pipeline names the known ones", async () => {
    const ran = await runWith(["run", "nope"], { definitions });
    expect(ran.exit).toBe(2);
    expect(ran.err).toContain("cls_all");
  });
});

describe("acts on tasks", () => {
  test("escalate takes the task, the word for the level and the reason", async () => {
    const escalate = vi.fn(async () => outcome());
    const ran = await runWith(["escalate", "t1", "urgent", "--reason", "late"], { escalate });
    expect(ran.out).toBe("1 task moved to level 9 Urgent.\n");
    expect(escalate).toHaveBeenCalledWith("t1", 9, "late", { dryRun: false });
  });

  test("a reason is needed, and asked for only where a person can answer", async () => {
    const escalate = vi.fn(async () => outcome());
    const mute = await runWith(["escalate", "t1", "9"], { escalate });
    expect(mute.exit).toBe(2);
    const asked = await runWith(
      ["escalate", "t1", "9"],
      { escalate },
      {
        canAsk: true,
        ask: async () => "late",
      },
    );
    expect(asked.exit).toBe(0);
    expect(escalate).toHaveBeenCalledExactlyOnceWith("t1", 9, "late", { dryRun: false });
  });

  test("--where tells the number first and does nothing without agreement", async () => {
    const escalate = vi.fn(async () => outcome({ matched: 40, applied: 0, dryRun: true }));
    const argv = ["escalate", "--where", "status=waiting,queue=etl", "8", "--reason", "late"];
    const ran = await runWith(argv, { escalate });
    expect(ran.exit).toBe(2);
    expect(ran.err).toContain("40 tasks match: escalate to 8 Prioritize?");
    expect(escalate).toHaveBeenCalledExactlyOnceWith(
      { where: { status: ["waiting"], queue: "etl", maxLevel: 7 } },
      8,
      "late",
      { dryRun: true },
    );
  });

  test("refusals of many are summed up by cause", async () => {
    const error = new AppError("task-not-waiting", { id: "t2", status: "running" }).toWire();
    const refused = [
      { id: "t2", error },
      { id: "t3", error },
    ];
    const client = {
      escalate: async () => outcome({ matched: 5, applied: 2, refused, refusedCount: 3 }),
    };
    const ran = await runWith(
      ["escalate", "--where", "queue=etl", "8", "--reason", "late", "--yes"],
      client,
    );
    expect(ran).toEqual({
      exit: 0,
      out: "2 tasks moved to level 8 Prioritize.\n",
      err: "2 refused, for example t2: The task t2 is running, not waiting.\n1 more refused.\n",
    });
  });

  test("a single refused task is an error with its exit code", async () => {
    const error = new AppError("task-not-waiting", { id: "t1", status: "running" }).toWire();
    const client = {
      cancel: async () => outcome({ applied: 0, refused: [{ id: "t1", error }], refusedCount: 1 }),
    };
    const ran = await runWith(["cancel", "t1"], client);
    expect([ran.exit, ran.out]).toEqual([6, ""]);
  });
});

test("show prints the task as the daemon gave it", async () => {
  const task = { id: "t1", priorityHistory: [], attemptHistory: [] } as unknown as TaskDetail;
  const ran = await runWith(["show", "t1", "--json"], { get: async () => task });
  expect(JSON.parse(ran.out)).toEqual(task);
});

test("show finds a run when no task has the id", async () => {
  const client = {
    get: () => Promise.reject(new AppError("task-not-found", { id: "r1" })),
    getRun: async () => run,
  };
  const ran = await runWith(["show", "r1"], client);
  expect(ran.exit).toBe(0);
  expect(ran.out).toContain("cls_all");
});

test("completions know every command and its options", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { out } = await runWith(["completions", shell], null);
    for (const word of ["escalate", "rotate", "run", "phase"]) expect(out).toContain(word);
  }
});
