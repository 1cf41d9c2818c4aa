import { INLINE_RESULT_LIMIT_BYTES } from "../../shared/task.ts";
import type { TaskMessage } from "../queue/task-message.ts";
import type { Execution } from "./execution.ts";

/** The usual end, as text: completed with a small result and nothing else to send. Null when it is not the usual one. */
export function completedText(
  execution: Execution,
  workerId: string,
  now: number,
  result: unknown,
): string | null {
  if (execution.outbox !== null || execution.definition.output !== null) return null;
  let json: string;
  try {
    json = JSON.stringify(result) ?? "null";
  } catch {
    // Ignored here: the usual way says what is wrong with the result.
    return null;
  }
  // Four bytes of UTF-8 a character at most.
  if (json.length > INLINE_RESULT_LIMIT_BYTES / 4) return null;
  const { message } = execution;
  const du = Math.max(0, now - execution.startedAt);
  return `{"s":"completed","g":${message.generation},"a":${execution.attempt},"l":${message.level},"t":${now},"w":"${workerId}","n":${JSON.stringify(message.name)},"st":${execution.startedAt},"du":${du},"x":${execution.maxAttempts},"r":${json}}`;
}

/** The claim of a task that nothing has happened to yet, as text. */
export function runningText(
  message: TaskMessage,
  workerId: string,
  now: number,
  maxAttempts: number,
): string {
  return `{"s":"running","g":1,"a":1,"l":${message.level},"t":${now},"n":${JSON.stringify(message.name)},"x":${maxAttempts},"w":"${workerId}","m":${message.seq}}`;
}
