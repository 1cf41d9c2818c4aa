/** A line of the daemon's log, for people. */
export interface LogLine {
  readonly level: "trace" | "debug" | "info" | "warn" | "error";
  readonly text: string;
}

/** pino's numbers. */
const LEVELS: Readonly<Record<number, LogLine["level"]>> = {
  10: "trace",
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "error",
};

/** What a line of `daemon.log` says; a line that is no record of the log is shown as it is. */
export function readLogLine(line: string): LogLine {
  const record = parse(line);
  if (record === null) return { level: "info", text: line };
  const { level, time, event, msg, service, ...rest } = record;
  const at = typeof time === "number" ? new Date(time).toISOString() : "";
  const what = String(event ?? msg ?? "");
  const extra = Object.keys(rest).length === 0 ? "" : JSON.stringify(rest);
  const words = [at, service === undefined ? "" : `[${String(service)}]`, what, extra];
  return {
    level: (typeof level === "number" ? LEVELS[level] : undefined) ?? "info",
    text: words.filter((word) => word !== "").join(" "),
  };
}

function parse(line: string): Record<string, unknown> | null {
  if (!line.startsWith("{")) return null;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    // Ignored: a line that was cut off is shown as it stands.
    return null;
  }
}
