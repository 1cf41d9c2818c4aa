import { AppError } from "../../shared/errors.ts";
import type { TaskDefinition } from "../define.ts";
import type { TaskMessage } from "../queue/task-message.ts";

/** The input of a task as its handler gets it, or why it cannot have it. */
export type ParsedInput =
  | { readonly kind: "parsed"; readonly input: unknown }
  | { readonly kind: "invalid"; readonly error: AppError };

/** A task whose name no definition bears. */
export function unknownTask(message: TaskMessage): ParsedInput {
  return {
    kind: "invalid",
    error: new AppError("unknown-task", { name: message.name || "(none)" }),
  };
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads the message as UTF-8 JSON and checks it against the definition's schema. */
export function parseInput(
  message: TaskMessage,
  definition: TaskDefinition<never, unknown>,
): ParsedInput {
  let value: unknown;
  try {
    value =
      message.msg.data.length === 0 ? undefined : JSON.parse(decoder.decode(message.msg.data));
  } catch (error) {
    return {
      kind: "invalid",
      error: new AppError("unparsable-message", {
        subject: message.msg.subject,
        what: String(error),
      }),
    };
  }
  const result = definition.input.safeParse(value);
  if (result.success) return { kind: "parsed", input: result.data };
  const issue = result.error.issues[0];
  return {
    kind: "invalid",
    error: new AppError("input-invalid", {
      name: message.name,
      path: issue?.path.join(".") || "(root)",
      what: issue?.message ?? "invalid",
    }),
  };
}
