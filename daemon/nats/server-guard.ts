import { runProgram } from "./run-program.ts";

/** How to start a program so that it ends when this process ends, whatever ends it. */
export interface GuardedCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** `pipe`: the guard watches standard input, so it must stay open as long as the program shall live. */
  readonly stdin: "ignore" | "pipe";
  /** A session of its own: Ctrl-C in a terminal must reach the daemon only, which then stops the server in order. */
  readonly detached: boolean;
}

/**
 * A shell that stays beside the program and ends it when standard input ends, which it does with the process that holds
 * the other end. It passes SIGTERM on and exits as the program did.
 */
const STDIN_GUARD = `
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
trap 'kill -TERM "$server"' TERM INT HUP
( while read -r _ <&3; do :; done; kill -TERM "$server" ) &
watcher=$!
exec 3<&-
while kill -0 "$server" 2>/dev/null; do wait "$server"; status=$?; done
kill "$watcher" 2>/dev/null
exit "$status"
`;

/** The guard for a platform as Node names it; `hasSetpriv` from `canSetpriv`. */
export function guardedCommand(
  program: string,
  args: readonly string[],
  machine: { readonly platform: NodeJS.Platform; readonly hasSetpriv: boolean },
): GuardedCommand {
  // Windows ends a process's children with it by itself, unless they are detached.
  if (machine.platform === "win32")
    return { command: program, args, stdin: "ignore", detached: false };
  if (machine.hasSetpriv)
    return {
      command: "setpriv",
      args: ["--pdeathsig", "TERM", program, ...args],
      stdin: "ignore",
      detached: true,
    };
  return {
    command: "/bin/sh",
    args: ["-c", STDIN_GUARD, "guard", program, ...args],
    stdin: "pipe",
    detached: true,
  };
}

/** Whether this machine's `setpriv` knows the parent-death signal; BusyBox's does not. */
export async function canSetpriv(platform: NodeJS.Platform = process.platform): Promise<boolean> {
  if (platform !== "linux") return false;
  return runProgram("setpriv", ["--pdeathsig", "TERM", "true"], { timeoutMs: 5000 }).then(
    () => true,
    // Ignored: whatever is wrong with it, the other guard is used.
    () => false,
  );
}
