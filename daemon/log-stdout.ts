import { pino } from "pino";
import type { Log } from "./log.ts";

/** A log of JSON lines on standard output, for processes whose output somebody else keeps. */
export function createStdoutLog(bindings: Record<string, unknown>, level: string): Log {
  const logger = pino({
    level,
    base: bindings,
    timestamp: pino.stdTimeFunctions.isoTime,
    messageKey: "event",
  });
  const wrap = (inner: typeof logger): Log => ({
    debug: (event, data) => inner.debug(data ?? {}, event),
    info: (event, data) => inner.info(data ?? {}, event),
    warn: (event, data) => inner.warn(data ?? {}, event),
    error: (event, data) => inner.error(data ?? {}, event),
    child: (more) => wrap(inner.child(more)),
  });
  return wrap(logger);
}
