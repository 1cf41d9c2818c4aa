import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { AppError, describe } from "../../shared/errors.ts";
import type { TaskDefinition, TaskHooks, WorkspaceConfig } from "../define.ts";
import { resolveSdk } from "../resolve-sdk.ts";

export interface Workspace {
  readonly tasks: readonly TaskDefinition<never, unknown>[];
  readonly hooks: readonly TaskHooks[];
  /** Why the file could not be used; the worker then runs the built-in tasks alone. */
  readonly error: AppError | null;
}

const NONE: Workspace = { tasks: [], hooks: [], error: null };

/** Loads `msgsys.config.ts` by Node's own type stripping. */
export async function loadWorkspace(configFile: string | null): Promise<Workspace> {
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
  const place = /(?:file:\/\/)?((?:\/|[A-Za-z]:\\)[^\s():]*\.[cm]?[jt]s):(\d+)/.exec(stack);
  return new AppError(
    "bad-config-file",
    { file: place?.[1] ?? file, line: Number(place?.[2] ?? 1), what: describe(error) },
    error,
  );
}
