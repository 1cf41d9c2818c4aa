import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import type { CliIo } from "../../daemon/cli/io.ts";
import { runCli } from "../../daemon/cli/run-cli.ts";
import { connect } from "../../daemon/sdk.ts";

const MAIN = fileURLToPath(new URL("../../daemon/cli/main.ts", import.meta.url));

/** How a command line ended. */
export interface CliEnd {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Where a command line runs. */
export interface CliPlace {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Standard input. */
  readonly input?: string;
  /** Told of standard error as it comes, all of it so far; of `cliHere` only. */
  onErr?(err: string): void;
}

/** Runs a command line in this process, against the real daemon: quick enough for tables of commands. */
export async function cliHere(argv: readonly string[], place: CliPlace = {}): Promise<CliEnd> {
  let out = "";
  let err = "";
  const io: CliIo = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
      place.onErr?.(err);
    },
    outIsTerminal: false,
    errIsTerminal: false,
    canAsk: false,
    columns: Number.POSITIVE_INFINITY,
    env: { ...place.env },
    cwd: place.cwd ?? tmpdir(),
    now: () => Date.now(),
    connect,
    ask: async () => "",
    readInput: async () => place.input ?? "",
    stop: new AbortController().signal,
  };
  const code = await runCli(argv, io);
  return { code, out, err };
}

/** Starts a command line as a process of its own; the environment has no settings but those given. */
export function spawnCli(argv: readonly string[], place: CliPlace = {}): ChildProcess {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("MSGSYS_")),
  );
  return spawn(process.execPath, [MAIN, ...argv], {
    cwd: place.cwd ?? tmpdir(),
    env: { ...clean, ...place.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** Runs a command line as a process of its own until it ends. */
export async function cli(argv: readonly string[], place: CliPlace = {}): Promise<CliEnd> {
  const child = spawnCli(argv, place);
  let out = "";
  let err = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    err += chunk.toString();
  });
  child.stdin?.end(place.input ?? "");
  const [code] = (await once(child, "close")) as [number | null];
  return { code: code ?? -1, out, err };
}
