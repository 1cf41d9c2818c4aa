import { expect, test } from "vitest";
import * as z from "zod";
import type { TaskDefinition } from "../../../../daemon/define.ts";
import type { TaskMessage } from "../../../../daemon/queue/task-message.ts";
import { defineTask } from "../../../../daemon/sdk/define-task.ts";
import { createContext, createExecution } from "../../../../daemon/worker/execution.ts";

const definition = defineTask({ name: "etl.load", input: z.unknown() }, () => null);
const message = { id: "t1", queue: "etl", level: 5, generation: 1, msg: {} } as TaskMessage;

function anExecution() {
  return createExecution(message, definition as unknown as TaskDefinition<never, unknown>, {
    seq: 1,
    attempt: 1,
    maxAttempts: 4,
    earlierErrors: [],
    lostInARow: 0,
  });
}

test("a handler may take the parts of its context apart: none needs the context before the dot", async () => {
  const told: unknown[] = [];
  const execution = anExecution();
  const { progress, publish, enqueue, taskId, log } = createContext(execution, {
    progress: (_, p) => told.push(p),
    enqueue: async (_, name, input, options) => {
      told.push([name, input, options.id]);
      return { id: options.id, deduplicated: false };
    },
    taskLog: () => ({ info: (event) => told.push(event), warn: () => {}, error: () => {} }),
  });
  progress({ done: 1 });
  publish("events.etl.loaded", { rows: 1 });
  await enqueue("etl.next", { from: taskId });
  log.info("loaded");
  expect(told).toEqual([
    { done: 1, total: null, what: "" },
    ["etl.next", { from: "t1" }, "t1-0"],
    "loaded",
  ]);
  expect(execution.outbox).toEqual([{ subject: "events.etl.loaded", data: { rows: 1 } }]);
});
