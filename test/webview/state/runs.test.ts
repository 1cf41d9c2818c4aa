import { expect, test } from "vitest";
import type { RunView } from "../../../shared/control.ts";
import { SECOND } from "../../../shared/time.ts";
import {
  currentPhase,
  edgeLook,
  edgesOf,
  neighbourOf,
  shareOf,
  usualOf,
} from "../../../webview/state/runs.ts";

type Phase = RunView["phases"][number];
const T0 = Date.parse("2026-05-01T18:00:00.000Z");

function phase(name: string, status: Phase["status"], ms: number | null = null): Phase {
  return {
    phase: name,
    taskId: null,
    status,
    result: null,
    error: null,
    startedAt: ms === null ? null : new Date(T0).toISOString(),
    endedAt: ms === null ? null : new Date(T0 + ms).toISOString(),
  };
}

function run(id: string, phases: Phase[], pipeline = "cls_all"): RunView {
  return {
    id,
    pipeline,
    status: "running",
    phases,
    params: {},
    by: "ana",
    priority: 5,
    warnings: 0,
    createdAt: new Date(T0).toISOString(),
    endedAt: null,
  };
}

test("the usual duration is the median of the last completed ones of the same pipeline", () => {
  const mine = run("r9", [phase("sync", "running")]);
  const others = [
    mine,
    run("r8", [phase("sync", "completed", 10 * SECOND)]),
    run("x", [phase("sync", "completed", SECOND)], "other"),
    run("r7", [phase("sync", "dead", SECOND)]),
    run("r6", [phase("sync", "completed", 90 * SECOND)]),
    run("r5", [phase("sync", "completed", 20 * SECOND)]),
  ];
  expect(usualOf(mine, others).get("sync")).toEqual({ medianMs: 20 * SECOND, runs: 3 });
});

test("only the last five runs count, and without any nothing is usual", () => {
  const mine = run("r", [phase("sync", "running")]);
  const many = [1, 2, 3, 4, 5, 600, 700].map((s) =>
    run(`r${s}`, [phase("sync", "completed", s * SECOND)]),
  );
  expect(usualOf(mine, many).get("sync")).toEqual({ medianMs: 3 * SECOND, runs: 5 });
  expect(usualOf(mine, []).size).toBe(0);
});

test("a follower looks at what runs, else at what went wrong, else at the last that is done", () => {
  const of = (...states: Phase["status"][]) =>
    currentPhase(
      run(
        "r",
        states.map((status, n) => phase(`p${n}`, status)),
      ),
    );
  expect(of("completed", "running", "pending")).toBe("p1");
  expect(of("completed", "retrying", "pending")).toBe("p1");
  expect(of("completed", "dead", "pending")).toBe("p1");
  expect(of("completed", "completed")).toBe("p1");
  expect(of("pending", "pending")).toBe("p0");
  expect(of()).toBeNull();
});

test("an edge is passed, open, or blocked by what is before it", () => {
  expect(edgeLook(phase("a", "completed"))).toBe("done");
  expect(edgeLook(phase("a", "running"))).toBe("waiting");
  expect(edgeLook(phase("a", "dead"))).toBe("blocked");
  expect(edgeLook(phase("a", "cancelled"))).toBe("blocked");
});

test("arrow keys follow the edges in the direction of the graph", () => {
  const edges = edgesOf(
    run(
      "r",
      ["a", "b", "c"].map((name) => phase(name, "pending")),
    ),
  );
  expect(neighbourOf("b", "ArrowRight", edges, "right")).toBe("c");
  expect(neighbourOf("b", "ArrowLeft", edges, "right")).toBe("a");
  expect(neighbourOf("b", "ArrowDown", edges, "right")).toBeNull();
  expect(neighbourOf("b", "ArrowDown", edges, "down")).toBe("c");
  expect(neighbourOf("c", "ArrowRight", edges, "right")).toBeNull();
});

test("a share is known only when the task said how much there is", () => {
  expect(shareOf({ done: 61, total: 100 })).toBe(0.61);
  expect(shareOf({ done: 300, total: 100 })).toBe(1);
  expect(shareOf({ done: 61, total: null })).toBeNull();
  expect(shareOf({ done: 61, total: 0 })).toBeNull();
  expect(shareOf(null)).toBeNull();
});
