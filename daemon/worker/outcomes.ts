import type { Execution } from "./execution.ts";
import { type Ending, finish, handBack } from "./finish.ts";
import { type FinishDeps, yieldMessage } from "./settle.ts";
import { completedText } from "./usual-records.ts";

export interface OutcomesDeps {
  readonly finish: FinishDeps;
  /** The outcome is written, or was discarded: nothing of the execution is left here. */
  concluded(execution: Execution): void;
}

/** Outcomes of executions on their way to the broker. They need no slot. */
export interface Outcomes {
  /** How many are on their way. */
  readonly count: number;
  send(execution: Execution, ending: Ending): void;
  /** The task may have been ended by somebody else meanwhile: its outcome proves nothing, its message is left alone. */
  discard(execution: Execution, ending: Ending): void;
  /** Gives a claimed task back: it waits again, and the attempt does not count. */
  giveBack(execution: Execution): void;
}

export function createOutcomes(deps: OutcomesDeps): Outcomes {
  const { finish: finishDeps } = deps;
  let count = 0;

  const concluded = (execution: Execution): void => {
    count--;
    deps.concluded(execution);
  };

  const conclude = (execution: Execution, write: () => Promise<void>): void => {
    count++;
    const { claiming: late } = execution;
    (late === null ? write() : late.then(write))
      .catch((error: unknown) =>
        finishDeps.log("finish_failed", { taskId: execution.message.id, error: String(error) }),
      )
      .finally(() => concluded(execution));
  };

  /** The usual finish, without a promise. False: it is not the usual one. */
  const sendUsual = (execution: Execution, result: unknown): boolean => {
    const text = completedText(execution, finishDeps.workerId, finishDeps.now(), result);
    if (text === null) return false;
    const { message } = execution;
    count++;
    finishDeps.journal.submit(message.queue, message.id, text, execution.claimSeq, (outcome) => {
      if (outcome instanceof Error) {
        count--;
        conclude(execution, () => finish(finishDeps, execution, { kind: "returned", result }));
        return;
      }
      if (outcome.kind === "lost") {
        finishDeps.stale(execution, "completed");
        yieldMessage(finishDeps, execution);
      } else finishDeps.ack(message);
      concluded(execution);
    });
    return true;
  };

  return {
    get count() {
      return count;
    },
    send(execution, ending) {
      if (
        ending.kind !== "returned" ||
        execution.stopped !== null ||
        execution.claiming !== null ||
        !sendUsual(execution, ending.result)
      ) {
        conclude(execution, () => finish(finishDeps, execution, ending));
      }
    },
    discard(execution, ending) {
      count++;
      finishDeps.stale(execution, ending.kind);
      finishDeps.leave(execution.message);
      concluded(execution);
    },
    giveBack(execution) {
      execution.state = "ended";
      conclude(execution, () => handBack(finishDeps, execution));
    },
  };
}
