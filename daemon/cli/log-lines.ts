import type { Paint, Style } from "./io.ts";

/** A line of a log: JSON as pino writes it, or plain text of another program. */
export interface LogLine {
  /** Epoch ms; 0 when the line has none. */
  readonly time: number;
  readonly level: "debug" | "info" | "warn" | "error";
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** As it stands in the file. */
  readonly text: string;
}

const LEVELS: Record<number, LogLine["level"]> = {
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "error",
};

export function parseLogLine(text: string): LogLine {
  const fields = fieldsOf(text);
  if (fields === null) return { time: 0, level: "info", event: text, data: {}, text };
  const { time, level, event, msg, ...data } = fields;
  return {
    time: instantOf(time),
    level: LEVELS[Number(level)] ?? "info",
    event: String(event ?? msg ?? ""),
    data,
    text,
  };
}

/** The daemon writes epoch milliseconds, workers ISO 8601. */
function instantOf(time: unknown): number {
  if (typeof time === "number") return time;
  return typeof time === "string" ? Date.parse(time) || 0 : 0;
}

function fieldsOf(text: string): Record<string, unknown> | null {
  if (!text.startsWith("{")) return null;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Ignored: a line that was cut off is shown as it is.
    return null;
  }
}

/** Whether a line tells of this task. */
export function isAboutTask(line: LogLine, taskId: string): boolean {
  return line.data["taskId"] === taskId || line.data["id"] === taskId;
}

const STYLES: Record<LogLine["level"], Style> = {
  debug: "gray",
  info: "green",
  warn: "yellow",
  error: "red",
};

/** `2026-05-01 08:00:01.120  info   task ended  taskId=t1 durationMs=12`. */
export function logLineText(line: LogLine, paint: Paint): string {
  if (line.time === 0) return line.text;
  const time = new Date(line.time).toISOString().replace("T", " ").replace("Z", "");
  const data = Object.entries(line.data)
    .map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
  return `${paint("gray", time)}  ${paint(STYLES[line.level], line.level.padEnd(5))}  ${line.event}  ${data}`.trimEnd();
}
