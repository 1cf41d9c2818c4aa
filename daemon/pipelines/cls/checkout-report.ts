import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import * as z from "zod";
import type { CLSPipelineResult, ClsPhase } from "./params.ts";

/** Text without a line end is handed out in pieces of this size, so that it cannot fill the memory. */
const MAX_LINE_CHARS = 1_024 * 1_024;
const COUNTS = [
  "rowsIn",
  "rowsNew",
  "rowsUpdated",
  "rowsSkipped",
  "rowsConflict",
  "rowsReview",
  "rowsFiltered",
] as const;

const shimResult = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true), returned: z.unknown() }),
  z.object({
    ok: z.literal(false),
    kind: z.enum(["missing", "entry", "exit", "crash"]),
    what: z.string(),
    missing: z.array(z.string()),
  }),
]);
/** The last word of the shim about a phase. */
export type ShimResult = z.output<typeof shimResult>;

const reportLine = z.object({
  t: z.string(),
  level: z.enum(["info", "warn", "error"]),
  phase: z.string(),
  msg: z.string(),
  result: shimResult.optional(),
});

/** A line of the checkout as it is logged; with `result` it was the last. */
export interface ReportLine {
  readonly level: "info" | "warn" | "error";
  readonly msg: string;
  readonly result?: ShimResult | undefined;
}

/** What a phase has said so far. `lines` counts all of its lines on standard output. */
export interface PhaseReport {
  lines: number;
  readonly warnings: string[];
}

/** A JSON line of the shim, or any other text as a log line of level info. */
export function parseReportLine(line: string): ReportLine {
  try {
    const parsed = reportLine.safeParse(JSON.parse(line));
    if (parsed.success) return parsed.data;
  } catch {
    // Ignored: programs print what they like; text that is no JSON is a log line.
  }
  return { level: "info", msg: line };
}

/** Hands out each line of a stream, without its end, the last one too when the stream ends without a newline. */
export function createLineSplitter(stream: Readable, take: (line: string) => void): void {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const give = (line: string): void => {
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (text.trim() !== "") take(text);
  };
  stream.on("data", (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) give(line);
    if (rest.length > MAX_LINE_CHARS) {
      give(rest);
      rest = "";
    }
  });
  stream.on("close", () => give(rest + decoder.end()));
}

/**
 * The phase's result from what the checkout's function returned: its counts when it gave an object with them
 * (`rowsIn` or `rows_in`), else zeros and a warning that says so.
 */
export function toPipelineResult(
  phase: ClsPhase,
  returned: unknown,
  warnings: readonly string[],
  run: { readonly dryRun: boolean; readonly durationMs: number },
): CLSPipelineResult {
  const given = typeof returned === "object" && returned !== null ? Object.entries(returned) : [];
  const values = new Map(given);
  const counts = COUNTS.map((name) => {
    const value =
      values.get(name) ?? values.get(name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`));
    return [name, Number.isInteger(value) ? (value as number) : null] as const;
  });
  const notes = [...warnings];
  if (run.dryRun) notes.push(`${phase}: dry run, only the imports of the checkout were checked`);
  else if (counts.every(([, count]) => count === null)) {
    notes.push(`${phase}: the checkout reports no row counts`);
  }
  const rows = Object.fromEntries(counts.map(([name, count]) => [name, count ?? 0])) as Record<
    (typeof COUNTS)[number],
    number
  >;
  return { phase, ...rows, warnings: notes, artifacts: [], durationMs: run.durationMs };
}
