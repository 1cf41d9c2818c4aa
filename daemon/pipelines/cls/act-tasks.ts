import { isAbsolute } from "node:path";
import { AppError } from "../../../shared/errors.ts";
import { EVENTS_ROOT } from "../../../shared/subjects.ts";
import type { TaskContext, TaskDefinition } from "../../define.ts";
import { defineTask } from "../../sdk/define-task.ts";
import {
  decideInput,
  decideResult,
  filesInput,
  filesResult,
  pendingInput,
  pendingResult,
  previewInput,
  previewResult,
  undoInput,
  undoResult,
} from "./act-params.ts";
import type { ClsContext } from "./params.ts";

/** What is wrong with a request fails at once; what a worker's loss or a full disk broke is tried again soon. */
const RETRY = { retries: 3, delayMs: 2000 };

type ToContext = (context: TaskContext) => ClsContext;

/**
 * The acts on a root's store beside the phases, as ordinary tasks: audited, cancellable, for whoever may enqueue. Those that
 * change the store hold the root's lock, as a sync does, so two of them never work on one store at a time.
 */
export function clsActTasks(toContext: ToContext): TaskDefinition<never, unknown>[] {
  return [...looking(toContext), ...changing(toContext)];
}

function looking(toContext: ToContext): TaskDefinition<never, unknown>[] {
  const lists = (["conflict", "review"] as const).map((kind) =>
    defineTask(
      {
        name: kind === "conflict" ? "cls.conflicts" : "cls.review",
        input: pendingInput,
        output: pendingResult,
        retry: RETRY,
      },
      async (input, context) => {
        requireAbsolute(input.root);
        return (await import("./act-lists.ts")).listPendingRows(kind, input, toContext(context));
      },
    ),
  );
  const files = defineTask(
    { name: "cls.files", input: filesInput, output: filesResult, retry: RETRY },
    async (input, context) => {
      requireAbsolute(input.root);
      return (await import("./act-lists.ts")).listFiles(input, toContext(context));
    },
  );
  const preview = defineTask(
    { name: "cls.preview", input: previewInput, output: previewResult, retry: RETRY },
    async (input, context) => {
      requireAbsolute(input.root);
      return (await import("./act-preview.ts")).previewSync(input, toContext(context));
    },
  );
  return [preview, ...lists, files] as unknown as TaskDefinition<never, unknown>[];
}

function changing(toContext: ToContext): TaskDefinition<never, unknown>[] {
  const undo = defineTask(
    { name: "cls.undo", input: undoInput, output: undoResult, retry: RETRY },
    async (input, context) => {
      requireAbsolute(input.root);
      const { undoAppliedFile } = await import("./act-changes.ts");
      const result = await undoAppliedFile(input, toContext(context));
      if (!input.dryRun) announce(context, "undo", result);
      return result;
    },
  );
  const decide = defineTask(
    { name: "cls.decide", input: decideInput, output: decideResult, retry: RETRY },
    async (input, context) => {
      requireAbsolute(input.root);
      const { decideRows } = await import("./act-changes.ts");
      const result = await decideRows(input, toContext(context));
      announce(context, "decide", { decided: result.decided.length, root: result.root });
      return result;
    },
  );
  return [undo, decide] as unknown as TaskDefinition<never, unknown>[];
}

function announce(context: TaskContext, act: "undo" | "decide", data: object): void {
  const { taskId } = context;
  context.publish(`${EVENTS_ROOT}.cls.${act}.completed`, { taskId, ...data });
}

/** Relative to what? The worker's folder is not the caller's. */
function requireAbsolute(root: string): void {
  if (isAbsolute(root)) return;
  throw new AppError("bad-usage", { what: `The root must be an absolute path, not ${root}.` });
}
