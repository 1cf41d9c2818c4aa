import type { TaskHooks } from "../define.ts";
import { average } from "../queue/window.ts";
import { createLevelBuffer, type LevelBuffer } from "./buffer.ts";
import { type Claims, EXPRESS_LEVEL } from "./claims.ts";
import { type ContextDeps, createContext, type Execution, type StopCause } from "./execution.ts";
import type { Ending } from "./finish.ts";
import type { HoldTable } from "./hold-table.ts";
import type { Outcomes } from "./outcomes.ts";
import { isPromise, runHandler } from "./run-handler.ts";
import { createStop } from "./stop.ts";

/** What slots need from the worker around them. */
export interface SlotTerms extends ContextDeps {
  readonly slots: number;
  /** On top, for levels 8–10. */
  readonly expressSlots: number;
  /** How long a handler may go on after its signal was aborted before its slot is taken back. */
  readonly stopGraceMs: number;
  readonly hooks: readonly TaskHooks[];
  readonly holds: HoldTable;
  readonly now: () => number;
  onRunning(count: number): void;
  /** This worker had lost the task: its outcome was discarded. */
  stale(execution: Execution, outcome: string): void;
  log(event: string, data: Record<string, unknown>): void;
}

export interface SlotsDeps extends SlotTerms {
  readonly claims: Claims;
  readonly outcomes: Outcomes;
  /** The task waited for its slot for so long that it must be claimed before it may run. */
  overdue(execution: Execution): void;
  /** A handler ended by itself. */
  freed(): void;
  /** There is room again: whoever fills it should look. */
  roomAgain(): void;
}

/** Room for running handlers. The highest level goes first. */
export interface Slots {
  /** Handlers that hold a slot. */
  readonly active: number;
  /** Handlers going on without a slot. */
  readonly stuck: number;
  /** Tasks that may run and have no slot yet. */
  readonly ready: LevelBuffer<{ readonly execution: Execution; readonly input: unknown }>;
  /** Moving average of a handler's duration, milliseconds; null before the first. */
  readonly handlerMs: number | null;
  /** No slot has become free for `heldMs`: handlers are at least that slow now. */
  slowed(heldMs: number): void;
  /** Starts what is ready, as far as there are slots. */
  fill(): void;
  stop(execution: Execution, cause: StopCause): void;
  /** Takes the slot of a handler that does not end and gives its task back. */
  evict(execution: Execution): void;
}

export function createSlots(deps: SlotsDeps): Slots {
  const { claims, outcomes } = deps;
  const ready = createLevelBuffer<{ execution: Execution; input: unknown }>();
  let active = 0;
  let stuck = 0;
  let handlerMs: number | null = null;

  const fill = (): void => {
    for (;;) {
      const least = active < deps.slots ? 0 : EXPRESS_LEVEL;
      if (active >= deps.slots + deps.expressSlots) return;
      const next = ready.shift(least);
      if (next === undefined) return;
      start(next.execution, next.input);
    }
  };

  const start = (execution: Execution, input: unknown): void => {
    if (execution.state === "ended") return;
    if (claims.isOverdue(execution)) {
      deps.overdue(execution);
      return;
    }
    active++;
    deps.onRunning(active);
    execution.state = "running";
    execution.startedAt = deps.now();
    execution.hold = deps.holds.put(execution.message.ack);
    const began = performance.now();
    const { timeoutMs } = execution.definition;
    if (timeoutMs !== null) {
      execution.timer = setTimeout(
        () => stop(execution, { kind: "timeout", timeoutMs }),
        timeoutMs,
      );
    }
    let outcome: unknown;
    try {
      outcome = runHandler(deps.hooks, execution, input, createContext(execution, deps));
    } catch (error) {
      end(execution, { kind: "threw", error }, began);
      return;
    }
    if (isPromise(outcome)) {
      if (execution.claimSeq === 0) claims.watch(execution);
      outcome.then(
        (result) => end(execution, { kind: "returned", result }, began),
        (error: unknown) => end(execution, { kind: "threw", error }, began),
      );
    } else {
      end(execution, { kind: "returned", result: outcome }, began);
    }
  };

  const release = (execution: Execution): void => {
    deps.onRunning(--active);
    deps.holds.take(execution.hold);
  };

  /** The handler is done, or its time is up: the slot is free and the outcome is on its way. */
  const end = (execution: Execution, ending: Ending, began: number): void => {
    if (execution.state === "ended") {
      stuck--;
      deps.stale(execution, ending.kind);
      return;
    }
    execution.state = "ended";
    if (execution.timer !== null) clearTimeout(execution.timer);
    release(execution);
    deps.freed();
    const tookMs = performance.now() - began;
    handlerMs = average(handlerMs, tookMs);
    claims.ended(execution, tookMs);
    if (claims.isOverdue(execution)) outcomes.discard(execution, ending);
    else outcomes.send(execution, ending);
    deps.roomAgain();
  };

  const stop = createStop({
    stopGraceMs: deps.stopGraceMs,
    conclude: (execution, error) => outcomes.send(execution, { kind: "threw", error }),
    abandoned(execution, cause) {
      stuck++;
      release(execution);
      const { id, name } = execution.message;
      deps.log("handler_stuck", { taskId: id, name, cause: cause.kind });
      deps.roomAgain();
    },
  });

  return {
    ready,
    get active() {
      return active;
    },
    get stuck() {
      return stuck;
    },
    get handlerMs() {
      return handlerMs;
    },
    slowed(heldMs) {
      handlerMs = Math.max(handlerMs ?? 0, heldMs);
    },
    fill,
    stop,
    evict(execution) {
      release(execution);
      outcomes.giveBack(execution);
    },
  };
}
