import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { AppError } from "../shared/errors.ts";
import { entryUrl } from "./entry.ts";

const LIMIT_MS = 5000;
const CHILD = fileURLToPath(entryUrl("config-settings-child"));

/** What the child process tells: the settings as JSON text, or why there are none. */
export type ConfigAnswer =
  | { readonly settings: string | null }
  | { readonly what: string; readonly line: number | null };

/**
 * The `settings` that a workspace's `msgsys.config.ts` exports, or null. The file is the author's own program, so it
 * runs in a process of its own, for at most `limitMs` (5 s), and what it prints goes nowhere.
 * Throws `bad-config-file` with the place of the fault.
 */
export async function readConfigSettings(file: string, limitMs = LIMIT_MS): Promise<unknown> {
  const answer = await askChild(file, limitMs);
  if ("what" in answer)
    throw new AppError("bad-config-file", { file, line: answer.line ?? 1, what: answer.what });
  return answer.settings === null ? null : JSON.parse(answer.settings);
}

function askChild(file: string, limitMs: number): Promise<ConfigAnswer> {
  return new Promise((resolve) => {
    const child = fork(CHILD, [file], {
      execArgv: [],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      timeout: limitMs,
      killSignal: "SIGKILL",
    });
    child.once("message", (message) => {
      resolve(message as ConfigAnswer);
      child.kill("SIGKILL");
    });
    child.once("error", (error) => resolve({ what: error.message, line: null }));
    child.once("exit", (code, signal) => {
      const what =
        signal === "SIGKILL"
          ? `it did not finish loading within ${limitMs} ms`
          : `it ended the process that loaded it (${signal ?? `exit code ${code}`})`;
      resolve({ what, line: null });
    });
  });
}
