import { execFile } from "node:child_process";

/** What a program wrote before it ended well. */
export interface ProgramOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and how long a program may run. */
export interface ProgramOptions {
  readonly timeoutMs: number;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a program to its end without a shell; rejects with one sentence naming it and the last line it wrote. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<ProgramOutput> {
  return new Promise((resolve, reject) => {
    const execOptions = {
      timeout: options.timeoutMs,
      maxBuffer: 16 * 1024 * 1024,
      windowsHide: true,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
    };
    const child = execFile(program, args, execOptions, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, stderr });
      else
        reject(new Error(`${program}: ${whyItFailed(error, stderr, options)}`, { cause: error }));
    });
    child.stdin?.end();
  });
}

function whyItFailed(
  error: Error & { code?: unknown; killed?: boolean },
  stderr: string,
  options: ProgramOptions,
): string {
  if (error.code === "ENOENT") return "not found";
  if (error.code === "EACCES") return "not executable";
  if (error.killed === true) return `did not end within ${options.timeoutMs} ms`;
  const lastLine = stderr.trim().split("\n").at(-1) ?? "";
  return lastLine === "" ? `failed with exit code ${String(error.code)}` : lastLine;
}
