import type { CliIo } from "../../../../daemon/cli/io.ts";
import { runCli } from "../../../../daemon/cli/run-cli.ts";
import type { ConnectedClient } from "../../../../daemon/sdk/connect.ts";
import { AppError } from "../../../../shared/errors.ts";

export const NOW_MS = Date.parse("2026-05-01T12:00:00Z");

export interface Ran {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line against a client made of the given answers; without one no daemon runs. */
export async function runWith(
  argv: readonly string[],
  client: Partial<ConnectedClient> | null,
  overrides: Partial<CliIo> = {},
): Promise<Ran> {
  let out = "";
  let err = "";
  const io: CliIo = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    outIsTerminal: false,
    errIsTerminal: false,
    canAsk: false,
    columns: Number.POSITIVE_INFINITY,
    env: {},
    cwd: "/somewhere",
    now: () => NOW_MS,
    async connect() {
      if (client === null) throw new AppError("daemon-not-running", { dataDir: "/data" });
      return { user: "ann", close: async () => {}, ...client } as ConnectedClient;
    },
    ask: async () => "",
    readInput: async () => "",
    stop: new AbortController().signal,
    ...overrides,
  };
  const exit = await runCli(argv, io);
  return { exit, out, err };
}
