import type { AttemptError } from "../../shared/task.ts";
import { OutcomeUnknown } from "../nats/wire.ts";
import { type Delivered, isFresh } from "../queue/claim.ts";
import { maxAttemptsOf } from "../queue/retry.ts";
import type { TaskMessage } from "../queue/task-message.ts";
import { average } from "../queue/window.ts";
import { createExecution, type Execution } from "./execution.ts";
import { createLateClaims } from "./late-claims.ts";
import { parseInput } from "./parse-input.ts";
import { createQuickTasks } from "./quick-tasks.ts";
import { createSlowClaim, type SlowClaimDeps } from "./slow-claim.ts";
import { runningText } from "./usual-records.ts";

export interface ClaimsDeps extends Omit<SlowClaimDeps, "seen" | "tookMs"> {
  /** A task that runs here is somebody else's now. */
  lost(execution: Execution): void;
  /** A claim has ended, whatever its outcome. */
  settled(message: TaskMessage): void;
}

/** Whose tasks are: claims before a task runs, and late ones for quick tasks that take their time. */
export interface Claims {
  /** Claims on their way: of all levels, and of the express ones. */
  readonly count: number;
  readonly countHigh: number;
  /** Moving average of a claim's round trip, milliseconds. */
  readonly roundTripMs: number;
  start(message: TaskMessage): void;
  /** An unclaimed task whose handler did not end at once: it is claimed if it goes on. */
  watch(execution: Execution): void;
  /** How long a handler took: what decides whether the next one of its name is claimed before it runs. */
  ended(execution: Execution, tookMs: number): void;
  isOverdue(execution: Execution): boolean;
  /** Asks the journal whether a task that runs here is still this worker's. */
  recheck(execution: Execution): Promise<void>;
  /** Somebody wants to change this task: claimed now if it runs unclaimed, and before it runs if it comes later. */
  ask(taskId: string, execution: Execution | undefined): Promise<boolean>;
}

export const EXPRESS_LEVEL = 8;
/** A message of a task whose claim is on its way comes back after this. */
const CLAIM_AGAIN_MS = 500;
const NO_ERRORS: readonly AttemptError[] = [];

/**
 * Makes tasks this worker's, by compare-and-swap on their journals. A task whose handler has always been quick runs
 * without a claim and is claimed only when it takes its time: its finish expects no record at all, so it is fenced just
 * as well, and half of the journal's writes are saved. Whoever wants to change an unclaimed task asks the workers first.
 */
export function createClaims(deps: ClaimsDeps): Claims {
  const { finish } = deps;
  /** One claim of a task at a time: two would take each other for a claim whose answer was lost. */
  const claims = new Map<string, TaskMessage>();
  const quick = createQuickTasks();
  let claiming = 0;
  let claimingHigh = 0;
  let claimMs = 0.5;

  /** With its age now: it may have been in hand for long, in a process that was frozen. */
  const seenNow = ({ generation, deliveries, journaled, storedAt }: TaskMessage): Delivered => ({
    generation,
    deliveries,
    journaled,
    ageMs: Math.max(0, finish.now() - storedAt),
  });

  /**
   * A task that is not claimed was in hand for so long that another worker may have ended it and its journal be purged:
   * no record proves nothing any more.
   */
  const isOverdue = (execution: Execution): boolean =>
    execution.claimSeq === 0 &&
    execution.claiming === null &&
    !isFresh(seenNow(execution.message), deps.journalRetentionMs);

  const startClaim = (message: TaskMessage): void => {
    const other = claims.get(message.id);
    if (other !== undefined) {
      deps.nak(message, CLAIM_AGAIN_MS);
      deps.replace(message, other);
      return;
    }
    claims.set(message.id, message);
    claiming++;
    if (message.level >= EXPRESS_LEVEL) claimingHigh++;
    if (!claimFresh(message)) claimSlowly(message);
  };

  const endClaim = (message: TaskMessage): void => {
    claims.delete(message.id);
    claiming--;
    if (message.level >= EXPRESS_LEVEL) claimingHigh--;
    deps.settled(message);
  };

  /** The usual claim, without a promise: a first delivery of a known task with a good input. False: it is not the usual one. */
  const claimFresh = (message: TaskMessage): boolean => {
    if (!isFresh(seenNow(message), deps.journalRetentionMs)) return false;
    const definition = deps.definition(message.name);
    if (definition === null) return false;
    const parsed = parseInput(message, definition);
    if (parsed.kind === "invalid") return false;
    const maxAttempts = maxAttemptsOf(definition.retry);
    if (quick.mayRun(message.name, message.id)) {
      const claim = { seq: 0, attempt: 1, maxAttempts, earlierErrors: NO_ERRORS, lostInARow: 0 };
      const execution = createExecution(message, definition, claim);
      deps.claimed(execution, parsed.input);
      claims.delete(message.id);
      claiming--;
      if (message.level >= EXPRESS_LEVEL) claimingHigh--;
      return true;
    }
    const sentAt = performance.now();
    const text = runningText(message, finish.workerId, finish.now(), maxAttempts);
    finish.journal.submit(message.queue, message.id, text, 0, (outcome) => {
      if (outcome instanceof Error || outcome.kind === "lost") {
        claimSlowly(message);
        return;
      }
      claimMs = average(claimMs, performance.now() - sentAt);
      const execution = createExecution(message, definition, {
        seq: outcome.seq,
        attempt: 1,
        maxAttempts,
        earlierErrors: NO_ERRORS,
        lostInARow: 0,
      });
      deps.claimed(execution, parsed.input);
      endClaim(message);
    });
    return true;
  };

  const claim = createSlowClaim({
    ...deps,
    seen: seenNow,
    tookMs(ms) {
      claimMs = average(claimMs, ms);
    },
  });
  /** With a look at the journal and whatever follows from it. */
  const claimSlowly = (message: TaskMessage): void => {
    claim(message)
      .catch((error: unknown) => {
        // The broker is away: the message comes back by itself when its wait is over.
        deps.replace(message, null);
        if (!(error instanceof OutcomeUnknown))
          finish.log("claim_failed", { taskId: message.id, error: String(error) });
      })
      .finally(() => endClaim(message));
  };

  const late = createLateClaims({ finish, isOverdue, lost: deps.lost });

  return {
    get count() {
      return claiming;
    },
    get countHigh() {
      return claimingHigh;
    },
    get roundTripMs() {
      return claimMs;
    },
    start: startClaim,
    watch: late.watch,
    isOverdue,
    recheck: late.recheck,
    ended(execution, tookMs) {
      quick.ended(execution.message.name, tookMs);
      late.forget(execution);
    },
    async ask(taskId, execution) {
      quick.asked(taskId, performance.now());
      if (execution === undefined || execution.claimSeq !== 0) return false;
      if (execution.state === "ended") return true;
      await late.claimNow(execution);
      return true;
    },
  };
}
