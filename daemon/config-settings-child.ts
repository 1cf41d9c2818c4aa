import { pathToFileURL } from "node:url";
import { describe } from "../shared/errors.ts";
import type { ConfigAnswer } from "./config-settings.ts";
import { resolveSdk } from "./resolve-sdk.ts";

/** Entry of a process that loads a workspace's configuration file, tells its `settings` to its parent and ends. */
const file = process.argv[2]!;
const fileUrl = pathToFileURL(file).href;

resolveSdk();

async function load(): Promise<ConfigAnswer> {
  try {
    const config = (await import(fileUrl)) as {
      settings?: unknown;
      default?: { settings?: unknown };
    };
    const settings = config.settings ?? config.default?.settings ?? null;
    return { settings: settings === null ? null : JSON.stringify(settings) };
  } catch (error) {
    return { what: describe(error), line: lineOf(error) };
  }
}

/** The line of the configuration file that the error's trace names first. */
function lineOf(error: unknown): number | null {
  const trace = error instanceof Error ? (error.stack ?? "") : "";
  for (const name of [fileUrl, file]) {
    const at = trace.indexOf(`${name}:`);
    const line = at === -1 ? Number.NaN : Number.parseInt(trace.slice(at + name.length + 1), 10);
    if (Number.isInteger(line)) return line;
  }
  return null;
}

process.send?.(await load());
