import { line } from "./views/foreign.ts";

/** A text of a stranger for a notification: one short line without what a notification would read as a link. */
export function plainText(text: string, limit = 300): string {
  return line(text, limit).replaceAll("](", "] (");
}
