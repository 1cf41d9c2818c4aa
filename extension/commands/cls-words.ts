import type { Say } from "../../shared/view/rows.ts";
import { line } from "../views/foreign.ts";

/**
 * Answers of the tasks `cls.preview`, `cls.files`, `cls.conflicts`, `cls.review`, `cls.undo` and `cls.decide`, as far as
 * they are shown here. The daemon has checked them before they were stored.
 */
export interface PreviewCounts {
  readonly rowsIn: number;
  readonly rowsNew: number;
  readonly rowsUpdated: number;
  readonly rowsSame: number;
  readonly rowsOlder: number;
  readonly rowsConflict: number;
  readonly rowsReview: number;
  readonly rowsFiltered: number;
}
export interface PreviewAnswer {
  readonly root: string;
  readonly files: readonly (PreviewCounts & {
    readonly name: string;
    readonly would: "apply" | "skip" | "wait" | "fail";
    readonly reason: string | null;
    readonly replaces: number | null;
  })[];
  readonly total: PreviewCounts;
  readonly storedRows: { readonly before: number; readonly after: number };
  readonly keysNew: number;
  readonly keysUpdated: number;
  readonly later: readonly { readonly phase: string; readonly would: "run" | "skip" }[];
  readonly warnings: readonly string[];
}
export interface FileAnswer {
  readonly id: number;
  readonly name: string;
  readonly kind: "full" | "increment";
  readonly state: "applied" | "superseded" | "undone";
  readonly appliedAt: string;
  readonly rowsNew: number;
  readonly rowsUpdated: number;
  readonly undo: {
    readonly possible: boolean;
    readonly why: string | null;
    readonly withKeepLater: boolean;
  };
}
export interface FilesAnswer {
  readonly root: string;
  readonly storedRows: number;
  readonly files: readonly FileAnswer[];
}
export interface UndoAnswer {
  readonly file: string;
  readonly restored: number;
  readonly removed: number;
  readonly keptByLater: number;
  readonly again: boolean;
  readonly storedRows: number;
}
export interface PendingRow {
  readonly id: number;
  readonly kind: "conflict" | "review";
  readonly file: string;
  readonly row: number;
  readonly key: string;
  readonly storedPrice: string | null;
  readonly price: string | null;
  readonly storedDate: string | null;
  readonly day: string | null;
  readonly why: string;
  readonly differences: readonly {
    readonly column: string;
    readonly stored: string | null;
    readonly incoming: string | null;
  }[];
}
export interface PendingAnswer {
  readonly total: number;
  readonly open: number;
  readonly rows: readonly PendingRow[];
  readonly next: number | null;
}
export interface DecideAnswer {
  readonly decision: "keep" | "take";
  readonly decided: readonly number[];
  readonly refused: readonly { readonly id: number; readonly what: string }[];
}

const COUNTS = [
  "rowsIn",
  "rowsNew",
  "rowsUpdated",
  "rowsSame",
  "rowsOlder",
  "rowsConflict",
  "rowsReview",
  "rowsFiltered",
] as const;

/** What a sync would do, as a text with a table of the files. */
export function previewText(
  answer: PreviewAnswer,
  say: Say,
  number: (n: number) => string,
): string {
  const { files, total, storedRows, later, warnings } = answer;
  const titles = [
    say("File"),
    say("Would"),
    say("Rows"),
    say("New"),
    say("Updated"),
    say("Same"),
    say("Older"),
    say("Conflict"),
    say("Review"),
    say("Filtered"),
    say("Why"),
  ];
  const cells = (counts: PreviewCounts): string[] =>
    COUNTS.map((key) => (counts[key] === 0 ? "–" : number(counts[key])));
  const rows = files.map((file) => [
    line(file.name, 80),
    wouldWord(file.would, say),
    ...cells(file),
    whyText(file, say, number),
  ]);
  const applied = files.filter(({ would }) => would === "apply").length;
  const sum = applied > 1 ? [[say("Together"), "", ...cells(total), ""]] : [];
  const again = later.filter(({ would }) => would === "run").map(({ phase }) => phase);
  return [
    say("Preview of a sync of {root}", { root: line(answer.root, 500) }),
    say("Nothing was changed."),
    "",
    files.length === 0 ? say("There is no report to apply.") : table([titles, ...rows, ...sum]),
    "",
    say("Stored rows: {before} now, {after} afterwards; {new} keys new, {updated} updated.", {
      before: number(storedRows.before),
      after: number(storedRows.after),
      new: number(answer.keysNew),
      updated: number(answer.keysUpdated),
    }),
    again.length === 0
      ? say("No later phase would have to run again.")
      : say("Phases that would run again: {phases}", { phases: again.join(", ") }),
    ...(warnings.length === 0 ? [] : ["", say("Warnings:")]),
    ...warnings.map((text) => `- ${line(text, 500)}`),
    "",
  ].join("\n");
}

function whyText(
  { reason, replaces }: PreviewAnswer["files"][number],
  say: Say,
  number: (n: number) => string,
): string {
  if (reason !== null) return line(reason, 300);
  return replaces === null || replaces === 0
    ? ""
    : say("replaces all {n} stored rows", { n: number(replaces) });
}

function wouldWord(would: PreviewAnswer["files"][number]["would"], say: Say): string {
  switch (would) {
    case "apply":
      return say("apply");
    case "skip":
      return say("skip");
    case "wait":
      return say("wait");
    case "fail":
      return say("fail");
    default:
      return would satisfies never;
  }
}

/** Columns as wide as their widest cell; numbers stand to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map((row) => (row[at] ?? "").length)));
  const isRight = (at: number): boolean => at >= 2 && at <= 1 + COUNTS.length;
  return rows
    .map((row) =>
      row
        .map((cell, at) => (isRight(at) ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Rows of the conflict and review lists, column by column as they differ. */
export function pendingText(rows: readonly PendingRow[], say: Say): string {
  return rows.map((row) => rowText(row, say)).join("\n");
}

function rowText(row: PendingRow, say: Say): string {
  const { file, row: at, key, why, differences } = row;
  const lines = differences.map(
    ({ column, stored, incoming }) =>
      `    ${line(column, 60)}: ${value(stored)} → ${value(incoming)}`,
  );
  return [
    `${kindWord(row, say)} ${row.id}  ${line(key, 200)}`,
    `    ${say("{file}, row {row}", { file: line(file, 200), row: at })}`,
    `    ${line(why, 500)}`,
    ...lines,
    "",
  ].join("\n");
}

export function kindWord({ kind }: PendingRow, say: Say): string {
  return kind === "conflict" ? say("Conflict") : say("Review");
}

function value(text: string | null): string {
  return text === null ? "–" : line(text, 300);
}

/** What an undo did, in a sentence. */
export function undoText(answer: UndoAnswer, say: Say, number: (n: number) => string): string {
  const { file, restored, removed, keptByLater, again } = answer;
  const base = say("Undone: {restored} keys have their former rows, {removed} are gone ({file}).", {
    file: line(file),
    restored: number(restored),
    removed: number(removed),
  });
  const kept =
    keptByLater === 0
      ? ""
      : ` ${say("{n} keys stay as a later file left them.", { n: number(keptByLater) })}`;
  const next = again ? ` ${say("The next sync applies it again.")}` : "";
  return base + kept + next;
}

/** What became of decisions, in a sentence. */
export function decideText({ decided, refused }: DecideAnswer, say: Say): string {
  const done =
    decided.length === 1 ? say("1 row decided") : say("{n} rows decided", { n: decided.length });
  if (refused.length === 0) return `${done}.`;
  const why = line(refused[0]!.what, 300);
  return `${done}, ${say("{n} refused", { n: refused.length })}: ${why}`;
}
