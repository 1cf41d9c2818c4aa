import { chmodSync, openSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { type LevelWithSilent, type Logger, pino } from "pino";
import { openLogSink } from "./log-sink.ts";
import { makePrivateDirs } from "./make-private-dirs.ts";

/** Facts beside an event: ids, counts, durations. Never payloads. */
export type LogData = Readonly<Record<string, unknown>>;

/** One line is one fact: `event` says in the past tense what happened, `data` to what. */
export interface Log {
  debug(event: string, data?: LogData): void;
  info(event: string, data?: LogData): void;
  warn(event: string, data?: LogData): void;
  error(event: string, data?: LogData): void;
  /** A log whose lines all carry `bindings`, e.g. `{ service: "nats-server" }`. */
  child(bindings: LogData): Log;
}

/** The daemon's own log file, until `close`. */
export interface LogFile {
  readonly log: Log;
  readonly file: string;
  setLevel(level: LevelWithSilent): void;
  /** Writes what is still in memory. Safe to call while the process ends. */
  flush(): void;
  close(): void;
}

/** How a log file is written. */
export interface LogFileOptions {
  readonly dir: string;
  readonly level: LevelWithSilent;
  /** Name without ending; `daemon` gives `daemon.log`. */
  readonly name?: string;
  readonly maxBytes?: number;
  readonly keep?: number;
}

const MAX_BYTES = 10 * 1024 * 1024;
const KEPT_FILES = 5;

/**
 * Opens `<dir>/<name>.log` (0600) for JSON lines. The former one becomes `.1`, `.2` … at the start and when it has
 * grown past `maxBytes`; the oldest goes. Lines are written outside the callers' turn, so that logging never waits for
 * the disk; seeds and passwords in addresses never reach the file, whatever field they stand in.
 */
export async function openLogFile(options: LogFileOptions): Promise<LogFile> {
  const { dir, maxBytes = MAX_BYTES, keep = KEPT_FILES } = options;
  makePrivateDirs(dir);
  const file = join(dir, `${options.name ?? "daemon"}.log`);
  let sizeBytes = 0;
  const sink = openLogSink({
    open() {
      rotate(file, keep);
      sizeBytes = 0;
      return openSync(file, "w", 0o600);
    },
    isFull(writtenBytes) {
      sizeBytes += writtenBytes;
      return sizeBytes >= maxBytes;
    },
    // A full disk must not end the daemon; standard error is what is left to say it on.
    onFailed: (why) => console.error(`log file ${file}: ${why}`),
  });
  const root = pino(
    { level: options.level, base: null, hooks: { streamWrite: hideSecrets } },
    sink,
  );
  return {
    log: toLog(root),
    file,
    setLevel: (level) => {
      root.level = level;
    },
    flush: sink.flush,
    close: sink.close,
  };
}

/** A log that keeps nothing. */
export const noLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => noLog,
};

function toLog(logger: Logger): Log {
  return {
    debug: (event, data) => logger.debug({ event, ...data }),
    info: (event, data) => logger.info({ event, ...data }),
    warn: (event, data) => logger.warn({ event, ...data }),
    error: (event, data) => logger.error({ event, ...data }),
    child: (bindings) => toLog(logger.child(bindings)),
  };
}

/** Seeds of nkeys, and user and password in an address. */
export function hideSecrets(text: string): string {
  return text
    .replace(/\bS[UANCOX][A-Z2-7]{56}\b/g, "[secret]")
    .replace(/:\/\/[^/@\s"]+@/g, "://[secret]@");
}

/** `x.log` becomes `x.log.1`, `.1` becomes `.2` …; an empty or missing file stays. */
function rotate(file: string, keep: number): void {
  if (sizeOf(file) === 0) return;
  for (let n = keep - 1; n >= 1; n -= 1) {
    if (sizeOf(`${file}.${n}`) > 0) renameSync(`${file}.${n}`, `${file}.${n + 1}`);
  }
  renameSync(file, `${file}.1`);
  chmodSync(`${file}.1`, 0o600);
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
