import { createInterface } from "node:readline/promises";
import { styleText } from "node:util";
import { systemClock } from "../clock.ts";
import { listenForSignals } from "../lifecycle/signals.ts";
import type { ConnectedClient, ConnectOptions } from "../sdk/connect.ts";

/** Everything of the process that a command may touch, so that tests can stand in for it. */
export interface CliIo {
  /** Standard output: the result and nothing else. */
  out(text: string): void;
  /** Standard error: progress, hints, errors. */
  err(text: string): void;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  /** Whether a person can answer questions. */
  readonly canAsk: boolean;
  /** Width of the terminal; without one nothing limits a line. */
  readonly columns: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  now(): number;
  connect(options: ConnectOptions): Promise<ConnectedClient>;
  /** One line from the person. */
  ask(question: string): Promise<string>;
  readInput(): Promise<string>;
  /** Aborted by the first Ctrl-C or SIGTERM; the second ends the process. */
  readonly stop: AbortSignal;
}

/** The real process. */
export function processIo(): CliIo {
  const { stdout, stderr, stdin } = process;
  // A reader that has seen enough closes the pipe (`| head`): that ends the work, it is no failure.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? 0 : 1);
  });
  let stop: AbortSignal | undefined;
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    outIsTerminal: stdout.isTTY === true,
    errIsTerminal: stderr.isTTY === true,
    canAsk: stdin.isTTY === true && stderr.isTTY === true,
    columns: stdout.columns ?? Number.POSITIVE_INFINITY,
    env: process.env,
    cwd: process.cwd(),
    now: () => Date.now(),
    connect: async (options) => (await import("../sdk/connect.ts")).connect(options),
    async ask(question) {
      const reader = createInterface({ input: stdin, output: stderr });
      try {
        return await reader.question(question);
      } finally {
        reader.close();
      }
    },
    readInput: async () => (await stdin.toArray()).join(""),
    // Only who waits for it takes over the signals: Ctrl-C ends any other command at once.
    get stop() {
      stop ??= stopSignal();
      return stop;
    },
  };
}

function stopSignal(): AbortSignal {
  const controller = new AbortController();
  listenForSignals(
    { source: process, clock: systemClock },
    {
      graceful: () => controller.abort(new Interrupted()),
      force: () => process.exit(130),
    },
  );
  return controller.signal;
}

/** A person pressed Ctrl-C, or the process was asked to end. */
export class Interrupted extends Error {
  constructor() {
    super("interrupted");
    this.name = "Interrupted";
  }
}

export type Style = Parameters<typeof styleText>[0];
/** Colours text, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

/** Colours only on a terminal, and never against NO_COLOR. */
export function paintFor(isTerminal: boolean, env: CliIo["env"]): Paint {
  const colours = isTerminal && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  return colours ? (style, text) => styleText(style, text, { validateStream: false }) : plain;
}

export const plain: Paint = (_, text) => text;
