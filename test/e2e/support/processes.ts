import { readdirSync, readFileSync } from "node:fs";

/** A process that runs now. */
export interface Running {
  readonly pid: number;
  readonly command: string;
}

/** The processes of this machine that were started with `mark` among their arguments or in their environment. */
export function processesWith(mark: string): Running[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      const command = read(`/proc/${name}/cmdline`);
      const isMarked = command.includes(mark) || read(`/proc/${name}/environ`).includes(mark);
      return isMarked ? [{ pid: Number(name), command: command.replaceAll("\0", " ").trim() }] : [];
    });
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // Ignored: it ended meanwhile, or belongs to somebody else.
    return "";
  }
}

/** Ends a process; one that is gone is no failure. */
export function kill(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Ignored: it is gone.
  }
}
