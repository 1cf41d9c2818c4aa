import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** Follows a file that grows, and its successors of the same name. */
export interface Tail {
  stop(): void;
}

const LOOK_EVERY_MS = 500;
/** So much of what was there before is shown. */
const FIRST_BYTES = 64 * 1024;
const CHUNK_BYTES = 256 * 1024;

/**
 * Calls back with each whole line of `file`: the end of what is there already, then what comes. A file that is missing is
 * waited for; one that was replaced (rotation, a restart) is read from its beginning.
 */
export function tailFile(file: string, onLine: (line: string) => void): Tail {
  let place: Place = { inode: null, at: 0, rest: Buffer.alloc(0) };
  const look = (): void => {
    place = readOn(file, place, onLine);
  };
  look();
  const timer = setInterval(look, LOOK_EVERY_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

interface Place {
  /** Of the file that was read last; null before the first. */
  readonly inode: number | null;
  readonly at: number;
  /** Bytes of a line that is not complete yet. */
  readonly rest: Buffer;
}

function readOn(file: string, place: Place, onLine: (line: string) => void): Place {
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch {
    // Ignored: a file that is not there yet, or not for a moment, is looked for again.
    return place;
  }
  try {
    const { ino, size } = fstatSync(descriptor);
    const isFirst = place.inode === null;
    const isOther = !isFirst && (ino !== place.inode || size < place.at);
    const from = isFirst ? Math.max(0, size - FIRST_BYTES) : isOther ? 0 : place.at;
    const kept = isOther ? Buffer.alloc(0) : place.rest;
    const { at, bytes } = readFrom(descriptor, from);
    // The first line of a file that is begun in its middle is cut off.
    const text = isFirst && from > 0 ? bytes.subarray(bytes.indexOf(NEWLINE) + 1) : bytes;
    return { inode: ino, at, rest: splitLines(Buffer.concat([kept, text]), onLine) };
  } finally {
    closeSync(descriptor);
  }
}

function readFrom(descriptor: number, from: number): { at: number; bytes: Buffer } {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const length = readSync(descriptor, chunk, 0, CHUNK_BYTES, from);
  return { at: from + length, bytes: chunk.subarray(0, length) };
}

const NEWLINE = 0x0a;

/** Whole lines go out; what follows the last of them comes back. */
function splitLines(bytes: Buffer, onLine: (line: string) => void): Buffer {
  let begin = 0;
  for (;;) {
    const end = bytes.indexOf(NEWLINE, begin);
    if (end === -1) return Buffer.from(bytes.subarray(begin));
    const line = bytes.subarray(begin, end).toString("utf8").trimEnd();
    if (line !== "") onLine(line);
    begin = end + 1;
  }
}
