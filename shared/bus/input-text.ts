import type * as z from "zod";
import { AppError, describe } from "../errors.ts";

/** What the client needs of a task definition: enough to check an input and to type its result. */
export interface TaskRef<Input = unknown, Result = unknown> {
  readonly name: string;
  readonly input: z.ZodType<unknown, Input>;
  readonly output: z.ZodType<Result> | null;
  readonly priority?: number;
}

const encoder = new TextEncoder();
const NOT_ASCII = /[^\0-\x7f]/;

/** Size of the text in bytes of UTF-8. */
export function utf8Bytes(text: string): number {
  // Counting needs no copy for plain ASCII, which most payloads are.
  return NOT_ASCII.test(text) ? encoder.encode(text).length : text.length;
}

/**
 * The input as the JSON text that is stored and delivered.
 * Throws `input-not-json` (cycles, BigInt, undefined, functions) and `payload-too-large`.
 */
export function inputText(name: string, input: unknown, limitBytes: number): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(input);
  } catch (error) {
    throw new AppError("input-not-json", { name, what: firstLine(describe(error)) }, error);
  }
  if (text === undefined)
    throw new AppError("input-not-json", { name, what: `${typeof input} has no JSON form` });
  return checkSize(name, text, limitBytes);
}

/** JSON text that a person wrote, passed on as it stands so that 64-bit integers stay exact. */
export function checkedJson(name: string, text: string, limitBytes: number): string {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new AppError("input-not-json", { name, what: describe(error) }, error);
  }
  return checkSize(name, text, limitBytes);
}

function checkSize(name: string, text: string, limitBytes: number): string {
  const size = utf8Bytes(text);
  if (size > limitBytes) throw new AppError("payload-too-large", { name, size, limit: limitBytes });
  return text;
}

/** V8 explains a cycle over several lines; the first says it. */
function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? text;
}

/**
 * Checks an input against the schema of its definition; throws `input-invalid` with the path.
 * Answers a promise only when the schema has asynchronous parts. The input travels as the caller wrote it:
 * the worker parses it again and applies defaults and transforms there, once.
 */
export function checkInput(task: TaskRef, input: unknown): undefined | Promise<void> {
  const schema = task.input as z.ZodType;
  try {
    refuse(task.name, schema.safeParse(input));
  } catch (error) {
    if (!isAsyncSchema(error)) throw error;
    return schema.safeParseAsync(input).then((result) => refuse(task.name, result));
  }
  return undefined;
}

function refuse(name: string, result: z.ZodSafeParseResult<unknown>): void {
  if (result.success) return;
  const [issue] = result.error.issues;
  const path = issue?.path.map(String).join(".") || "(the whole input)";
  throw new AppError(
    "input-invalid",
    { name, path, what: issue?.message ?? "it does not fit the schema" },
    result.error,
  );
}

function isAsyncSchema(error: unknown): boolean {
  return error instanceof Error && error.constructor.name === "$ZodAsyncError";
}
