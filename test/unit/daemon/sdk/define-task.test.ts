import { describe, expect, expectTypeOf, test } from "vitest";
import * as z from "zod";
import type { TaskDefinition } from "../../../../daemon/define.ts";
import { type Client, defineConfig, defineTask, type Enqueued } from "../../../../daemon/sdk.ts";

const input = z.object({ table: z.string(), rows: z.number().default(1) });

describe("defineTask", () => {
  test("fills in queue, level and retry policy", () => {
    const task = defineTask({ name: "etl.load.orders", input }, () => 1);
    expect(task).toMatchObject({
      kind: "task",
      queue: "etl",
      priority: 5,
      timeoutMs: null,
      retry: { retries: 3, delayMs: 60_000, factor: 2, maxDelayMs: 900_000, jitter: 0.1 },
    });
  });

  test.each([
    ["a name with capitals", { name: "Etl.load" }, "name"],
    ["a queue of two words", { queue: "etl.load" }, "queue"],
    ["a level above 10", { priority: 11 }, "priority"],
    ["a time limit of nothing", { timeoutMs: 0 }, "timeoutMs"],
    ["half a retry", { retry: { retries: 1.5 } }, "retry.retries"],
    ["a jitter above 1", { retry: { jitter: 2 } }, "retry.jitter"],
    ["a delay that is no number", { retry: { delayMs: Number.NaN } }, "retry.delayMs"],
    ["a retry setting that does not exist", { retry: { tries: 3 } as object }, "retry.tries"],
    ["an input that is no schema", { input: {} as typeof input }, "input"],
  ])("%s is refused, naming the field", (_, wrong, field) => {
    expect(() => defineTask({ name: "etl.load", input, ...wrong }, () => 1)).toThrow(
      `has a wrong ${field}`,
    );
  });

  test("handler, callers and results are typed by the schemas", () => {
    const task = defineTask(
      { name: "etl.load", input, output: z.object({ loaded: z.number() }) },
      (parsed) => {
        expectTypeOf(parsed).toEqualTypeOf<{ table: string; rows: number }>();
        return { loaded: parsed.rows };
      },
    );
    type Input = { table: string; rows?: number | undefined };
    expectTypeOf(task).toEqualTypeOf<TaskDefinition<Input, { loaded: number }>>();
    const call = (client: Client): Promise<Enqueued<{ loaded: number }>> =>
      client.enqueue(task, { table: "t" });
    expectTypeOf(call).returns.resolves.toEqualTypeOf<Enqueued<{ loaded: number }>>();
    const wait = (
      client: Client,
      made: Enqueued<{ loaded: number }>,
    ): Promise<{ loaded: number }> => client.waitResult(made);
    expectTypeOf(wait).returns.resolves.toEqualTypeOf<{ loaded: number }>();
  });

  test("without an output schema the result is what the handler answers", () => {
    const task = defineTask({ name: "etl.count", input }, async () => "done");
    expectTypeOf(task).toEqualTypeOf<
      TaskDefinition<{ table: string; rows?: number | undefined }, string>
    >();
  });
});

describe("defineConfig", () => {
  const task = defineTask({ name: "etl.load", input }, () => 1);

  test("keeps tasks, hooks and settings", () => {
    const before = (): void => {};
    const config = defineConfig({
      tasks: [task],
      hooks: { before },
      settings: { logLevel: "warn" },
    });
    expect(config).toEqual({ tasks: [task], hooks: [{ before }], settings: { logLevel: "warn" } });
  });

  test("refuses two tasks of one name", () => {
    expect(() => defineConfig({ tasks: [task, task] })).toThrow("named etl.load already");
  });

  test("refuses a task that was made otherwise", () => {
    const odd = { name: "etl.load" } as unknown as typeof task;
    expect(() => defineConfig({ tasks: [odd] })).toThrow("tasks[0]");
  });

  test("refuses a hook that does not exist", () => {
    const hooks = { afterwards: () => {} } as object;
    expect(() => defineConfig({ tasks: [], hooks })).toThrow("hooks[0].afterwards");
  });
});
