import { closeSync, write, writeSync } from "node:fs";
import { describe } from "../shared/errors.ts";

/** Where the lines of a log go. */
export interface LogSink {
  write(line: string): void;
  /** Writes at once what still waits. Safe to call while the process ends: it never waits for room on the disk. */
  flush(): void;
  close(): void;
}

/** What a sink needs. */
export interface LogSinkDeps {
  /** Opens an empty file to write, at the start and when `isFull` said so. */
  open(): number;
  /** Hears the bytes that were written, and answers whether the next ones go to a new file. */
  isFull(writtenBytes: number): boolean;
  /** Hears of the first write that failed, and not of the next ones until one works again. */
  onFailed(why: string): void;
}

/**
 * A sink that writes what gathered meanwhile, one write at a time, outside the callers' turn. Lines that the disk does not
 * take are dropped. Our own, because the flush of pino's (sonic-boom) tries without end what a full disk refuses, and
 * the process could not stop.
 */
export function openLogSink(deps: LogSinkDeps): LogSink {
  let fd = deps.open();
  /** Where the next bytes go: a write that is repeated, or failed half done, is overwritten and not doubled. */
  let position = 0;
  const waiting: string[] = [];
  /** What the write under way writes; null when a flush has written it meanwhile. */
  let inFlight: Buffer | null = null;
  let isWriting = false;
  let isClosed = false;
  let isFailing = false;

  function settle(error: unknown, writtenBytes: number): void {
    if (error !== null && !isFailing) deps.onFailed(describe(error));
    isFailing = error !== null;
    position += writtenBytes;
    if (!deps.isFull(writtenBytes) || isClosed || isWriting) return;
    const former = fd;
    try {
      fd = deps.open();
      position = 0;
      closeSync(former);
    } catch (failure) {
      // The present file serves on.
      deps.onFailed(describe(failure));
    }
  }

  function writeNext(): void {
    if (isWriting || isClosed || waiting.length === 0) return;
    const bytes = Buffer.from(waiting.splice(0).join(""));
    inFlight = bytes;
    isWriting = true;
    write(fd, bytes, 0, bytes.length, position, (error, written) => {
      isWriting = false;
      const wasFlushed = inFlight === null;
      inFlight = null;
      if (!wasFlushed) settle(error, error === null ? written : 0);
      if (isClosed) closeSync(fd);
      else {
        if (error === null && !wasFlushed && written < bytes.length)
          waiting.unshift(bytes.subarray(written).toString());
        writeNext();
      }
    });
  }

  function flush(): void {
    const bytes = Buffer.concat([
      inFlight ?? Buffer.alloc(0),
      Buffer.from(waiting.splice(0).join("")),
    ]);
    inFlight = null;
    if (isClosed || bytes.length === 0) return;
    try {
      settle(null, writeSync(fd, bytes, 0, bytes.length, position));
    } catch (error) {
      settle(error, 0);
    }
  }

  return {
    write(line) {
      waiting.push(line);
      writeNext();
    },
    flush,
    close() {
      flush();
      if (isClosed) return;
      isClosed = true;
      // A write under way closes it when it ends.
      if (!isWriting) closeSync(fd);
    },
  };
}
