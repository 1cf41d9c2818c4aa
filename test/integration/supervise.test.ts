import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../daemon/clock.ts";
import { isProcessAlive } from "../../daemon/lifecycle/process-alive.ts";
import {
  type ChildState,
  restartPolicy,
  type SupervisedChildDeps,
  superviseChild,
} from "../../daemon/lifecycle/supervise.ts";
import { noLog } from "../../daemon/log.ts";
import { until } from "../support/until.ts";

const RULES = {
  firstDelayMs: 10,
  maxDelayMs: 10,
  factor: 1,
  jitter: 0,
  maxRestarts: 2,
  windowMs: 60_000,
};

async function supervised(script: string, more: Partial<SupervisedChildDeps> = {}) {
  const states: ChildState["kind"][] = [];
  const child = await superviseChild({
    name: "test",
    spawn: () => spawn("/bin/sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] }),
    ready: async (process) => void (await once(process.stdout!, "data")),
    policy: restartPolicy(RULES),
    clock: systemClock,
    log: noLog,
    onState: ({ kind }) => states.push(kind),
    ...more,
  });
  onTestFinished(() => child.stop(0));
  return { child, states, pid: () => (child.state() as { pid?: number }).pid! };
}

const LASTING = "echo ready; exec sleep 60";

test("it is running when it says so, and gone after the stop", async () => {
  const { child, states, pid } = await supervised(LASTING);
  const running = pid();
  expect(isProcessAlive(running)).toBe(true);
  await child.stop(1000);
  expect(isProcessAlive(running)).toBe(false);
  expect(states).toEqual(["starting", "starting", "running", "stopped"]);
});

test("a process that ends unexpectedly is started again until the policy gives up", async () => {
  const { child, pid } = await supervised(LASTING);
  for (const restarts of [0, 1, 2]) {
    await until(
      () => child.state(),
      (state) => state.kind === "running" && state.restarts === restarts,
    );
    process.kill(pid(), "SIGKILL");
  }
  const state = await until(
    () => child.state(),
    ({ kind }) => kind === "given-up",
  );
  expect(state).toEqual({ kind: "given-up", why: "SIGKILL", restarts: 2 });
});

test("a first start that fails is thrown and not repeated", async () => {
  let spawned = 0;
  const failing = supervised("exit 3", {
    spawn: () => {
      spawned += 1;
      return spawn("/bin/sh", ["-c", "exit 3"], { stdio: ["ignore", "pipe", "ignore"] });
    },
    ready: () => new Promise(() => {}),
  });
  await expect(failing).rejects.toThrow("exit code 3");
  expect(spawned).toBe(1);
});

test("a first start that fails is repeated when that is wanted", async () => {
  let starts = 0;
  const { child } = await supervised(LASTING, {
    firstFailure: "restart",
    ready: () => (starts++ === 0 ? Promise.reject(new Error("not yet")) : Promise.resolve()),
  });
  await until(() => child.state().kind === "running");
  expect(child.state()).toMatchObject({ restarts: 1 });
});

test("a program that does not exist is thrown at the first start", async () => {
  const missing = supervised("", {
    spawn: () => spawn("/no/such/program"),
    ready: () => new Promise(() => {}),
  });
  await expect(missing).rejects.toThrow("ENOENT");
});

test("one that is alive but refuses to become ready is ended", async () => {
  let pid = 0;
  const refusing = supervised("", {
    spawn: () => {
      const child = spawn("sleep", ["60"]);
      pid = child.pid!;
      return child;
    },
    ready: async () => Promise.reject(new Error("not the one I know")),
  });
  await expect(refusing).rejects.toThrow("not the one I know");
  expect(isProcessAlive(pid)).toBe(false);
});

test("one that ignores SIGTERM is killed when its grace is over", async () => {
  const { child, pid } = await supervised("trap '' TERM; echo ready; while :; do sleep 1; done");
  const stubborn = pid();
  await child.stop(50);
  expect(isProcessAlive(stubborn)).toBe(false);
});

test("a stop while it waits for its restart starts nothing more", async () => {
  const slow = restartPolicy({ ...RULES, firstDelayMs: 60_000, maxDelayMs: 60_000 });
  const { child, states, pid } = await supervised(LASTING, { policy: slow });
  process.kill(pid(), "SIGKILL");
  await until(() => child.state().kind === "backoff");
  await child.stop(1000);
  expect(states.slice(-2)).toEqual(["backoff", "stopped"]);
});

test("a stop in the middle of a restart ends what was spawned", async () => {
  let lives = 0;
  const pids: number[] = [];
  const { child, states } = await supervised(LASTING, {
    spawn: () => {
      const process = spawn("sleep", ["60"]);
      pids.push(process.pid!);
      return process;
    },
    ready: () => (lives++ === 0 ? Promise.resolve() : new Promise(() => {})),
  });
  process.kill(pids[0]!, "SIGKILL");
  await until(() => pids.length === 2);
  await child.stop(1000);
  expect(pids.map(isProcessAlive)).toEqual([false, false]);
  expect(states.at(-1)).toBe("stopped");
});
