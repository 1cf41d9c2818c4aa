import { isoInstant } from "../../shared/time.ts";
import { durationWords, levelWords } from "./words.ts";

type Reader = (value: unknown, detail: Readonly<Record<string, unknown>>) => string | null;

const text = (value: unknown): string =>
  typeof value === "string" ? value : (JSON.stringify(value) ?? "");
const nothing: Reader = () => null;

/**
 * Keys of a journal record in words. `null`: said elsewhere in the line (status, who, when, which task) or a place on the
 * broker that tells a person nothing.
 */
const WORDS: Readonly<Record<string, Reader>> = {
  s: nothing,
  t: nothing,
  n: nothing,
  m: nothing,
  x: nothing,
  st: nothing,
  by: nothing,
  role: nothing,
  run: (value) => `run ${(value as { id?: string } | null)?.id ?? text(value)}`,
  g: (value) => (value === 1 ? null : `generation ${text(value)}`),
  a: (value) => (value === 0 ? null : `attempt ${text(value)}`),
  l: (value, { from }) =>
    typeof from === "number"
      ? `level ${from} → ${levelWords(Number(value))}`
      : `level ${levelWords(Number(value))}`,
  from: nothing,
  act: text,
  why: (value) => `“${text(value)}”`,
  w: (value) => `worker ${text(value)}`,
  due: (value) => `due ${isoInstant(Number(value))}`,
  du: (value) => `took ${durationWords(Number(value))}`,
  lost: (value) => `${text(value)} workers lost in a row`,
  r: (value) => `result ${text(value)}`,
  rr: (value) => `result of ${text(value)} bytes`,
  e: (value) => (value as { message?: string } | null)?.message ?? text(value),
  dead: (value) => `dead: ${text(value)}`,
};

/** The detail of an audit event as a person reads it; keys without words of their own stand as they are. */
export function detailWords(detail: Readonly<Record<string, unknown>>): string {
  return Object.entries(detail)
    .map(([key, value]) => {
      const reader = WORDS[key];
      return reader === undefined ? `${key} ${text(value)}` : reader(value, detail);
    })
    .filter((words) => words !== null)
    .join(", ");
}
