import { appendFileSync, existsSync } from "node:fs";
import { defineConfig, defineTask, nonRetryable, z } from "msg-sys";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Holds its slot until the file `gate` is there, then writes its label into the file `order`. */
const load = defineTask(
  {
    name: "etl.load",
    input: z.object({ table: z.string(), gate: z.string(), order: z.string() }),
    retry: { delayMs: 50 },
  },
  async ({ table, gate, order }, { signal, publish }) => {
    while (!existsSync(gate)) {
      signal.throwIfAborted();
      await pause(10);
    }
    appendFileSync(order, `${table}\n`);
    publish("events.etl.loaded", { table });
    return { table, rows: 42 };
  },
);

/** Becomes a dead letter at once. */
const broken = defineTask(
  { name: "etl.broken", input: z.object({ why: z.string() }) },
  async ({ why }) => {
    throw nonRetryable(why);
  },
);

export default defineConfig({ tasks: [load, broken] });
