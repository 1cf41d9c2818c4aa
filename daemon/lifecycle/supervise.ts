import type { ChildProcess } from "node:child_process";
import { AppError, describe } from "../../shared/errors.ts";
import type { Clock } from "../../shared/time.ts";
import type { Log } from "../log.ts";
import { type RestartPolicy, restartPolicy } from "./restart-policy.ts";

export { type RestartPolicy, restartPolicy } from "./restart-policy.ts";

/** Where a supervised process stands. `restarts` counts all since the start. */
export type ChildState =
  | { readonly kind: "starting"; readonly pid: number | null; readonly restarts: number }
  | { readonly kind: "running"; readonly pid: number; readonly restarts: number }
  | {
      readonly kind: "backoff";
      readonly delayMs: number;
      readonly why: string;
      readonly restarts: number;
    }
  | { readonly kind: "given-up"; readonly why: string; readonly restarts: number }
  | { readonly kind: "stopped" };

/** A process that is started again when it ends unexpectedly. */
export interface SupervisedChild {
  state(): ChildState;
  /** Ends it: SIGTERM, after `graceMs` SIGKILL. Resolves when it is gone; no restart follows. */
  stop(graceMs: number): Promise<void>;
  /** Ends it as `stop` does; it is started again as after any other end. Does nothing while it is not running. */
  restart(graceMs: number): Promise<void>;
}

/** How to start, know and restart a process. */
export interface SupervisedChildDeps {
  readonly name: string;
  /** Must be called on the main thread: a parent-death signal follows the thread that spawned. */
  readonly spawn: () => ChildProcess | Promise<ChildProcess>;
  /** Resolves when the process does its work; rejects when it never will. `signal` aborts when it ended. */
  readonly ready: (child: ChildProcess, signal: AbortSignal) => Promise<void>;
  readonly policy?: RestartPolicy;
  /** What a failure of the very first start is: thrown (the default), or one more reason for a restart. */
  readonly firstFailure?: "throw" | "restart";
  readonly clock: Clock;
  readonly log: Log;
  readonly random?: () => number;
  readonly onState?: (state: ChildState) => void;
  /** Grace of a process that runs but does not become ready. */
  readonly killGraceMs?: number;
}

/** One life of the process, from spawn to exit. */
interface Life {
  readonly child: ChildProcess;
  readonly ended: Promise<string>;
}

/**
 * Starts the process and resolves when it is ready, or when the first start failed and is to be repeated. A failure of
 * the first start is thrown otherwise, because somebody waits for it. From then on the policy decides.
 */
export async function superviseChild(deps: SupervisedChildDeps): Promise<SupervisedChild> {
  const { log, clock, random = Math.random, killGraceMs = 2000 } = deps;
  let policy = deps.policy ?? restartPolicy();
  let state: ChildState = { kind: "starting", pid: null, restarts: 0 };
  let life: Life | null = null;
  let restarts = 0;
  let stopping: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let beginning: Promise<void> = Promise.resolve();

  const become = (next: ChildState): void => {
    state = next;
    deps.onState?.(next);
  };

  const begin = async (): Promise<void> => {
    become({ kind: "starting", pid: null, restarts });
    const begun = beginLife(await deps.spawn());
    const { child, ended } = begun;
    life = begun;
    try {
      if (stopping !== null) throw new AppError("internal", { what: "stopped while starting" });
      if (child.pid !== undefined) become({ kind: "starting", pid: child.pid, restarts });
      await whileAlive(begun, (signal) => deps.ready(child, signal));
    } catch (error) {
      await end(begun, killGraceMs);
      throw error;
    }
    if (stopping !== null) return;
    become({ kind: "running", pid: child.pid!, restarts });
    log.info("process running", { process: deps.name, pid: child.pid, restarts });
    void ended.then((why) => after(why));
  };

  const after = (why: string): void => {
    if (stopping !== null) return;
    const decision = policy.next(clock.monotonic(), random());
    if (decision.kind === "give-up") {
      log.error("process given up", { process: deps.name, why, ...decision });
      become({ kind: "given-up", why, restarts });
      return;
    }
    policy = decision.policy;
    log.warn("process ended unexpectedly", { process: deps.name, why, delayMs: decision.delayMs });
    become({ kind: "backoff", why, delayMs: decision.delayMs, restarts });
    timer = setTimeout(() => {
      restarts += 1;
      beginning = begin().catch((error: unknown) => after(describe(error)));
    }, decision.delayMs);
  };

  await begin().catch((error: unknown) => {
    if (deps.firstFailure !== "restart") throw error;
    after(describe(error));
  });
  return {
    state: () => state,
    stop(graceMs) {
      stopping ??= (async () => {
        clearTimeout(timer);
        if (life !== null) await end(life, graceMs);
        // A start in flight sees that it is not wanted any more and ends what it spawned.
        await beginning;
        become({ kind: "stopped" });
      })();
      return stopping;
    },
    async restart(graceMs) {
      if (life !== null && state.kind === "running") await end(life, graceMs);
    },
  };
}

function beginLife(child: ChildProcess): Life {
  const ended = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code ?? "unknown"}`));
    // A program that cannot be started has no exit.
    child.once("error", (error) => {
      if (child.pid === undefined) resolve(describe(error));
    });
  });
  return { child, ended };
}

/** Waits for `work`, and not longer than the process lives. */
async function whileAlive(life: Life, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const abort = new AbortController();
  const died = life.ended.then((why) => {
    throw new AppError("internal", { what: `it ended before it was ready (${why})` });
  });
  try {
    await Promise.race([work(abort.signal), died]);
  } finally {
    abort.abort();
    // Ignored: the process may end at any later time, which `ended` tells whoever cares.
    died.catch(() => {});
  }
}

/** SIGTERM, after `graceMs` SIGKILL; resolves when the process is gone. */
async function end({ child, ended }: Life, graceMs: number): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  await ended;
  clearTimeout(timer);
}
