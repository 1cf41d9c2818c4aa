import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import type { DefinitionView } from "../../shared/control.ts";
import { AppError, describe } from "../../shared/errors.ts";
import { defaultQueueOf } from "../../shared/subjects.ts";
import type { Log } from "../log.ts";
import { writeAtomically } from "../write-atomically.ts";

/** A task name that some worker can run, as the daemon knows it: never the handler. */
export interface KnownTask extends DefinitionView {
  /** Throws `input-invalid` with the path. */
  check(inputJson: string): void;
}

/**
 * The tasks that can be enqueued. Workers tell what they can run; it is kept on disk, so that work is accepted while no
 * worker is up.
 */
export interface Registry {
  get(name: string): KnownTask | null;
  all(): KnownTask[];
  put(definitions: readonly DefinitionView[]): void;
}

/** Where a definition comes from that no worker has told yet: it was declared. */
export const DECLARED = "declared";

const FILE = "definitions.json";

export function createRegistry(deps: { dataDir: string; log: Log }): Registry {
  const known = new Map<string, KnownTask>();
  const file = join(deps.dataDir, FILE);
  let saved = "";

  const learn = (definitions: readonly DefinitionView[]): void => {
    for (const definition of definitions)
      known.set(definition.name, toKnownTask(definition, deps.log));
  };
  const save = (): void => {
    const text = JSON.stringify(
      [...known.values()].map(({ check: _, ...definition }) => definition),
    );
    if (text === saved) return;
    saved = text;
    writeAtomically(file, text, { durable: false }).catch((error: unknown) =>
      deps.log.warn("definitions not saved", { error: describe(error) }),
    );
  };
  try {
    saved = readFileSync(file, "utf8");
    learn(JSON.parse(saved) as DefinitionView[]);
  } catch (error) {
    deps.log.debug("no definitions read", { error: describe(error) });
  }
  return {
    get: (name) => known.get(name) ?? null,
    all: () => [...known.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    put(definitions) {
      learn(definitions);
      save();
    },
  };
}

function toKnownTask(definition: DefinitionView, log: Log): KnownTask {
  const schema = readSchema(definition, log);
  return {
    ...definition,
    queue: definition.queue || defaultQueueOf(definition.name),
    check(inputJson) {
      const value = parseInput(definition.name, inputJson);
      const result = schema?.safeParse(value);
      if (result === undefined || result.success) return;
      const issue = result.error.issues[0];
      throw new AppError("input-invalid", {
        name: definition.name,
        path: issue?.path.join(".") || "(root)",
        what: issue?.message ?? "it does not fit the schema",
      });
    },
  };
}

function parseInput(name: string, inputJson: string): unknown {
  try {
    return JSON.parse(inputJson);
  } catch (error) {
    throw new AppError("input-not-json", { name, what: describe(error) }, error);
  }
}

/** Null when anything goes, or when the schema cannot be read here: the worker checks with the author's own schema anyway. */
function readSchema(definition: DefinitionView, log: Log): z.ZodType | null {
  const { inputSchema } = definition;
  if (typeof inputSchema !== "object" || inputSchema === null) return null;
  const keys = Object.keys(inputSchema).filter((key) => key !== "$schema" && key !== "description");
  if (keys.length === 0) return null;
  try {
    return z.fromJSONSchema(inputSchema as z.core.JSONSchema.JSONSchema);
  } catch (error) {
    log.warn("schema not understood", { name: definition.name, error: describe(error) });
    return null;
  }
}
