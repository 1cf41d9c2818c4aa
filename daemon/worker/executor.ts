import type { TaskHooks } from "../define.ts";
import type { TaskMessage } from "../queue/task-message.ts";
import { average, planAhead } from "../queue/window.ts";
import { createLevelBuffer } from "./buffer.ts";
import { type ClaimsDeps, createClaims, EXPRESS_LEVEL } from "./claims.ts";
import { drainRunning } from "./drain.ts";
import { type ContextDeps, createContext, type Execution, type StopCause } from "./execution.ts";
import {
  completedText,
  type Ending,
  type FinishDeps,
  finish,
  handBack,
  yieldMessage,
} from "./finish.ts";
import type { HoldTable } from "./hold-table.ts";
import { watchPatience } from "./patience.ts";
import { isPromise, runHandler } from "./run-handler.ts";
import { createStop } from "./stop.ts";

type ClaimParts = Pick<ClaimsDeps, "definition" | "incomplete" | "terminal" | "knownElsewhere">;

export interface ExecutorDeps extends Omit<FinishDeps, "leave">, ContextDeps, ClaimParts {
  readonly slots: number;
  readonly expressSlots: number;
  readonly journalRetentionMs: number;
  readonly ackWaitMs: number;
  /** How long a handler may go on after its signal was aborted before its slot is taken back. */
  readonly stopGraceMs: number;
  readonly hooks: readonly TaskHooks[];
  nak(message: TaskMessage, delayMs: number | null): void;
  working(message: TaskMessage): void;
  /** Capacity grew. */
  onFree(): void;
  onRunning(count: number): void;
  readonly holds: HoldTable;
}

export interface Executor {
  /** How many more messages of this level are wanted now. */
  capacity(level: number): number;
  accept(message: TaskMessage): void;
  /** Asks a task that runs here to stop; false when it does not run here. */
  cancel(taskId: string, cause: StopCause): boolean;
  /**
   * Somebody wants to change a task that has no journal record. If it runs here unclaimed, it is claimed first; if it comes
   * here later, it will be claimed before it runs.
   */
  yieldTask(taskId: string): Promise<boolean>;
  /** Stops taking, waits for what runs, gives the rest back. */
  drain(limitMs: number): Promise<void>;
  readonly running: number;
  /** Handlers going on without a slot. */
  readonly stuck: number;
}

/** Finishes on their way; more would only fill memory. */
const MAX_FINISHING = 2000;

/**
 * Runs tasks: takes messages in hand, has them claimed, gives them slots, and sends their outcomes on their way. Slots are
 * held by handlers only: claims for short handlers are on their way while the slots are still busy, and finishing needs
 * none. The highest level in hand always goes first.
 */
export function createExecutor(deps: ExecutorDeps): Executor {
  const buffer = createLevelBuffer<TaskMessage>();
  const ready = createLevelBuffer<{ execution: Execution; input: unknown }>();
  const held = new Map<string, TaskMessage>();
  const running = new Map<string, Execution>();
  let active = 0;
  let finishing = 0;
  let stuck = 0;
  let draining = false;
  let handlerMs: number | null = null;

  const ahead = (): number =>
    planAhead({ slots: deps.slots, handlerMs, claimMs: claims.roundTripMs });
  const inHand = (): number => claims.count + ready.size + active;
  /** What stands before a high one: lower ones in hand are overtaken, running ones are not. */
  const highInHand = (level: number): number => active + claims.countHigh + ready.countFrom(level);

  const release = (message: TaskMessage): void => {
    if (held.get(message.id) === message) held.delete(message.id);
  };
  const finishDeps: FinishDeps = {
    ...deps,
    ack(message) {
      release(message);
      deps.ack(message);
    },
    leave: release,
  };
  const later = (message: TaskMessage, delayMs: number | null): void => {
    release(message);
    deps.nak(message, delayMs);
  };

  const extend = setInterval(() => {
    for (const message of held.values()) deps.working(message);
  }, deps.ackWaitMs / 3);
  extend.unref();

  const claims = createClaims({
    finish: finishDeps,
    journalRetentionMs: deps.journalRetentionMs,
    definition: deps.definition,
    incomplete: deps.incomplete,
    terminal: deps.terminal,
    knownElsewhere: deps.knownElsewhere,
    nak: deps.nak,
    isRunning: (taskId) => running.has(taskId),
    replace(message, other) {
      if (held.get(message.id) !== message) return;
      if (other === null) held.delete(message.id);
      else held.set(message.id, other);
    },
    claimed(execution, input) {
      running.set(execution.message.id, execution);
      ready.push(execution.message.level, { execution, input });
    },
    settled: () => pumpSoon(),
  });

  /** Answers come in bursts: one look after each burst. */
  let pumpScheduled = false;
  const pumpSoon = (): void => {
    if (pumpScheduled) return;
    pumpScheduled = true;
    queueMicrotask(() => {
      pumpScheduled = false;
      pump();
    });
  };

  /** Runs what is claimed, claims what is in hand, and says when there is room for more. */
  const pump = (): void => {
    runReady();
    if (!draining && finishing < MAX_FINISHING) {
      const room = deps.slots + ahead();
      while (buffer.size > 0) {
        const normal = inHand() < room;
        if (!normal && highInHand(EXPRESS_LEVEL) >= room + deps.expressSlots) break;
        const message = buffer.shift(normal ? 0 : EXPRESS_LEVEL);
        if (message === undefined) break;
        claims.start(message);
        if (ready.size > 0) runReady();
      }
    }
    deps.onFree();
  };

  const runReady = (): void => {
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
      running.delete(execution.message.id);
      claims.start(execution.message);
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

  /** The handler is done, or its time is up: the slot is free and the outcome is on its way. */
  const end = (execution: Execution, ending: Ending, began: number): void => {
    if (execution.state === "ended") {
      stuck--;
      deps.stale(execution, ending.kind);
      return;
    }
    execution.state = "ended";
    if (execution.timer !== null) clearTimeout(execution.timer);
    deps.onRunning(--active);
    deps.holds.take(execution.hold);
    patience.freed();
    const tookMs = performance.now() - began;
    handlerMs = average(handlerMs, tookMs);
    claims.ended(execution, tookMs);
    if (claims.isOverdue(execution)) {
      deps.stale(execution, ending.kind);
      finishDeps.leave(execution.message);
      finishing++;
      concluded(execution);
      if (!draining) pumpSoon();
      return;
    }
    if (
      ending.kind !== "returned" ||
      execution.stopped !== null ||
      execution.claiming !== null ||
      !finishUsual(execution, ending.result)
    ) {
      conclude(execution, () => finish(finishDeps, execution, ending));
    }
    if (!draining) pumpSoon();
  };

  /** The usual finish, without a promise. False: it is not the usual one. */
  const finishUsual = (execution: Execution, result: unknown): boolean => {
    const text = completedText(execution, deps.workerId, deps.now(), result);
    if (text === null) return false;
    const { message } = execution;
    finishing++;
    deps.journal.submit(message.queue, message.id, text, execution.claimSeq, (outcome) => {
      if (outcome instanceof Error) {
        finishing--;
        conclude(execution, () => finish(finishDeps, execution, { kind: "returned", result }));
        return;
      }
      if (outcome.kind === "lost") {
        deps.stale(execution, "completed");
        yieldMessage(finishDeps, execution);
      } else finishDeps.ack(message);
      concluded(execution);
    });
    return true;
  };

  const concluded = (execution: Execution): void => {
    finishing--;
    if (running.get(execution.message.id) === execution) running.delete(execution.message.id);
    release(execution.message);
    if (finishing === MAX_FINISHING - 1) pump();
  };

  const conclude = (execution: Execution, write: () => Promise<void>): void => {
    finishing++;
    const { claiming: late } = execution;
    (late === null ? write() : late.then(write))
      .catch((error: unknown) =>
        deps.log("finish_failed", { taskId: execution.message.id, error: String(error) }),
      )
      .finally(() => concluded(execution));
  };

  const stop = createStop({
    stopGraceMs: deps.stopGraceMs,
    conclude: (execution, error) =>
      conclude(execution, () => finish(finishDeps, execution, { kind: "threw", error })),
    abandoned(execution, cause) {
      active--;
      stuck++;
      deps.onRunning(active);
      deps.holds.take(execution.hold);
      const { id, name } = execution.message;
      deps.log("handler_stuck", { taskId: id, name, cause: cause.kind });
      pumpSoon();
    },
  });

  const giveBack = (execution: Execution): void => {
    execution.state = "ended";
    conclude(execution, () => handBack(finishDeps, execution));
  };

  /** It has not started: unclaimed it needs no more than its message. */
  const giveBackWaiting = (execution: Execution): void => {
    if (execution.claimSeq !== 0) {
      giveBack(execution);
      return;
    }
    execution.state = "ended";
    running.delete(execution.message.id);
    later(execution.message, null);
  };

  const patience = watchPatience({
    slots: deps.slots,
    busy: () => !draining && active >= deps.slots,
    waiting: () => ready.size + buffer.size,
    isQuick: () => ahead() > 0,
    giveBack(heldMs) {
      // Nothing is taken ahead again until quick handlers have become the rule again.
      handlerMs = Math.max(handlerMs ?? 0, heldMs);
      for (const message of buffer.drain()) later(message, null);
      for (const { execution } of ready.drain()) giveBackWaiting(execution);
    },
  });

  return {
    get running() {
      return active;
    },
    get stuck() {
      return stuck;
    },
    capacity(level) {
      if (draining || finishing >= MAX_FINISHING) return 0;
      const extra = ahead();
      const high = level >= EXPRESS_LEVEL;
      const room = deps.slots + extra + (high ? deps.expressSlots : 0);
      const taken = high ? highInHand(level) : inHand();
      const want = room + extra - taken - buffer.countFrom(level);
      // Small pulls cost as much as large ones: with work in hand, wait until a good part is wanted.
      if (extra >= 32 && want < extra / 2 && inHand() > 0) return 0;
      return Math.max(0, want);
    },
    accept(message) {
      if (draining) {
        deps.nak(message, null);
        return;
      }
      const here = running.get(message.id);
      if (here !== undefined && here.message.generation === message.generation) {
        // Delivered again because this loop was late to extend it: it runs here, and its own message stands for it.
        deps.working(message);
        return;
      }
      held.set(message.id, message);
      buffer.push(message.level, message);
      pump();
    },
    cancel(taskId, cause) {
      const execution = running.get(taskId);
      if (execution === undefined || execution.state === "ended") return false;
      stop(execution, cause);
      return true;
    },
    yieldTask: (taskId) => claims.ask(taskId, running.get(taskId)),
    async drain(limitMs) {
      draining = true;
      patience.stop();
      for (const message of buffer.drain()) later(message, null);
      for (const { execution } of ready.drain()) giveBackWaiting(execution);
      await drainRunning({
        limitMs,
        running,
        idle: () => active === 0 && finishing === 0 && claims.count === 0,
        written: () => finishing === 0,
        giveBack(execution) {
          deps.holds.take(execution.hold);
          active--;
          giveBack(execution);
        },
      });
      clearInterval(extend);
    },
  };
}
