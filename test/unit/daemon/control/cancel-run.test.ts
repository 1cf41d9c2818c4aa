import { expect, test } from "vitest";
import { cancelRun } from "../../../../daemon/control/cancel-run.ts";
import type { RunView } from "../../../../shared/control.ts";
import { AppError } from "../../../../shared/errors.ts";

type Stand = "completed" | "running" | "pending" | "cancelled";

/** A run with these phases, each with a task unless it is pending. */
function aRun(status: RunView["status"], ...stands: readonly Stand[]): RunView {
  const phases = stands.map((stand, n) => ({
    phase: `p${n}`,
    taskId: stand === "pending" ? null : `t${n}`,
    status: stand,
    result: null,
    error: null,
    startedAt: null,
    endedAt: null,
  }));
  const rest = { params: {}, by: "ann", priority: 5, warnings: 0, createdAt: "", endedAt: null };
  return { id: "r", pipeline: "p", status, phases, ...rest };
}

function ended(id: string): AppError {
  const needs = "a task that has not ended";
  return new AppError("task-not-in-state", { id, status: "completed", act: "cancel", needs });
}

/** Answers the views one after the other, the last one for ever. */
function inTurn(...views: readonly RunView[]): () => RunView {
  let at = 0;
  return () => views[Math.min(at++, views.length - 1)]!;
}

test("the task of the running phase is cancelled", async () => {
  const cancelled: string[] = [];
  const outcome = await cancelRun({
    look: inTurn(aRun("running", "completed", "running", "pending")),
    cancelTask: async (id) => void cancelled.push(id),
  });
  expect(cancelled).toEqual(["t1"]);
  expect(outcome).toMatchObject({ matched: 1, applied: 1 });
});

test("between two phases the next one is waited for and cancelled", async () => {
  const cancelled: string[] = [];
  const between = aRun("running", "completed", "pending");
  await cancelRun({
    look: inTurn(between, between, aRun("running", "completed", "running")),
    cancelTask: async (id) => void cancelled.push(id),
  });
  expect(cancelled).toEqual(["t1"]);
});

test("a phase that ends at this very moment leaves the next one to be cancelled", async () => {
  const asked: string[] = [];
  const outcome = await cancelRun({
    look: inTurn(
      aRun("running", "running", "pending"),
      aRun("running", "completed", "pending"),
      aRun("running", "completed", "running"),
    ),
    async cancelTask(id) {
      asked.push(id);
      if (id === "t0") throw ended(id);
    },
  });
  expect(asked).toEqual(["t0", "t1"]);
  expect(outcome.applied).toBe(1);
});

test("a run that has ended is left alone", async () => {
  const outcome = await cancelRun({
    look: inTurn(aRun("completed", "completed", "completed")),
    cancelTask: async (id) => Promise.reject(ended(id)),
  });
  expect(outcome).toMatchObject({ matched: 0, applied: 0 });
});

test("any other refusal is passed on", async () => {
  const refusal = new AppError("task-not-found", { id: "t0" });
  await expect(
    cancelRun({
      look: inTurn(aRun("running", "running")),
      cancelTask: async () => Promise.reject(refusal),
    }),
  ).rejects.toBe(refusal);
});
