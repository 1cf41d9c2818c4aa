import { hostname } from "node:os";
import * as z from "zod";
import type { DefinitionView } from "../../shared/control.ts";
import type { TaskDefinition } from "../define.ts";
import { maxAttemptsOf } from "../queue/retry.ts";
import type { Hello } from "./protocol.ts";
import type { WorkerOptions } from "./start-worker.ts";

/** What a worker says of itself in its hello. */
export function describeWorker(options: WorkerOptions, id: string): Hello {
  return {
    id,
    pool: options.pool,
    pid: process.pid,
    host: hostname(),
    startedAt: new Date().toISOString(),
    slots: options.slots,
    expressSlots: options.expressSlots,
    queues: options.queues,
    definitions: options.definitions.map(describeDefinition),
    configError: options.configError ?? null,
  };
}

function describeDefinition(definition: TaskDefinition<never, unknown>): DefinitionView {
  return {
    name: definition.name,
    queue: definition.queue,
    priority: definition.priority,
    maxAttempts: maxAttemptsOf(definition.retry),
    timeoutMs: definition.timeoutMs,
    category: definition.category,
    phase: definition.phase,
    inputSchema: toJsonSchema(definition.input),
    source: null,
  };
}

/** Null when a schema has no JSON form (transforms of unusual types): the worker still checks the input itself. */
function toJsonSchema(schema: z.ZodType): unknown {
  try {
    return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  } catch {
    // Ignored: the schema cannot be written as JSON; forms and the check at enqueue do without it.
    return null;
  }
}
