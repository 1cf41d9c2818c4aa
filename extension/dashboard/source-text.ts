const LONGEST_NAME = 80;

/** A file name for an editor's tab, of a title that a view chose. */
export function jsonFileName(title: string): string {
  const words = title.replace(/[^\p{L}\p{N}._-]+/gu, " ").trim();
  return `${words.slice(0, LONGEST_NAME).trim() || "value"}.json`;
}

/** The line (from 0) on which a configuration names a task as a string; null: it does not. */
export function lineOfTask(text: string, task: string): number | null {
  const quoted = ['"', "'", "`"].map((quote) => `${quote}${task}${quote}`);
  const line = text
    .split("\n")
    .findIndex((content) => quoted.some((name) => content.includes(name)));
  return line === -1 ? null : line;
}
