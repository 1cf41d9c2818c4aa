import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, defineTask, type TaskContext, z } from "msg-sys";

/**
 * Tasks of the crash harness. Each start and end is one appended line of a file of the process, written by the handler
 * itself, so that what really ran is known without asking the system: `S|E|F label task attempt generation level monotonic-ns`
 * for start, end and failure.
 */
const input = z.object({ dir: z.string(), label: z.string(), ms: z.number().default(0) });

let file = -1;

function note(
  kind: "S" | "E" | "F",
  given: { dir: string; label: string },
  context: TaskContext,
): void {
  if (file === -1) file = openSync(join(given.dir, `effects-${process.pid}.log`), "a", 0o600);
  const { taskId, attempt, generation, level } = context;
  writeSync(
    file,
    `${kind} ${given.label} ${taskId} ${attempt} ${generation} ${level} ${process.hrtime.bigint()}\n`,
  );
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** Enough attempts that a run with many kills tells loss of a worker from a failure of the task. */
const patient = { retries: 30, delayMs: 80, factor: 1, jitter: 0.2 };

const instant = defineTask({ name: "crash.instant", input, retry: patient }, (given, context) => {
  note("S", given, context);
  note("E", given, context);
  return { label: given.label };
});

const short = defineTask({ name: "crash.short", input, retry: patient }, async (given, context) => {
  note("S", given, context);
  await rest(given.ms, context.signal);
  note("E", given, context);
  return { label: given.label };
});

const once = defineTask({ name: "crash.once", input, retry: patient }, (given, context) => {
  note("S", given, context);
  if (context.attempt === 1) {
    note("F", given, context);
    throw new Error("the first attempt fails");
  }
  note("E", given, context);
  return { label: given.label };
});

const doomed = defineTask(
  { name: "crash.doomed", input, retry: { retries: 1, delayMs: 80, factor: 1, jitter: 0 } },
  (given, context) => {
    note("S", given, context);
    note("F", given, context);
    throw new Error("every attempt fails");
  },
);

const long = defineTask({ name: "etl.long", input, retry: patient }, async (given, context) => {
  note("S", given, context);
  await rest(given.ms, context.signal);
  note("E", given, context);
  return { label: given.label };
});

/** The same in a queue of its own, which one worker of one slot serves. */
const ordered = defineTask(
  { name: "order.step", input, retry: patient },
  async (given, context) => {
    note("S", given, context);
    if (given.ms > 0) await rest(given.ms, context.signal);
    note("E", given, context);
  },
);

export default defineConfig({ tasks: [instant, short, once, doomed, long, ordered] });
