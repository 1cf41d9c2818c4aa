import { describe } from "../../shared/errors.ts";
import type { Clock } from "../../shared/time.ts";
import type { Log } from "../log.ts";

/** Something that lives as long as the daemon and is stopped once. `stop` may be called while it still works. */
export interface Service {
  readonly name: string;
  stop(reason: string): Promise<void>;
}

/** How one service took its end. */
export interface StopOutcome {
  readonly name: string;
  /** `overran`: its budget was over and the next one was stopped without waiting for it. */
  readonly end: "stopped" | "overran" | "failed";
  readonly durationMs: number;
  readonly error?: unknown;
}

/** Where the stack as a whole stands. */
export type StackState =
  | { readonly kind: "idle" }
  | { readonly kind: "starting"; readonly service: string | null }
  | { readonly kind: "running" }
  | { readonly kind: "stopping"; readonly service: string | null; readonly reason: string }
  | { readonly kind: "stopped"; readonly outcomes: readonly StopOutcome[] };

/** Starts one service and puts it on the stack, with the time that its stop may take. */
export type Add = <S extends Pick<Service, "stop">>(
  name: string,
  stopBudgetMs: number,
  start: () => S | Promise<S>,
) => Promise<S>;

/** Services in the order of their start; they are stopped in the reverse order. */
export interface ServiceStack {
  state(): StackState;
  /**
   * Runs `body`, which adds the services one after the other. A second call gets the same promise. When one fails,
   * those that were started are stopped and the failure is thrown.
   */
  start(body: (add: Add) => Promise<void>): Promise<void>;
  /** Stops everything, also in the middle of a start: then that service's start is waited for, and no other begins. */
  stop(reason: string): Promise<readonly StopOutcome[]>;
}

/** Thrown inside `start` when `stop` was called meanwhile. */
export class StoppedWhileStarting extends Error {
  constructor(reason: string) {
    super(`stopped while starting: ${reason}`);
    this.name = "StoppedWhileStarting";
  }
}

interface Entry {
  readonly name: string;
  readonly stopBudgetMs: number;
  readonly service: Pick<Service, "stop">;
}

/** An empty stack. */
export function createServiceStack(deps: {
  readonly log: Log;
  readonly clock: Clock;
}): ServiceStack {
  const { log, clock } = deps;
  const entries: Entry[] = [];
  let state: StackState = { kind: "idle" };
  let starting: Promise<void> | null = null;
  let stopping: Promise<readonly StopOutcome[]> | null = null;
  let stopReason: string | null = null;

  const add: Add = async (name, stopBudgetMs, start) => {
    if (stopReason !== null) throw new StoppedWhileStarting(stopReason);
    state = { kind: "starting", service: name };
    const beganMs = clock.monotonic();
    const service = await start();
    entries.push({ name, stopBudgetMs, service });
    log.info("service started", { service: name, durationMs: since(clock, beganMs) });
    return service;
  };

  const unwind = async (reason: string): Promise<readonly StopOutcome[]> => {
    const outcomes: StopOutcome[] = [];
    for (let entry = entries.pop(); entry !== undefined; entry = entries.pop()) {
      state = { kind: "stopping", service: entry.name, reason };
      const outcome = await stopOne(entry, reason, clock);
      outcomes.push(outcome);
      const { error, ...facts } = outcome;
      if (outcome.end === "stopped") log.info("service stopped", facts);
      else log.error("service not stopped in order", { ...facts, why: describe(error) });
    }
    state = { kind: "stopped", outcomes };
    return outcomes;
  };

  const runStart = async (body: (add: Add) => Promise<void>): Promise<void> => {
    try {
      await body(add);
      if (stopReason !== null) throw new StoppedWhileStarting(stopReason);
      state = { kind: "running" };
    } catch (error) {
      // A stop in flight waits for this and unwinds by itself.
      if (stopReason === null) {
        stopReason = `start failed: ${describe(error)}`;
        stopping = unwind(stopReason);
        await stopping;
      }
      throw error;
    }
  };

  const runStop = async (reason: string): Promise<readonly StopOutcome[]> => {
    state = { kind: "stopping", service: null, reason };
    // Ignored: who called `start` gets its failure; here only its end matters.
    await starting?.catch(() => {});
    return unwind(reason);
  };

  return {
    state: () => state,
    start(body) {
      if (stopReason !== null) return Promise.reject(new StoppedWhileStarting(stopReason));
      starting ??= runStart(body);
      return starting;
    },
    stop(reason) {
      stopReason ??= reason;
      stopping ??= runStop(reason);
      return stopping;
    },
  };
}

async function stopOne(entry: Entry, reason: string, clock: Clock): Promise<StopOutcome> {
  const { name, stopBudgetMs, service } = entry;
  const beganMs = clock.monotonic();
  let timer: NodeJS.Timeout | undefined;
  const overrun = new Promise<"overran">((resolve) => {
    timer = setTimeout(() => resolve("overran"), stopBudgetMs);
  });
  try {
    const stopped = service.stop(reason).then(() => "stopped" as const);
    const end = await Promise.race([stopped, overrun]);
    const durationMs = since(clock, beganMs);
    if (end === "stopped") return { name, end, durationMs };
    // Ignored: it was reported as overrun; what it says later changes nothing.
    stopped.catch(() => {});
    return { name, end, durationMs, error: `not stopped within ${stopBudgetMs} ms` };
  } catch (error) {
    return { name, end: "failed", durationMs: since(clock, beganMs), error };
  } finally {
    clearTimeout(timer);
  }
}

function since(clock: Clock, beganMs: number): number {
  return Math.round(clock.monotonic() - beganMs);
}
