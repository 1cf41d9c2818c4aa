import { AppError } from "../../shared/errors.ts";
import type { JournalRecord } from "../../shared/task.ts";
import type { TaskDefinition } from "../define.ts";
import { type Delivered, isFresh, planClaim, planEnded } from "../queue/claim.ts";
import type { JournalEntry } from "../queue/journal.ts";
import { maxAttemptsOf, mustBeAlone } from "../queue/retry.ts";
import type { TaskMessage } from "../queue/task-message.ts";
import { createExecution, type Execution } from "./execution.ts";
import { buryMessage } from "./finish.ts";
import { parseInput, unknownTask } from "./parse-input.ts";
import type { FinishDeps } from "./settle.ts";

export interface SlowClaimDeps {
  readonly finish: FinishDeps;
  readonly journalRetentionMs: number;
  definition(name: string): TaskDefinition<never, unknown> | null;
  /** The workspace's tasks could not be loaded: a name that is not known here is no fault of the task's. */
  readonly incomplete: boolean;
  /** Asks the daemon whether other workers run tasks of this name. */
  knownElsewhere(name: string): Promise<boolean>;
  /** Asks the daemon which of these tasks ended, by the audit. Null: it cannot say now. */
  terminal(ids: readonly string[]): Promise<ReadonlySet<string> | null>;
  nak(message: TaskMessage, delayMs: number | null): void;
  /** Whether a task runs in this process. */
  isRunning(taskId: string): boolean;
  /** Whether a task that must not run in everybody's company may be claimed now. If not, its message is kept for later. */
  admit(message: TaskMessage): boolean;
  /** The message is no longer extended; when `other` is named, that one stands for the task. */
  replace(message: TaskMessage, other: TaskMessage | null): void;
  /** A task is this worker's: it may run. */
  claimed(execution: Execution, input: unknown): void;
  /** The message as it is now: it may have been in hand for long. */
  seen(message: TaskMessage): Delivered;
  /** A claim's round trip. */
  tookMs(ms: number): void;
}

const VERIFY_RETRY_MS = 1000;
/** For so long a worker that lacks the workspace's tasks leaves one of them to others. */
const INCOMPLETE_RETRY_MS = 2000;

/** Claims of messages that are not the usual ones: with a look at the journal and whatever follows from it. */
export function createSlowClaim(deps: SlowClaimDeps): (message: TaskMessage) => Promise<void> {
  const { finish } = deps;
  const release = (message: TaskMessage): void => deps.replace(message, null);
  const later = (message: TaskMessage, delayMs: number): void => {
    release(message);
    deps.nak(message, delayMs);
  };
  const mayRun = (message: TaskMessage, attempt: number, before: JournalRecord | null): boolean => {
    if (before === null) return true;
    const { lost: lostInARow = 0, x: maxAttempts = 1 } = before;
    return !mustBeAlone({ attempt, maxAttempts, lostInARow }) || deps.admit(message);
  };

  /** One look at the journal and the decision that follows; again when somebody else was first. */
  const claim = async (message: TaskMessage): Promise<void> => {
    let entry: JournalEntry | null = null;
    let looked = false;
    let verified = false;
    for (;;) {
      const seen = deps.seen(message);
      if (!looked && !isFresh(seen, deps.journalRetentionMs)) {
        entry = await finish.journal.read(message.queue, message.id);
        looked = true;
      }
      const plan = planClaim(
        seen,
        entry,
        finish.workerId,
        finish.now(),
        deps.journalRetentionMs,
        verified,
      );
      switch (plan.kind) {
        case "drop":
          release(message);
          finish.ack(message);
          return;
        case "bury":
          await buryMessage(finish, message, plan.record);
          return;
        case "later":
          later(message, plan.delayMs);
          return;
        case "mine": {
          if (deps.isRunning(message.id)) {
            release(message);
            return;
          }
          const { seq, record } = plan.entry;
          if (!mayRun(message, record.a, record)) return;
          // The claim was stored while its answer was lost: nothing runs here, and nobody else would ever take it up.
          if (await claimAt(message, seq, record.a, record)) return;
          entry = await finish.journal.read(message.queue, message.id);
          looked = true;
          continue;
        }
        case "verify": {
          const ended = await deps.terminal([message.id]);
          if (ended === null) {
            later(message, VERIFY_RETRY_MS);
            return;
          }
          if (!ended.has(message.id)) {
            verified = true;
            continue;
          }
          const after = planEnded(seen, 1);
          if (after.kind === "later") {
            later(message, after.delayMs);
            return;
          }
          release(message);
          finish.ack(message);
          return;
        }
        case "claim":
          if (!mayRun(message, plan.attempt, plan.before)) return;
          if (await claimAt(message, plan.expect, plan.attempt, plan.before)) return;
          entry = await finish.journal.read(message.queue, message.id);
          looked = true;
          continue;
        default:
          plan satisfies never;
      }
    }
  };

  /** False when the compare-and-swap lost. */
  const claimAt = async (
    message: TaskMessage,
    expect: number,
    attempt: number,
    before: JournalRecord | null,
  ): Promise<boolean> => {
    const definition = deps.definition(message.name);
    // A name that is not known here is no fault of the task's while somebody else may know it.
    if (definition === null && (deps.incomplete || (await deps.knownElsewhere(message.name)))) {
      later(message, INCOMPLETE_RETRY_MS);
      return true;
    }
    const maxAttempts = before?.x ?? (definition ? maxAttemptsOf(definition.retry) : 1);
    const earlierErrors = before?.es ?? [];
    const lostInARow = before?.lost ?? 0;
    const common = {
      g: message.generation,
      a: attempt,
      l: message.level,
      t: finish.now(),
      n: message.name,
      x: maxAttempts,
    };
    const parsed = definition === null ? unknownTask(message) : parseInput(message, definition);
    if (parsed.kind === "invalid" || definition === null) {
      const error =
        parsed.kind === "invalid"
          ? parsed.error
          : new AppError("unknown-task", { name: message.name });
      const record: JournalRecord = {
        s: "dead",
        ...common,
        w: finish.workerId,
        dead: "invalid",
        e: { code: error.code, message: error.message },
        ...(earlierErrors.length > 0 ? { es: earlierErrors } : {}),
      };
      const appended = await finish.journal.append(message.queue, message.id, record, expect);
      if (appended.kind === "lost") return false;
      await buryMessage(finish, message, record);
      return true;
    }
    const record: JournalRecord = {
      s: "running",
      ...common,
      w: finish.workerId,
      m: message.seq,
      ...(lostInARow > 0 ? { lost: lostInARow } : {}),
      ...(earlierErrors.length > 0 ? { es: earlierErrors } : {}),
    };
    const sentAt = performance.now();
    const appended = await finish.journal.append(message.queue, message.id, record, expect);
    deps.tookMs(performance.now() - sentAt);
    if (appended.kind === "lost") return false;
    const execution = createExecution(message, definition, {
      seq: appended.seq,
      attempt,
      maxAttempts,
      earlierErrors,
      lostInARow,
    });
    deps.claimed(execution, parsed.input);
    return true;
  };

  return claim;
}
