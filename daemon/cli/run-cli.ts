import { CommanderError } from "commander";
import { AppError, fromUnknown } from "../../shared/errors.ts";
import { printError } from "./context.ts";
import { type CliIo, Interrupted } from "./io.ts";
import { buildProgram } from "./program.ts";

/** As shells count a process that Ctrl-C ended. */
const INTERRUPTED_EXIT = 130;

/**
 * Runs one command line and answers the exit code: 0 done, 1 the run or task failed, 2 usage or settings, 3 already
 * running, 4 no daemon, 5 not permitted, 6 not found or not in that state, 124 a wait timed out.
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  let exit = 0;
  const program = buildProgram(io, (code) => {
    exit = code;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (error instanceof Interrupted) return INTERRUPTED_EXIT;
    const failure = error instanceof CommanderError ? usageError(error) : fromUnknown(error);
    printError(io, argv.includes("--json"), failure.toWire());
    // A defect of ours: its stack helps whoever reports it.
    if (failure.code === "internal" && error instanceof Error && io.env["MSGSYS_DEBUG"])
      io.err(`${error.stack ?? ""}\n`);
    return failure.exitCode;
  }
}

/** Commander words its own errors as `error: unknown option '--x'`. */
function usageError(error: CommanderError): AppError {
  const text = error.message
    .replace(/^error: /, "")
    .replace(/\s*\n\(Did you mean (.*)\)$/s, ". Did you mean $1")
    .trim();
  const what =
    text === "(outputHelp)"
      ? "Name one of the commands above."
      : `${text[0]?.toUpperCase()}${text.slice(1)}`;
  return new AppError("bad-usage", { what: /[.?)]$/.test(what) ? what : `${what}.` }, error);
}
