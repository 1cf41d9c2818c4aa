import type { Subscription } from "@nats-io/nats-core";
import type { RunView } from "../control.ts";
import { ERRORS, fromUnknown } from "../errors.ts";
import type { Names } from "../subjects.ts";
import type { OnReconnect } from "./reconnects.ts";
import type { Bus } from "./request.ts";
import { waitTimedOut } from "./wait-result.ts";

/** How far a phase of a run is. */
export interface RunProgress {
  readonly runId: string;
  readonly phase: string;
  readonly taskId: string;
  readonly done: number;
  readonly total: number | null;
  readonly what: string;
}

export interface WaitRunOptions {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with every word of progress. */
  onProgress?: ((progress: RunProgress) => void) | undefined;
  /** Called with the run each time a phase changed its status, and first. */
  onChange?: ((run: RunView) => void) | undefined;
}

export interface WaitRunDeps {
  readonly nc: Bus;
  readonly names: Names;
  ask(runId: string): Promise<RunView>;
  readonly onReconnect: OnReconnect;
}

/** The next phase's task is known only once it was made: between two phases the daemon is asked at this pace. */
const ASK_MS = 400;

/**
 * Waits until the run has ended and answers it, whatever its status.
 * Rejects with `wait-timed-out`, `run-not-found`, or the signal's reason.
 */
export async function waitRun(
  deps: WaitRunDeps,
  runId: string,
  options: WaitRunOptions = {},
): Promise<RunView> {
  const { timeoutMs, signal } = options;
  const startedMs = performance.now();
  const ear = createEar(deps, runId, options.onProgress);
  let last = "";
  try {
    for (let answered = false; ; ) {
      signal?.throwIfAborted();
      const run = await deps.ask(runId).catch((error: unknown) => {
        const failure = fromUnknown(error);
        // A daemon that restarts meanwhile comes back; the first question must be answered though.
        if (!answered || !ERRORS[failure.code].retryable) throw failure;
        return null;
      });
      if (run !== null) {
        answered = true;
        ear.hear(run);
        const now = statusText(run);
        if (now !== last) options.onChange?.(run);
        last = now;
        if (run.status !== "running") return run;
      }
      if (timeoutMs !== undefined && performance.now() - startedMs > timeoutMs)
        throw waitTimedOut(`The run ${runId}`, timeoutMs);
      await ear.news(ASK_MS, signal);
    }
  } finally {
    ear.stop();
  }
}

function statusText(run: RunView): string {
  return `${run.status} ${run.phases.map((phase) => phase.status).join(" ")}`;
}

/** Listens to the tasks of a run as they become known. */
function createEar(
  { nc, names, onReconnect }: WaitRunDeps,
  runId: string,
  onProgress: WaitRunOptions["onProgress"],
): {
  hear(run: RunView): void;
  news(atMostMs: number, signal: AbortSignal | undefined): Promise<void>;
  stop(): void;
} {
  const known = new Set<string>();
  const open: Subscription[] = [];
  let wake = (): void => {};
  const stopReconnects = onReconnect(() => wake());

  function hearTask(phase: string, taskId: string): void {
    known.add(taskId);
    open.push(nc.subscribe(names.fact("*", taskId), { callback: () => wake() }));
    if (onProgress === undefined) return;
    open.push(
      nc.subscribe(names.event(`task.progress.${taskId}`), {
        callback: (error, message) => {
          if (error) return;
          const told = message.json<Partial<RunProgress>>();
          onProgress({
            runId,
            phase,
            taskId,
            done: told.done ?? 0,
            total: told.total ?? null,
            what: told.what ?? "",
          });
        },
      }),
    );
  }

  return {
    hear(run) {
      for (const { phase, taskId } of run.phases)
        if (taskId !== null && !known.has(taskId)) hearTask(phase, taskId);
    },
    news(atMostMs, signal) {
      return new Promise((resolve) => {
        const timer = setTimeout(() => wake(), atMostMs);
        wake = () => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", wake);
          resolve();
        };
        signal?.addEventListener("abort", wake);
      });
    },
    stop() {
      stopReconnects();
      for (const subscription of open) subscription.unsubscribe();
    },
  };
}
