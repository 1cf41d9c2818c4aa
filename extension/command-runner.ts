import * as vscode from "vscode";
import { AppError, fromUnknown } from "../shared/errors.ts";
import type { App, Command, CommandTable } from "./app-context.ts";
import type { CommandArgs, CommandId } from "./contributions.ts";
import { explainOffline } from "./offline-help.ts";
import { registerCommand } from "./typed-api.ts";

/** Registers every command; what one throws is told once, in words, with what may help. */
export function registerCommands(app: App, table: CommandTable): void {
  for (const id of Object.keys(table) as CommandId[])
    app.register(
      registerCommand(id, (...args) => runCommand(app, id, table[id] as AnyCommand, args)),
    );
}

type AnyCommand = Command<readonly never[]>;

async function runCommand<C extends CommandId>(
  app: App,
  id: C,
  command: AnyCommand,
  args: CommandArgs[C],
): Promise<void> {
  app.log.debug("command called", { id });
  try {
    if (command.whenOffline === "run") await command.run(...(args as never[]));
    else await command.run(await clientFor(app, command.whenOffline), ...(args as never[]));
  } catch (error) {
    if (error instanceof vscode.CancellationError) return;
    tell(app, id, error);
  }
}

/** `start` waits for a connection and may start a daemon; `explain` takes the one that stands. */
async function clientFor(app: App, whenOffline: "start" | "explain") {
  if (whenOffline === "start") return app.connected();
  const client = app.client();
  const { kind } = app.connection.get();
  if (client !== null && kind === "connected") return client;
  // Nobody has looked yet: a window in which nothing but this command was used.
  if (kind === "idle" || kind === "connecting") return app.connected();
  throw new OfflineError();
}

/** There is no connection, which its state explains better than any message. */
export class OfflineError extends AppError {
  constructor() {
    super("broker-unavailable", { what: "there is no connection" });
    this.name = "OfflineError";
  }
}

function tell(app: App, id: CommandId, error: unknown): void {
  const state = app.connection.get();
  if (error instanceof OfflineError) {
    app.log.warn("command refused without a connection", { id, connection: state.kind });
    explainOffline(app, state);
    return;
  }
  const known = fromUnknown(error);
  if (known.code === "internal" && error instanceof Error)
    app.log.error("command failed", { id, stack: error.stack });
  app.notifications.failed(known);
}
