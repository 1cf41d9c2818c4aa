import { decodeRecord, type JournalRecord } from "../../shared/task.ts";

/** A journal record as the follower received it. `record` is null when the text is not a record. */
export interface FollowedRecord {
  readonly seq: number;
  readonly id: string;
  readonly queue: string;
  /** When the broker stored it, in ns since 1970, as text. */
  readonly time: string;
  readonly text: string;
  readonly record: JournalRecord | null;
}

/** A longer record is kept in the timeline without its result: the task's row has that already. */
const DETAIL_LIMIT = 4096;

/** Parses what was received; never throws, because one bad message must not stop the audit. */
export function toFollowedRecord(
  seq: number,
  id: string,
  queue: string,
  time: string,
  text: string,
): FollowedRecord {
  try {
    return { seq, id, queue, time, text, record: decodeRecord(text) };
  } catch {
    // Ignored: the batch writes it into the timeline as unreadable.
    return { seq, id, queue, time, text, record: null };
  }
}

/** The record's result as the JSON text that was written; null when it has none. */
export function resultText({ text, record }: FollowedRecord): string | null {
  if (record?.r === undefined) return null;
  if (hasRoundedNumber(record.r)) return memberText(text, "r") ?? JSON.stringify(record.r);
  return JSON.stringify(record.r);
}

/** An integer that JSON.parse may have rounded. */
function hasRoundedNumber(value: unknown): boolean {
  if (typeof value === "number") return Number.isInteger(value) && !Number.isSafeInteger(value);
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some(hasRoundedNumber);
}

/** What the timeline keeps of a record: the record itself, or its head when it is long. */
export function detailText({ text, record }: FollowedRecord): string {
  if (record === null) return JSON.stringify({ unreadable: text.slice(0, DETAIL_LIMIT) });
  if (text.length <= DETAIL_LIMIT) return text;
  const { r: _result, ev, run, ...kept } = record;
  return JSON.stringify({ ...kept, events: ev?.length ?? 0, run: run?.id, bytes: text.length });
}

/**
 * The text of one member of a JSON object, as written: JSON.parse would round integers beyond 2^53.
 * `json` must be valid JSON; null when the member is absent.
 */
export function memberText(json: string, key: string): string | null {
  const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;
  let depth = 0;
  let last = "";
  let wanted = -1;
  for (let token = tokens.exec(json); token !== null; token = tokens.exec(json)) {
    const [text] = token;
    if (wanted !== -1 && depth === 1 && (text === "," || text === "}"))
      return json.slice(wanted, token.index).trim();
    if (text === "{" || text === "[") depth += 1;
    else if (text === "}" || text === "]") depth -= 1;
    else if (text === ":" && depth === 1 && last === `"${key}"` && wanted === -1)
      wanted = tokens.lastIndex;
    last = text;
  }
  return null;
}
