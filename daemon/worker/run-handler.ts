import type { TaskContext, TaskHooks } from "../define.ts";
import type { Execution } from "./execution.ts";

/** Calls the handler with the hooks around it. Without hooks its answer comes back as it is, promise or not. */
export function runHandler(
  hooks: readonly TaskHooks[],
  execution: Execution,
  input: unknown,
  context: TaskContext,
): unknown {
  if (hooks.length === 0) return execution.definition.run(input, context);
  return runWithHooks(hooks, execution, input, context);
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    "then" in value &&
    typeof value.then === "function"
  );
}

async function runWithHooks(
  hooks: readonly TaskHooks[],
  execution: Execution,
  input: unknown,
  context: TaskContext,
): Promise<unknown> {
  try {
    for (const hook of hooks) await hook.before?.(context, input);
    const result = await execution.definition.run(input, context);
    for (const hook of hooks) await hook.after?.(context, result);
    return result;
  } catch (error) {
    for (const hook of hooks) await hook.error?.(context, error);
    throw error;
  }
}
