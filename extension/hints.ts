import type { AppError } from "../shared/errors.ts";

/**
 * What an error advises, for a window: advice to type a command of the command line is left out, because a window has
 * buttons for it; what else the hint says stays. Empty when nothing is left.
 */
export function windowHint({ hint }: Pick<AppError, "hint">): string {
  const kept = hint.split(/(?<=[.;])\s+/).filter((part) => !/`msgsys|(?:^|\s)--\w/.test(part));
  return kept.join(" ").replace(/;$/, ".");
}
