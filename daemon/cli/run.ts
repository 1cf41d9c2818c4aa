import type { RunOptions } from "../../shared/bus/client.ts";
import type { ResponseOf, RunView } from "../../shared/control.ts";
import { AppError } from "../../shared/errors.ts";
import type { ConnectedClient } from "../sdk/connect.ts";
import type { Context } from "./context.ts";
import { createProgress } from "./progress.ts";
import { runText } from "./run-text.ts";
import { absolutePath, badUsage, parseParams } from "./values.ts";

interface Options {
  readonly phase?: string;
  readonly root?: string;
  readonly out?: string;
  readonly dryRun?: boolean;
  readonly fresh?: boolean;
  readonly priority?: number;
  readonly param: readonly string[];
  readonly runId?: string;
  readonly wait?: boolean;
  readonly timeout?: number;
}

/** Starts a pipeline run; with `--wait` shows its progress and answers how it ended. */
export async function run(
  context: Context,
  [pipeline]: [string],
  options: Options,
): Promise<number> {
  if (options.timeout !== undefined && !options.wait) throw badUsage("--timeout needs --wait.");
  const client = await context.client({ start: true });
  const chosen = choosePhases(await client.definitions(), pipeline, options.phase);
  const started = await client.run(chosen.pipeline, {
    phases: chosen.phases,
    params: paramsOf(options, context.io.cwd),
    priority: options.priority,
    runId: options.runId,
  } satisfies RunOptions);
  if (!options.wait) {
    context.result(started, () => `Run ${started.runId} started: ${started.phases.join(" → ")}.`);
    context.hint(`\`msgsys show ${started.runId}\` tells how it stands.`);
    return 0;
  }
  const ended = await watchRun(context, client, started.runId, options.timeout);
  context.result(toResult(ended), () => runText(ended, context.paint, context.io.now()));
  if (ended.status === "completed") return 0;
  tellFailure(context, ended);
  return 1;
}

/** Why a run did not complete, in a sentence on standard error. */
export function tellFailure({ hint, errPaint }: Context, run: RunView): void {
  const phase = run.phases.find(({ error }) => error !== null);
  const why = phase === undefined ? "" : ` in ${phase.phase}: ${phase.error}`;
  hint(
    `${errPaint("red", "Error:")} The run ${run.id} ${run.status === "cancelled" ? "was cancelled" : `failed${why}`}`,
  );
  if (phase?.taskId) hint(`\`msgsys show ${phase.taskId}\` has every attempt.`);
}

function paramsOf(options: Options, cwd: string): Record<string, unknown> {
  const { root, out, dryRun, fresh } = options;
  return {
    ...parseParams(options.param),
    ...(root === undefined ? {} : { root: absolutePath(cwd, root) }),
    ...(out === undefined ? {} : { out: absolutePath(cwd, out) }),
    ...(dryRun ? { dryRun } : {}),
    ...(fresh ? { fresh } : {}),
  };
}

/**
 * The pipeline by its name, with or without `_all`, and with `--phase` that phase and those before it.
 * Throws `unknown-pipeline`, or `bad-usage` for a phase that it does not have.
 */
export function choosePhases(
  { pipelines }: Pick<ResponseOf["definitions"], "pipelines">,
  name: string,
  last: string | undefined,
): { readonly pipeline: string; readonly phases: readonly string[] | undefined } {
  const plain = name.replace(/_all$/, "");
  const found = [name, plain, `${plain}_all`]
    .map((word) => pipelines.find((pipeline) => pipeline.name === word))
    .find((pipeline) => pipeline !== undefined);
  if (found === undefined)
    throw new AppError("unknown-pipeline", {
      name,
      known: pipelines.map((pipeline) => pipeline.name).join(", ") || "none",
    });
  if (last === undefined) return { pipeline: found.name, phases: undefined };
  const at = found.phases.indexOf(last);
  if (at === -1) throw badUsage(`${found.name} has no phase ${last}: ${found.phases.join(", ")}.`);
  return { pipeline: found.name, phases: found.phases.slice(0, at + 1) };
}

/** Shows the progress of a run until it has ended. Ctrl-C ends the watching; the run goes on. */
export async function watchRun(
  context: Context,
  client: ConnectedClient,
  runId: string,
  timeoutMs?: number,
): Promise<RunView> {
  const { io } = context;
  const progress = createProgress(io);
  const told = new Set<string>();
  try {
    return await client.waitRun(runId, {
      timeoutMs,
      signal: io.stop,
      onProgress: ({ phase, done, total, what }) =>
        progress.update({ label: phase, done, total, what }),
      onChange(run) {
        for (const { phase, status, error } of run.phases) {
          if (status === "pending" || status === "waiting" || told.has(`${phase} ${status}`))
            continue;
          told.add(`${phase} ${status}`);
          const why = status === "retrying" && error !== null ? `, because ${error}` : "";
          progress.line(`${phase}: ${status}${why}`);
        }
      },
    });
  } catch (error) {
    if (io.stop.aborted)
      context.hint(`The run ${runId} goes on; \`msgsys show ${runId}\` tells how it stands.`);
    throw error;
  } finally {
    progress.end();
  }
}

/** The ended run as one JSON object: the result of each phase under its name. */
export function toResult(run: RunView): object {
  const failed = run.phases.filter(({ error }) => error !== null);
  return {
    runId: run.id,
    status: run.status,
    phases: Object.fromEntries(run.phases.map(({ phase, result }) => [phase, result])),
    warnings: run.warnings,
    ...(failed.length === 0
      ? {}
      : { errors: Object.fromEntries(failed.map(({ phase, error }) => [phase, error])) }),
  };
}
