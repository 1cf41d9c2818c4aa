import { type Command, createCommand } from "commander";
import { type Context, createContext, type GlobalOptions } from "./context.ts";
import type { CliIo } from "./io.ts";
import { addDaemonCommands } from "./program-daemon.ts";
import { addTaskCommands } from "./program-tasks.ts";

const HELP_WIDTH = 100;

/** What a command's file exports. Arguments and options come as `program-*.ts` declares them. */
export interface CommandModule<Args = never, Options = never> {
  /** Answers the exit code; nothing means 0. */
  run(context: Context, args: Args, options: Options): Promise<number | undefined>;
}

/** Makes the action of a command, whose file is loaded only when it runs: a short command starts fast. */
export type Lazy = (load: () => Promise<CommandModule>) => (...given: unknown[]) => Promise<void>;

/** The whole command line. `done` hears the exit code of the command that ran. */
export function buildProgram(io: CliIo, done: (exit: number) => void): Command {
  const program = createCommand("msgsys")
    .description("Tasks, events and pipelines: run them, watch them, put them first")
    .option("--data <dir>", "data directory (or MSGSYS_DATA)")
    .option("--json", "print the result as JSON")
    .option("--user <name>", "who asks (or MSGSYS_USER)")
    .option("--creds <file>", "seed file to log in with (or MSGSYS_CREDS)")
    .option("--url <url>", "NATS address of a daemon on another machine")
    .option("--no-start", "never start a daemon")
    .helpCommand("help [command]", "help on a command")
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.err(text),
      // The error itself is worded once, by the caller of the program.
      outputError: () => {},
      getOutHelpWidth: () => Math.min(io.columns, HELP_WIDTH),
    });
  const lazy: Lazy =
    (load) =>
    async (...given) => {
      const command = given.at(-1) as Command;
      const context = createContext(io, program.opts<GlobalOptions>());
      try {
        const { run } = (await load()) as CommandModule<unknown, unknown>;
        done((await run(context, command.processedArgs, command.opts())) ?? 0);
      } finally {
        await context.close();
      }
    };
  addDaemonCommands(program, lazy);
  addTaskCommands(program, lazy);
  program
    .command("completions")
    .argument("<shell>", "bash, zsh or fish")
    .description("print a completion script for a shell")
    .action(
      lazy(async () => {
        const { completionsOf } = await import("./completions.ts");
        return completionsOf(program);
      }),
    );
  return program;
}
