import { readFileSync } from "node:fs";

/**
 * Whether a process with this id runs on this machine. One that has ended and was not collected by its parent counts as
 * ended: in a container nobody may ever collect it.
 */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it exists and belongs to another user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return process.platform !== "linux" || !isZombie(pid);
}

function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The state follows the program's name in parentheses, which may itself hold parentheses.
    return stat[stat.lastIndexOf(")") + 2] === "Z";
  } catch {
    // Ignored: without /proc the first answer stands.
    return false;
  }
}
