import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { AppError, describe } from "../../shared/errors.ts";
import type { TaskDefinition, TaskHooks, WorkspaceConfig } from "../define.ts";
import { PACKAGE_ROOT } from "../entry.ts";
import { resolveSdk } from "../resolve-sdk.ts";

export interface Workspace {
  readonly tasks: readonly TaskDefinition<never, unknown>[];
  readonly hooks: readonly TaskHooks[];
  /** Why the file could not be used; the worker then runs the built-in tasks alone. */
  readonly error: AppError | null;
}

const PLACE = /(?:file:\/\/)?((?:\/|[A-Za-z]:\\)[^\s():]*\.[cm]?[jt]s):(\d+)/g;
/** A fault that our own code notices is the author's, one line further down in the trace. */
const OURS = ["daemon", "shared", "dist", "node_modules"].map((name) =>
  join(PACKAGE_ROOT, name, "/"),
);

const NONE: Workspace = { tasks: [], hooks: [], error: null };

/** Loads `msgsys.config.ts` by Node's own type stripping. None of its tasks may have one of the names `builtIn`. */
export async function loadWorkspace(
  configFile: string | null,
  builtIn: readonly string[] = [],
): Promise<Workspace> {
  if (configFile === null) return NONE;
  const file = resolve(configFile);
  resolveSdk();
  try {
    const module = (await import(pathToFileURL(file).href)) as { default?: unknown };
    const config = module.default;
    if (!isWorkspaceConfig(config)) {
      return {
        ...NONE,
        error: new AppError("bad-config-file", {
          file,
          line: 1,
          what: "it must export defineConfig({ tasks: [...] }) as its default",
        }),
      };
    }
    const taken = config.tasks.find(({ name }) => builtIn.includes(name));
    if (taken !== undefined) throw new Error(`${taken.name} is the name of a built-in task`);
    return { tasks: config.tasks, hooks: config.hooks, error: null };
  } catch (error) {
    return { ...NONE, error: toConfigError(file, error) };
  }
}

function isWorkspaceConfig(value: unknown): value is WorkspaceConfig {
  return (
    typeof value === "object" &&
    value !== null &&
    "tasks" in value &&
    Array.isArray(value.tasks) &&
    "hooks" in value &&
    Array.isArray(value.hooks)
  );
}

/** The error with file and line, as an author can jump to. */
function toConfigError(file: string, error: unknown): AppError {
  const stack = error instanceof Error ? `${error.stack ?? ""}` : "";
  const places = [...stack.matchAll(PLACE)].map(([, path = "", line]) => ({ path, line }));
  const own = places.find(({ path }) => !OURS.some((folder) => path.startsWith(folder)));
  return new AppError(
    "bad-config-file",
    { file: own?.path ?? file, line: Number(own?.line ?? 1), what: describe(error) },
    error,
  );
}
