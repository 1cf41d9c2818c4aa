import { readFile } from "node:fs/promises";
import type { EnqueueOptions } from "../../shared/bus/client.ts";
import { AppError, describe, type ErrorCode } from "../../shared/errors.ts";
import type { Category, Phase } from "../../shared/priority.ts";
import type { ConnectedClient } from "../sdk/connect.ts";
import { type Context, printError } from "./context.ts";
import { absolutePath, badUsage } from "./values.ts";
import { levelWords, plural } from "./words.ts";

interface Options {
  readonly inputFile?: string;
  readonly many?: string;
  readonly priority?: number;
  readonly queue?: string;
  readonly id?: string;
  readonly key?: string;
  readonly delay?: number;
  readonly at?: number;
  readonly category?: Category;
  readonly taskPhase?: Phase;
  readonly correlation?: string;
  readonly wait?: boolean;
  readonly timeout?: number;
}

/** Enqueues one task, or with `--many` one for each line; with `--wait` prints the result. */
export async function run(
  context: Context,
  [name, input]: [string, string | undefined],
  options: Options,
): Promise<number> {
  if (options.timeout !== undefined && !options.wait) throw badUsage("--timeout needs --wait.");
  if (options.many !== undefined) return enqueueLines(context, name, options);
  const text = await inputOf(context, input, options.inputFile);
  const client = await context.client({ start: true });
  const task = await client.enqueueJson(name, text, toOptions(options));
  if (options.wait) return printEnd(context, client, task.id, options.timeout);
  context.result(task, () => {
    const known = task.deduplicated ? "was there already" : task.status;
    return `${task.id} ${known} on ${task.queue} at level ${levelWords(task.priority)}.`;
  });
  return 0;
}

function toOptions(options: Options): EnqueueOptions {
  const { priority, queue, id, key, category } = options;
  return {
    priority,
    queue,
    id,
    key,
    category,
    phase: options.taskPhase,
    correlationId: options.correlation,
    delayMs: options.delay,
    runAt: options.at,
  };
}

async function inputOf(
  context: Context,
  input: string | undefined,
  file: string | undefined,
): Promise<string> {
  if (input !== undefined && file !== undefined)
    throw badUsage("Give the input either as an argument or with --input-file.");
  if (file !== undefined) return readText(context, file);
  if (input === "-") return readText(context, "-");
  return input ?? "{}";
}

async function readText({ io }: Context, file: string): Promise<string> {
  if (file === "-") return io.readInput();
  try {
    return await readFile(absolutePath(io.cwd, file), "utf8");
  } catch (error) {
    throw new AppError("bad-usage", { what: `${file} cannot be read: ${describe(error)}` }, error);
  }
}

async function enqueueLines(context: Context, name: string, options: Options): Promise<number> {
  if (options.wait || options.id !== undefined || options.key !== undefined)
    throw badUsage("--many does not go with --wait, --id or --key.");
  const lines = (await readText(context, options.many!))
    .split("\n")
    .filter((line) => line.trim() !== "");
  const client = await context.client({ start: true });
  const settled = await Promise.allSettled(
    lines.map((line) => client.enqueueJson(name, line, toOptions(options))),
  );
  const refused = settled.flatMap((one, at) =>
    one.status === "rejected" ? [{ line: at + 1, error: one.reason as AppError }] : [],
  );
  for (const { line, error } of refused.slice(0, 10))
    context.hint(`line ${line}: ${error.message}`);
  const enqueued = settled.length - refused.length;
  context.result(
    {
      enqueued,
      refused: refused.map(({ line, error: { code, message } }) => ({ line, code, message })),
    },
    () => `${plural(enqueued, "task")} enqueued, ${refused.length} refused.`,
  );
  return refused[0]?.error.exitCode ?? 0;
}

/** What keeps a wait from telling how the task ended; any other error is the task's own. */
const NOT_OF_THE_TASK: ReadonlySet<ErrorCode> = new Set([
  "wait-timed-out",
  "task-not-found",
  "not-permitted",
  "daemon-not-running",
  "broker-unavailable",
  "connection-lost",
]);

/** The result alone, with its 64-bit integers as they are; a failed task's error, and exit code 1. */
async function printEnd(
  context: Context,
  client: ConnectedClient,
  id: string,
  timeoutMs: number | undefined,
): Promise<number> {
  const { io, json } = context;
  try {
    const { resultJson } = await client.waitEnd(id, { timeoutMs, signal: io.stop });
    const result = resultJson ?? "null";
    io.out(
      json
        ? `{"id":${JSON.stringify(id)},"status":"completed","result":${result}}\n`
        : `${result}\n`,
    );
    return 0;
  } catch (error) {
    if (io.stop.aborted)
      context.hint(`The task ${id} goes on; \`msgsys show ${id}\` tells how it stands.`);
    if (!(error instanceof AppError) || NOT_OF_THE_TASK.has(error.code)) throw error;
    printError(io, json, error.toWire());
    return 1;
  }
}
