import { AppError } from "../../shared/errors.ts";
import type { SettingsInput } from "../../shared/settings.ts";
import type { TaskDefinition, TaskHooks, WorkspaceConfig } from "../define.ts";

const HOOKS = ["before", "after", "error"];

/** A workspace's configuration with the settings that it gives; the daemon checks those when it reads them. */
export interface ConfigWithSettings extends WorkspaceConfig {
  readonly settings?: SettingsInput;
}

/**
 * What `msgsys.config.ts` exports by default: the tasks that workers can run, hooks around each execution, and settings.
 * Throws `bad-settings` for a name that two tasks share, and for what is no task or no hook.
 */
export function defineConfig(config: {
  readonly tasks: readonly TaskDefinition[];
  readonly hooks?: TaskHooks | readonly TaskHooks[];
  readonly settings?: SettingsInput;
}): ConfigWithSettings {
  const hooks = config.hooks === undefined ? [] : [config.hooks].flat();
  checkTasks(config.tasks);
  for (const [at, hook] of hooks.entries())
    for (const [key, value] of Object.entries(hook))
      if (!HOOKS.includes(key) || typeof value !== "function")
        throw wrong(`hooks[${at}].${key}`, `a hook is a function named ${HOOKS.join(", ")}`);
  return {
    // Workers treat every definition alike and let its own schema decide what it takes.
    tasks: config.tasks as unknown as WorkspaceConfig["tasks"],
    hooks,
    ...(config.settings === undefined ? {} : { settings: config.settings }),
  };
}

function checkTasks(tasks: readonly TaskDefinition[]): void {
  const seen = new Set<string>();
  for (const [at, task] of tasks.entries()) {
    if (task?.kind !== "task") throw wrong(`tasks[${at}]`, "it was not made by defineTask");
    if (seen.has(task.name))
      throw wrong(`tasks[${at}]`, `another task is named ${task.name} already`);
    seen.add(task.name);
  }
}

function wrong(where: string, what: string): AppError {
  return new AppError("bad-settings", {
    what: `The configuration has a wrong ${where}: ${what}.`,
    where,
  });
}
