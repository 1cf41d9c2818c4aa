import fc from "fast-check";
import { expect, test } from "vitest";
import {
  DEFAULT_RESTART_RULES,
  POOL_RESTART_RULES,
  type RestartPolicy,
  restartPolicy,
} from "../../../../daemon/lifecycle/restart-policy.ts";

const RULES = {
  firstDelayMs: 100,
  maxDelayMs: 1000,
  factor: 2,
  jitter: 0,
  maxRestarts: 5,
  windowMs: 10_000,
};

/** The delays of failures at these instants, ending with "give-up" when it comes to that. */
function decisions(policy: RestartPolicy, atMs: readonly number[]): (number | "give-up")[] {
  const [now, ...rest] = atMs;
  if (now === undefined) return [];
  const decision = policy.next(now, 0.5);
  if (decision.kind === "give-up") return ["give-up"];
  return [decision.delayMs, ...decisions(decision.policy, rest)];
}

test("the delay doubles from failure to failure up to its limit", () => {
  expect(decisions(restartPolicy(RULES), [0, 1, 2, 3, 4])).toEqual([100, 200, 400, 800, 1000]);
});

test("one failure more than the window allows gives up", () => {
  expect(decisions(restartPolicy(RULES), [0, 1, 2, 3, 4, 5]).at(-1)).toBe("give-up");
});

test("a calm window makes the next restart quick again", () => {
  expect(decisions(restartPolicy(RULES), [0, 1, 2, 20_000])).toEqual([100, 200, 400, 100]);
});

test("asking twice gives the same answer, for a policy is a value", () => {
  const policy = restartPolicy(RULES);
  expect(decisions(policy, [0, 1])).toEqual(decisions(policy, [0, 1]));
});

test("chance moves a delay by at most the jitter", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (random) => {
      const decision = restartPolicy({ ...RULES, jitter: 0.2 }).next(0, random);
      return decision.kind === "restart" && decision.delayMs >= 80 && decision.delayMs <= 120;
    }),
  );
});

test("the default gives up within its window and not before ten restarts", () => {
  const failures = Array.from({ length: 11 }, (_, n) => n * 1000);
  const answers = decisions(restartPolicy(DEFAULT_RESTART_RULES), failures);
  expect(answers.indexOf("give-up")).toBe(10);
});

test("a pool of workers is never given up, however often a task ends its process", () => {
  const failures = Array.from({ length: 200 }, (_, n) => n * 100);
  const answers = decisions(restartPolicy(POOL_RESTART_RULES), failures);
  expect(answers).not.toContain("give-up");
  expect(Math.max(...answers.map(Number))).toBe(POOL_RESTART_RULES.maxDelayMs);
});
