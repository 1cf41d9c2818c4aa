import { writeSync } from "node:fs";
import { pino } from "pino";
import type { Log } from "./log.ts";

const STDOUT = 1;
const PAUSE_MS = 10;
const PAUSES = 200;

/** A log of JSON lines on standard output, for processes whose output somebody else keeps. */
export function createStdoutLog(bindings: Record<string, unknown>, level: string): Log {
  const logger = pino(
    { level, base: bindings, timestamp: pino.stdTimeFunctions.isoTime, messageKey: "event" },
    { write: (line) => writeNow(Buffer.from(line)) },
  );
  const wrap = (inner: typeof logger): Log => ({
    debug: (event, data) => inner.debug(data ?? {}, event),
    info: (event, data) => inner.info(data ?? {}, event),
    warn: (event, data) => inner.warn(data ?? {}, event),
    error: (event, data) => inner.error(data ?? {}, event),
    child: (more) => wrap(inner.child(more)),
  });
  return wrap(logger);
}

/** At once, so that the last line before a crash is there. What a full disk does not take is dropped. */
function writeNow(bytes: Buffer): void {
  let rest = bytes;
  for (let pauses = 0; rest.length > 0 && pauses < PAUSES; ) {
    try {
      rest = rest.subarray(writeSync(STDOUT, rest));
    } catch (error) {
      // Ignored: a log that cannot be written must not end what it tells of. A full pipe has a reader and is waited for.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
      pauses += 1;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}

/**
 * For processes whose standard output and error are files: without a listener the first line that a full disk does not
 * take would end the process.
 */
export function outliveFullDisk(): void {
  // Ignored: there is no other place to tell of it; the log file and the status say that the disk is full.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}
