import type * as z from "zod";
import { AppError } from "../../shared/errors.ts";
import { CATEGORIES, DEFAULT_LEVEL, isLevel, PHASES } from "../../shared/priority.ts";
import { defaultQueueOf, QUEUE_PATTERN, TASK_NAME_PATTERN } from "../../shared/subjects.ts";
import { DEFAULT_RETRY, type RetryPolicy } from "../../shared/task.ts";
import type { TaskDefinition, TaskHandler, TaskOptions } from "../define.ts";

type OptionsWithoutOutput<In extends z.ZodType> = Omit<TaskOptions<In, z.ZodType>, "output"> & {
  readonly output?: never;
};
type OptionsWithOutput<In extends z.ZodType, Out extends z.ZodType> = TaskOptions<In, Out> & {
  readonly output: Out;
};

/**
 * Makes a task that workers can run. The handler gets the input as the schema parsed it; callers write the schema's input
 * type. With `output` the result is checked against it, without one its type is what the handler answers.
 * Throws `bad-settings` with what is wrong and in which field.
 */
export function defineTask<In extends z.ZodType, Out extends z.ZodType>(
  options: OptionsWithOutput<In, Out>,
  handler: TaskHandler<z.output<In>, z.input<Out>>,
): TaskDefinition<z.input<In>, z.output<Out>>;
export function defineTask<In extends z.ZodType, Result>(
  options: OptionsWithoutOutput<In>,
  handler: TaskHandler<z.output<In>, Result>,
): TaskDefinition<z.input<In>, Result>;
export function defineTask(
  options: TaskOptions<z.ZodType, z.ZodType>,
  handler: TaskHandler<unknown, unknown>,
): TaskDefinition {
  const { name } = options;
  check(
    typeof name === "string" && TASK_NAME_PATTERN.test(name),
    name,
    "name",
    "a task name is lower-case words with dots between them, for example etl.load.warehouse",
  );
  const queue = options.queue ?? defaultQueueOf(name);
  check(
    QUEUE_PATTERN.test(queue),
    name,
    "queue",
    `${queue} is no queue: one word of lower-case letters, digits, - and _, at most 64 long`,
  );
  check(isSchema(options.input), name, "input", "it must be a zod schema");
  check(
    options.output === undefined || isSchema(options.output),
    name,
    "output",
    "it must be a zod schema",
  );
  check(typeof handler === "function", name, "handler", "the second argument must be a function");
  checkChoices(options);
  return {
    kind: "task",
    name,
    queue,
    input: options.input,
    output: options.output ?? null,
    retry: toRetry(name, options.retry ?? {}),
    timeoutMs: options.timeoutMs ?? null,
    priority: options.priority ?? DEFAULT_LEVEL,
    category: options.category ?? null,
    phase: options.phase ?? null,
    run: handler,
  };
}

function checkChoices(options: TaskOptions<z.ZodType, z.ZodType>): void {
  const { name, priority, timeoutMs, category, phase } = options;
  check(
    priority === undefined || isLevel(priority),
    name,
    "priority",
    `${priority} is no level: a whole number from 0 to 10`,
  );
  check(
    timeoutMs === undefined || (Number.isFinite(timeoutMs) && timeoutMs > 0),
    name,
    "timeoutMs",
    `${timeoutMs} is no time: milliseconds above 0`,
  );
  check(
    category === undefined || CATEGORIES.includes(category),
    name,
    "category",
    `${category} is none of ${CATEGORIES.join(", ")}`,
  );
  check(
    phase === undefined || PHASES.includes(phase),
    name,
    "phase",
    `${phase} is none of ${PHASES.join(", ")}`,
  );
}

/** What each number of a retry policy may be. */
const RETRY_RULES: Record<keyof RetryPolicy, { fits(n: number): boolean; says: string }> = {
  retries: {
    fits: (n) => Number.isInteger(n) && n >= 0 && n <= 1000,
    says: "a whole number from 0 to 1000",
  },
  delayMs: { fits: (n) => n >= 0, says: "milliseconds, 0 or more" },
  factor: { fits: (n) => n >= 1, says: "1 or more" },
  maxDelayMs: { fits: (n) => n >= 0, says: "milliseconds, 0 or more" },
  jitter: { fits: (n) => n >= 0 && n <= 1, says: "a share from 0 to 1" },
};

function toRetry(name: string, given: Partial<RetryPolicy>): RetryPolicy {
  for (const [key, value] of Object.entries(given)) {
    const rule = RETRY_RULES[key as keyof RetryPolicy] as
      | (typeof RETRY_RULES)["jitter"]
      | undefined;
    check(rule !== undefined, name, `retry.${key}`, "there is no such setting");
    check(
      Number.isFinite(value) && rule!.fits(value),
      name,
      `retry.${key}`,
      `${value} is not allowed: ${rule!.says}`,
    );
  }
  return { ...DEFAULT_RETRY, ...given };
}

function check(fine: boolean, task: unknown, field: string, what: string): void {
  if (fine) return;
  throw new AppError("bad-settings", {
    what: `The task ${String(task)} has a wrong ${field}: ${what}.`,
    where: field,
  });
}

/** Schemas of another copy of zod count too, so the class is not asked. */
function isSchema(value: unknown): value is z.ZodType {
  return typeof value === "object" && value !== null && "_zod" in value && "safeParse" in value;
}
