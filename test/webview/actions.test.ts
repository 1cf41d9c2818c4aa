import { describe, expect, test } from "vitest";
import type { Role } from "../../shared/roles.ts";
import {
  type ActTarget,
  questionOf,
  reportOf,
  TASK_ACTS,
  type TaskActId,
  whyNot,
} from "../../webview/actions.ts";

const WAITING: ActTarget = { status: "waiting", priority: 5, by: "grace" };
const as = (role: Role | null, isConnected = true) => ({ role, user: "ada", isConnected });
const can = (id: TaskActId, role: Role, target = WAITING): boolean =>
  whyNot(TASK_ACTS[id], target, as(role)) === null;

describe("who may do what", () => {
  test.each([
    ["prioritize", "Operator"],
    ["urgent", "Manager"],
    ["critical", "Admin"],
  ] as const)("%s needs at least the role %s", (id, least) => {
    const roles = ["Viewer", "Operator", "Manager", "Admin"] as const;
    expect(roles.filter((role) => can(id, role))).toEqual(roles.slice(roles.indexOf(least)));
  });

  test("the refusal names the role that is needed and one's own", () => {
    expect(whyNot(TASK_ACTS.critical, WAITING, as("Operator"))).toBe(
      "Needs the role Admin. You are Operator.",
    );
  });

  test("an Operator cancels tasks of their own, a Manager those of others too", () => {
    expect(can("cancel", "Operator")).toBe(false);
    expect(can("cancel", "Operator", { ...WAITING, by: "ada" })).toBe(true);
    expect(can("cancel", "Manager")).toBe(true);
  });

  test("nothing is done without a connection or a sign-in", () => {
    expect(whyNot(TASK_ACTS.retry, WAITING, as("Admin", false))).not.toBeNull();
    expect(whyNot(TASK_ACTS.prioritize, WAITING, as(null))).not.toBeNull();
  });
});

describe("what fits the state of a task", () => {
  test("a running task is cancelled and not escalated, a dead one is redriven", () => {
    const acts = (status: ActTarget["status"]): string[] =>
      (Object.keys(TASK_ACTS) as TaskActId[]).filter((id) =>
        can(id, "Admin", { ...WAITING, status }),
      );
    expect(acts("running")).toEqual(["cancel"]);
    expect(acts("dead")).toEqual(["retry", "redrive"]);
    expect(acts("completed")).toEqual([]);
  });

  test("a task that has the level already is not raised to it", () => {
    expect(can("urgent", "Admin", { ...WAITING, priority: 9 })).toBe(false);
  });
});

describe("words of an act", () => {
  const order = { act: "urgent", tasks: { ids: ["a", "b"] }, count: 2 } as const;
  const bulk = { matched: 2, applied: 2, refused: [], refusedCount: 0, dryRun: false };

  test("the question tells the count and the level", () => {
    expect(questionOf(order)).toBe("Move 2 tasks to level 9 Urgent?");
    expect(questionOf({ ...order, act: "cancel", count: 1 })).toBe("Cancel 1 task?");
  });

  test("the report tells what was done and what was refused, with the first reason", () => {
    const error = { code: "task-not-waiting", message: "It runs already.", hint: "" } as const;
    const partly = { ...bulk, applied: 1, refusedCount: 1, refused: [{ id: "b", error }] };
    expect(reportOf(order, bulk)).toBe("2 tasks moved to level 9 Urgent.");
    expect(reportOf(order, partly)).toBe(
      "1 task moved to level 9 Urgent. 1 refused: It runs already.",
    );
    expect(reportOf(order, { ...partly, applied: 0 })).toBe("1 refused: It runs already.");
  });
});
