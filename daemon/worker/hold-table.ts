/**
 * The acknowledgement subjects of the messages whose handlers run, in memory that the lease keeper's thread shares: while
 * a handler blocks the main loop, the thread extends these messages, so that no second copy starts.
 */
export interface HoldTable {
  readonly memory: SharedArrayBuffer;
  /** Returns the place; -1 when the table is full or the subject too long (the message is then extended by the main loop only). */
  put(ackSubject: string): number;
  take(place: number): void;
}

const PLACES = 512;
/** Two bytes of length, then the subject. */
const PLACE_BYTES = 192;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function createHoldTable(): HoldTable {
  const memory = new SharedArrayBuffer(PLACES * PLACE_BYTES);
  const bytes = new Uint8Array(memory);
  const free = Array.from({ length: PLACES }, (_, place) => place);
  return {
    memory,
    put(ackSubject) {
      if (ackSubject.length > PLACE_BYTES - 2) return -1;
      const place = free.pop();
      if (place === undefined) return -1;
      const at = place * PLACE_BYTES;
      encoder.encodeInto(ackSubject, bytes.subarray(at + 2, at + PLACE_BYTES));
      // The length is written last: a reader sees the whole subject or none.
      bytes[at + 1] = ackSubject.length;
      bytes[at] = 1;
      return place;
    },
    take(place) {
      if (place < 0) return;
      bytes[place * PLACE_BYTES] = 0;
      free.push(place);
    },
  };
}

/** The subjects in the table now, for the thread that reads it. */
export function heldSubjects(memory: SharedArrayBuffer): string[] {
  const bytes = new Uint8Array(memory);
  const subjects: string[] = [];
  for (let place = 0; place < PLACES; place++) {
    const at = place * PLACE_BYTES;
    if (bytes[at] !== 1) continue;
    const length = bytes[at + 1]!;
    // Decoders refuse shared memory: the bytes are copied out first.
    subjects.push(decoder.decode(Uint8Array.from(bytes.subarray(at + 2, at + 2 + length))));
  }
  return subjects;
}
