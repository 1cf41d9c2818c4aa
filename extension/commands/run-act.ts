import * as vscode from "vscode";
import type { Client } from "../../shared/bus/client.ts";
import { AppError } from "../../shared/errors.ts";
import { progressOf } from "../state/queue-model.ts";

/** A task whose result the user waits for. */
export interface AwaitedAct {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** What is done, for the progress: `Preview of the sync`. */
  readonly title: string;
  /** It changes nothing: with nobody waiting any more it is cancelled. */
  readonly looksOnly: boolean;
}

/** How long a task may wait for a worker before it is told why it does. */
const EXPLAIN_MS = 2000;

/** Enqueues it and waits for its result with progress that can be left; `undefined`: it was left. */
export async function runAct<Result>(client: Client, act: AwaitedAct): Promise<Result | undefined> {
  const task = await client.enqueue(act.name, act.input);
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: act.title,
    cancellable: true,
  };
  return vscode.window.withProgress(options, async (progress, token) => {
    const left = new AbortController();
    token.onCancellationRequested(() => left.abort());
    const stop = tellProgress(client, task.id, (message) => progress.report({ message }));
    try {
      const wait = { queue: task.queue, signal: left.signal };
      return (await client.waitResult(task.id, wait)) as Result;
    } catch (error) {
      if (!left.signal.aborted) throw error;
      if (act.looksOnly) await giveUp(client, task.id);
      return undefined;
    } finally {
      stop();
    }
  });
}

function tellProgress(client: Client, taskId: string, tell: (message: string) => void): () => void {
  let isHeard = false;
  const following = client.follow({ taskId }, (event) => {
    if (event.kind === "task" && event.status === "running") isHeard = true;
    const done = progressOf(event);
    if (done === null) return;
    isHeard = true;
    tell(done.total === null ? String(done.done) : `${done.done} / ${done.total}`);
  });
  const explain = setTimeout(() => {
    if (isHeard) return;
    client.why(taskId).then(
      ({ sentence }) => {
        if (!isHeard) tell(sentence);
      },
      // Ignored: the sentence is a comfort; the wait for the result tells what is wrong.
      () => undefined,
    );
  }, EXPLAIN_MS);
  return () => {
    clearTimeout(explain);
    following.stop();
  };
}

async function giveUp(client: Client, id: string): Promise<void> {
  try {
    await client.cancel(id, { reason: "nobody waits for it any more" });
  } catch (error) {
    // Ignored: it may have ended just now, which is as good.
    if (!(error instanceof AppError)) throw error;
  }
}
