import { AppError, type WireError } from "../../shared/errors.ts";
import type { ConnectedClient } from "../sdk/connect.ts";
import { dataDirOf } from "../sdk/data-dir.ts";
import { type CliIo, type Paint, paintFor } from "./io.ts";

/** The options that every command knows. */
export interface GlobalOptions {
  readonly data?: string;
  readonly json?: boolean;
  readonly user?: string;
  readonly creds?: string;
  readonly url?: string;
  /** False with `--no-start`. */
  readonly start: boolean;
}

/** What a command works with. */
export interface Context {
  readonly io: CliIo;
  readonly globals: GlobalOptions;
  readonly json: boolean;
  /** Absolute. */
  readonly dataDir: string;
  /** For standard output. */
  readonly paint: Paint;
  /** For standard error. */
  readonly errPaint: Paint;
  /** The result: as one line of JSON with `--json`, else the words for people. */
  result(value: unknown, words: () => string): void;
  /** A line on standard error. */
  hint(text: string): void;
  /** The connection, made at the first call. With `start` a daemon is started when none runs, unless `--no-start`. */
  client(options?: { readonly start?: boolean }): Promise<ConnectedClient>;
  close(): Promise<void>;
}

export function createContext(io: CliIo, globals: GlobalOptions): Context {
  const json = globals.json ?? false;
  const dataDir = dataDirOf(globals.data, io.env);
  let connecting: Promise<ConnectedClient> | null = null;
  const hint = (text: string): void => io.err(`${text}\n`);

  const connect = async (start: boolean): Promise<ConnectedClient> => {
    const { url, user, creds } = globals;
    const options = { dataDir, url, user, creds, name: "cli" };
    try {
      return await io.connect(options);
    } catch (error) {
      const absent = error instanceof AppError && error.code === "daemon-not-running";
      if (!absent || !start || !globals.start || url !== undefined) throw error;
      const { ensureDaemon } = await import("./start-daemon.ts");
      hint(`No daemon runs on ${dataDir}, starting one (it stays up; \`msgsys down\` stops it).`);
      const onWait = (why: AppError): void =>
        hint(`${why.message} Waiting for it to become ready.`);
      await ensureDaemon({ dataDir, workspace: io.cwd, now: io.now, onWait });
      return io.connect(options);
    }
  };

  return {
    io,
    globals,
    json,
    dataDir,
    paint: paintFor(io.outIsTerminal, io.env),
    errPaint: paintFor(io.errIsTerminal, io.env),
    result(value, words) {
      const text = json ? JSON.stringify(value) : words();
      if (text !== "") io.out(`${text}\n`);
    },
    hint,
    client(options) {
      connecting ??= connect(options?.start ?? false);
      return connecting;
    },
    async close() {
      // Ignored: a connection that failed was told to whoever asked for it.
      const client = await connecting?.catch(() => null);
      await client?.close();
    },
  };
}

/** One sentence and its remedy on standard error; with `--json` also one object on standard output. */
export function printError(
  io: Pick<CliIo, "out" | "err" | "errIsTerminal" | "env">,
  json: boolean,
  error: WireError,
): void {
  const paint = paintFor(io.errIsTerminal, io.env);
  io.err(
    `${paint("red", "Error:")} ${error.message}\n${error.hint === "" ? "" : `${error.hint}\n`}`,
  );
  const { code, message, hint } = error;
  if (json) io.out(`${JSON.stringify({ error: { code, message, hint } })}\n`);
}
