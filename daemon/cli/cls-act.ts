import { nuid } from "@nats-io/nuid";
import { AppError } from "../../shared/errors.ts";
import type { ConnectedClient } from "../sdk/connect.ts";
import type { Context } from "./context.ts";
import { createProgress } from "./progress.ts";
import { absolutePath } from "./values.ts";

/** Options of every act on a CLS folder. */
export interface ActOptions {
  readonly root: string;
  readonly priority?: number;
  readonly timeout?: number;
}

interface Act {
  /** Name of the task. */
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** What it does, for the line while it runs: `preview`. */
  readonly label: string;
  /** Nothing is changed by it: with nobody waiting for it, it is cancelled. */
  readonly looksOnly: boolean;
}

/** How long a task may wait for a worker before it is told why it does. */
const EXPLAIN_MS = 2000;

/**
 * Enqueues an act and waits for its result, telling meanwhile what it does or waits for. Ctrl-C cancels an act that only
 * looks; one that changes the store goes on. Rejects with the error of the act, as it would be told of any task.
 */
export async function runAct<Result>(
  context: Context,
  act: Act,
  options: ActOptions,
): Promise<Result> {
  const { io } = context;
  const client = await context.client({ start: true });
  const input = { root: absolutePath(io.cwd, options.root), ...act.input };
  // Named here, so that it is listened to before it can say anything.
  const id = nuid.next();
  const stopTelling = tellProgress(context, client, act, id);
  try {
    await client.enqueue(act.name, input, { id, priority: options.priority });
    return (await client.waitResult(id, { timeoutMs: options.timeout, signal: io.stop })) as Result;
  } catch (error) {
    stopTelling();
    if (io.stop.aborted) await leave(context, client, act, id);
    throw error;
  } finally {
    stopTelling();
  }
}

function tellProgress(
  context: Context,
  client: ConnectedClient,
  act: Act,
  taskId: string,
): () => void {
  const progress = createProgress(context.io);
  let heard = false;
  let last = "";
  const following = client.follow({ taskId }, (event) => {
    if (event.kind === "task") heard ||= event.status === "running";
    if (event.kind !== "system" || !isProgress(event.data)) return;
    heard = true;
    const { done, total, what } = event.data;
    progress.update({ label: act.label, done, total, what });
  });
  const explain = setInterval(() => {
    if (heard) return;
    client.why(taskId).then(
      ({ sentence, status }) => {
        if (status === "running" || heard || sentence === last) return;
        last = sentence;
        progress.line(`${act.label}: ${sentence}`);
      },
      // Ignored: the sentence is a comfort; the wait for the result tells what is wrong.
      () => undefined,
    );
  }, EXPLAIN_MS);
  return () => {
    clearInterval(explain);
    following.stop();
    progress.end();
  };
}

interface Progress {
  readonly done: number;
  readonly total: number | null;
  readonly what: string;
}

function isProgress(data: unknown): data is Progress {
  return typeof data === "object" && data !== null && "done" in data && "what" in data;
}

/** Nobody waits any more: looking on would be for nothing, a change is not left half done. */
async function leave(
  { hint }: Context,
  client: ConnectedClient,
  { looksOnly, label }: Act,
  id: string,
): Promise<void> {
  if (!looksOnly) {
    hint(`The ${label} goes on as task ${id}; \`msgsys show ${id}\` tells how it stands.`);
    return;
  }
  try {
    await client.cancel(id, { reason: "nobody waits for it any more" });
    hint(`The ${label} was cancelled.`);
  } catch {
    // Ignored: it may have ended just now, which is as good.
    hint(`The ${label} was left alone; it changes nothing.`);
  }
}

/** Who asked for these tasks, as the audit knows it; what it knows no more is absent. */
export async function askersOf(
  client: ConnectedClient,
  taskIds: Iterable<string>,
): Promise<ReadonlyMap<string, string>> {
  const askers = new Map<string, string>();
  const look = async (id: string): Promise<void> => {
    try {
      const { by } = await client.get(id);
      if (by !== null) askers.set(id, by);
    } catch (error) {
      // Ignored: a name completes a line and nothing else.
      if (!(error instanceof AppError)) throw error;
    }
  };
  await Promise.all([...new Set(taskIds)].map(look));
  return askers;
}
