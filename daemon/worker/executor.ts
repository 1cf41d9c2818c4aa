import type { TaskMessage } from "../queue/task-message.ts";
import { planAhead } from "../queue/window.ts";
import { createLevelBuffer } from "./buffer.ts";
import { type ClaimsDeps, createClaims, EXPRESS_LEVEL } from "./claims.ts";
import { drainRunning } from "./drain.ts";
import type { Execution, StopCause } from "./execution.ts";
import { createOutcomes } from "./outcomes.ts";
import { watchPatience } from "./patience.ts";
import { createQuarantine } from "./quarantine.ts";
import type { FinishDeps } from "./settle.ts";
import { createSlots, type SlotTerms } from "./slots.ts";

type ClaimParts = Pick<ClaimsDeps, "definition" | "incomplete" | "terminal" | "knownElsewhere">;

export interface ExecutorDeps extends Omit<FinishDeps, "leave">, SlotTerms, ClaimParts {
  readonly journalRetentionMs: number;
  readonly ackWaitMs: number;
  nak(message: TaskMessage, delayMs: number | null): void;
  working(message: TaskMessage): void;
  /** Capacity grew. */
  onFree(): void;
}

export interface Executor {
  /** How many more messages of this level are wanted now. */
  capacity(level: number): number;
  accept(message: TaskMessage): void;
  /** Asks a task that runs here to stop; false when it does not run here. */
  cancel(taskId: string, cause: StopCause): boolean;
  /** The lease of the running record with the sequence `claim` has ended. */
  lost(taskId: string, claim: number): void;
  /** Asks the journal which of the tasks that run here are still this worker's; the others are asked to stop. */
  recheck(): Promise<void>;
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
  const held = new Map<string, TaskMessage>();
  const running = new Map<string, Execution>();
  let draining = false;

  const ahead = (): number =>
    planAhead({ slots: deps.slots, handlerMs: slots.handlerMs, claimMs: claims.roundTripMs });
  const inHand = (): number => claims.count + slots.ready.size + slots.active;
  /** What stands before a high one: lower ones in hand are overtaken, running ones are not. */
  const highInHand = (level: number): number =>
    slots.active + claims.countHigh + slots.ready.countFrom(level);

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
      slots.ready.push(execution.message.level, { execution, input });
    },
    lost: (execution) => stopLost(execution),
    admit: (message) => quarantine.admit(message),
    settled({ id }) {
      if (quarantine.holds(id) && !running.has(id)) quarantine.left(id);
      pumpSoon();
    },
  });

  const outcomes = createOutcomes({
    finish: finishDeps,
    concluded(execution) {
      const { id } = execution.message;
      if (running.get(id) === execution) {
        running.delete(id);
        quarantine.left(id);
      }
      release(execution.message);
      if (outcomes.count === MAX_FINISHING - 1) pump();
    },
  });

  const slots = createSlots({
    ...deps,
    claims,
    outcomes,
    overdue({ message }) {
      running.delete(message.id);
      claims.start(message);
    },
    freed: () => patience.freed(),
    roomAgain() {
      if (!draining) pumpSoon();
    },
  });

  const quarantine = createQuarantine({
    empty: () => running.size === 0 && claims.count === 0,
    start: (message) => claims.start(message),
    giveBack: later,
    opened: () => pumpSoon(),
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
    slots.fill();
    if (!draining) quarantine.look();
    if (!draining && !quarantine.closed && outcomes.count < MAX_FINISHING) {
      const room = deps.slots + ahead();
      while (buffer.size > 0) {
        const normal = inHand() < room;
        if (!normal && highInHand(EXPRESS_LEVEL) >= room + deps.expressSlots) break;
        const message = buffer.shift(normal ? 0 : EXPRESS_LEVEL);
        if (message === undefined) break;
        claims.start(message);
        if (slots.ready.size > 0) slots.fill();
      }
    }
    deps.onFree();
  };

  /** Its outcome would be refused, and what it still does outside is done twice. */
  const stopLost = (execution: Execution): void => {
    if (execution.state === "ended") return;
    const { id, name } = execution.message;
    deps.log("lease_lost", { taskId: id, name, attempt: execution.attempt });
    slots.stop(execution, { kind: "lease-lost" });
  };
  const recheckOne = async (execution: Execution): Promise<void> => {
    try {
      await claims.recheck(execution);
    } catch (error) {
      // The broker is away again: on its return everything is asked anew.
      deps.log("lease_not_rechecked", { taskId: execution.message.id, error: String(error) });
    }
  };

  /** It has not started: unclaimed it needs no more than its message. */
  const giveBackWaiting = (execution: Execution): void => {
    if (execution.claimSeq !== 0) {
      outcomes.giveBack(execution);
      return;
    }
    execution.state = "ended";
    running.delete(execution.message.id);
    later(execution.message, null);
  };

  const patience = watchPatience({
    slots: deps.slots,
    busy: () => !draining && slots.active >= deps.slots,
    waiting: () => slots.ready.size + buffer.size,
    isQuick: () => ahead() > 0,
    giveBack(heldMs) {
      // Nothing is taken ahead again until quick handlers have become the rule again.
      slots.slowed(heldMs);
      for (const message of buffer.drain()) later(message, null);
      for (const { execution } of slots.ready.drain()) giveBackWaiting(execution);
    },
  });

  return {
    get running() {
      return slots.active;
    },
    get stuck() {
      return slots.stuck;
    },
    capacity(level) {
      if (draining || quarantine.closed || outcomes.count >= MAX_FINISHING) return 0;
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
      // It was moved on, or is about to be: this worker may have missed that it lost it.
      if (here !== undefined) void recheckOne(here);
      held.set(message.id, message);
      buffer.push(message.level, message);
      pump();
    },
    cancel(taskId, cause) {
      const execution = running.get(taskId);
      if (execution === undefined || execution.state === "ended") return false;
      slots.stop(execution, cause);
      return true;
    },
    lost(taskId, claim) {
      const execution = running.get(taskId);
      if (execution?.claimSeq === claim) stopLost(execution);
    },
    async recheck() {
      const live = [...running.values()].filter(({ state }) => state !== "ended");
      await Promise.all(live.map(recheckOne));
    },
    yieldTask: (taskId) => claims.ask(taskId, running.get(taskId)),
    async drain(limitMs) {
      draining = true;
      patience.stop();
      for (const message of buffer.drain()) later(message, null);
      for (const message of quarantine.drain()) later(message, null);
      for (const { execution } of slots.ready.drain()) giveBackWaiting(execution);
      await drainRunning({
        limitMs,
        running,
        idle: () => slots.active === 0 && outcomes.count === 0 && claims.count === 0,
        written: () => outcomes.count === 0,
        giveBack: slots.evict,
      });
      clearInterval(extend);
    },
  };
}
