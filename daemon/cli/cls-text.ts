import type {
  AppliedFile,
  FilesResult,
  PendingItem,
  PendingResult,
  PreviewCounts,
  PreviewFile,
  PreviewResult,
  UndoneResult,
} from "../pipelines/cls/act-params.ts";
import type { Paint, Style } from "./io.ts";
import { type Column, renderTable } from "./table.ts";
import { countWords, plural, relativeTime } from "./words.ts";

/** A listed row with the name of who decided, when that was a person whom the audit knows. */
export interface NamedRow extends PendingItem {
  readonly by: string | null;
}

/** A file with the name of who undid it. */
export interface NamedFile extends Omit<AppliedFile, "undone"> {
  readonly undone: (NonNullable<AppliedFile["undone"]> & { readonly by: string | null }) | null;
}

const right = (title: string): Column => ({ title, align: "right" });
const count = (rows: number): string => (rows === 0 ? "–" : countWords(rows));

const COUNTS: readonly (readonly [title: string, count: keyof PreviewCounts])[] = [
  ["Rows", "rowsIn"],
  ["New", "rowsNew"],
  ["Updated", "rowsUpdated"],
  ["Same", "rowsSame"],
  ["Older", "rowsOlder"],
  ["Conflict", "rowsConflict"],
  ["Review", "rowsReview"],
  ["Filtered", "rowsFiltered"],
];

const WOULD: Record<PreviewFile["would"], readonly [string, Style]> = {
  apply: ["apply", "green"],
  skip: ["skip", "gray"],
  wait: ["wait", "yellow"],
  fail: ["fail", "red"],
};

/** What a sync would do, as a table of its files and two sentences. */
export function previewText(result: PreviewResult, paint: Paint, width: number): string {
  const { files, total, storedRows, keysNew, keysUpdated } = result;
  if (files.length === 0) return "There is no 0031 report: a sync would do nothing.";
  const countsOf = (counts: PreviewCounts): string[] => COUNTS.map(([, key]) => count(counts[key]));
  const rows = files.map((file) => {
    const [word, style] = WOULD[file.would];
    return [file.name, paint(style, word), ...countsOf(file), noteOf(file)];
  });
  const applied = files.filter(({ would }) => would === "apply").length;
  const sum = ["Together", "", ...countsOf(total), ""];
  const table = renderTable(
    [
      { title: "File" },
      { title: "Would" },
      ...COUNTS.map(([title]) => right(title)),
      { title: "Why", shrinks: true },
    ],
    applied > 1 ? [...rows, sum] : rows,
    { width, head: (text) => paint("bold", text) },
  );
  const stored =
    applied === 0
      ? `A sync would apply nothing; ${plural(storedRows.before, "row")} stay stored.`
      : `A sync would apply ${plural(applied, "file")}: ${countWords(storedRows.before)} stored rows become ${countWords(storedRows.after)}; by the increments ${plural(keysNew, "key")} new, ${countWords(keysUpdated)} updated.`;
  return `${table}\n\n${stored}\n${laterText(result.later)}\nNothing was changed.`;
}

function noteOf({ reason, replaces }: PreviewFile): string {
  if (reason !== null) return reason;
  return replaces === null || replaces === 0
    ? ""
    : `replaces all ${plural(replaces, "stored row")}`;
}

function laterText(later: PreviewResult["later"]): string {
  const names = (would: "run" | "skip"): string =>
    later
      .filter((phase) => phase.would === would)
      .map(({ phase }) => phase)
      .join(", ");
  const [run, skip] = [names("run"), names("skip")];
  if (run === "") return `In a run after it nothing would be made again (${skip}).`;
  return `In a run after it ${run} would be made again${skip === "" ? "" : `; not again: ${skip}`}.`;
}

const LIST_WORDS = {
  conflicts: ["conflict", "conflicts"],
  review: ["row for review", "rows for review"],
} as const;

/** The conflict or review list, one line a row. */
export function pendingText(
  result: Omit<PendingResult, "rows"> & { readonly rows: readonly NamedRow[] },
  list: keyof typeof LIST_WORDS,
  paint: Paint,
  width: number,
): string {
  const [one, many] = LIST_WORDS[list];
  if (result.rows.length === 0) return `No ${one}.`;
  const table = renderTable(
    [
      right("Id"),
      { title: "File" },
      right("Row"),
      { title: "Key" },
      right("Stored price"),
      right("Price in file"),
      { title: "Decision" },
      { title: "Why", shrinks: true },
    ],
    result.rows.map((row) => [
      String(row.id),
      row.file,
      String(row.row),
      row.key,
      row.storedPrice ?? "–",
      row.price ?? "–",
      decisionText(row, paint),
      row.why,
    ]),
    { width, head: (text) => paint("bold", text) },
  );
  const shown = result.rows.length < result.total ? `${countWords(result.rows.length)} of ` : "";
  return `${table}\n\n${shown}${plural(result.total, one, many)}, ${result.open === 0 ? "none" : countWords(result.open)} of them open.`;
}

function decisionText({ decision, decidedBy, by }: NamedRow, paint: Paint): string {
  if (decision === null) return paint("yellow", "open");
  const who = decidedBy === "policy" ? "by the policy" : `by ${by ?? `task ${decidedBy}`}`;
  return `${decision === "take" ? "taken" : "kept"} ${who}`;
}

/** Every applied file, one line each. */
export function filesText(
  { files, storedRows }: Omit<FilesResult, "files"> & { readonly files: readonly NamedFile[] },
  paint: Paint,
  { columns, now }: { readonly columns: number; now(): number },
): string {
  if (files.length === 0) return "No file was applied yet.";
  const nowMs = now();
  const table = renderTable(
    [
      right("Id"),
      { title: "File" },
      { title: "State" },
      { title: "Applied" },
      { title: "Run" },
      right("New"),
      right("Updated"),
      right("Skipped"),
      right("Conflict"),
      right("Review"),
      right("Filtered"),
      { title: "Undo", shrinks: true },
    ],
    files.map((file) => [
      String(file.id),
      file.name,
      paint(file.state === "applied" ? "green" : "gray", file.state),
      relativeTime(file.appliedAt, nowMs),
      file.runId,
      count(file.rowsNew),
      count(file.rowsUpdated),
      count(file.rowsSkipped),
      count(file.rowsConflict),
      count(file.rowsReview),
      count(file.rowsFiltered),
      undoText(file, nowMs, files),
    ]),
    { width: columns, head: (text) => paint("bold", text) },
  );
  return `${table}\n\n${plural(storedRows, "row")} stored.`;
}

/** Names would fill the line; the ids stand at its beginning. */
function undoText({ undo, undone }: NamedFile, nowMs: number, all: readonly NamedFile[]): string {
  if (undone !== null) {
    const who = undone.by === null ? "" : ` by ${undone.by}`;
    const next = undone.again ? "; the next sync applies it again" : "";
    return `done ${relativeTime(undone.at, nowMs)}${who}: “${undone.reason}”${next}`;
  }
  if (undo.possible) return "possible";
  const why = all.reduce(
    (text, { id, name }) => text.replaceAll(name, `file ${id}`),
    undo.why ?? "",
  );
  return `${undo.withKeepLater ? "only with --keep-later" : "no"}: ${why}`;
}

/** What an undo did, or would do. `onlyAgain`: the file was undone before, and will be applied again. */
export function undoneText(result: UndoneResult, onlyAgain: boolean): string {
  const { file, keptByLater, again, archivedTo, dryRun } = result;
  const lines: string[] = [];
  if (!onlyAgain) lines.push(keysText(result));
  if (!onlyAgain && keptByLater > 0)
    lines.push(`${plural(keptByLater, "key stays", "keys stay")} as a later file left them.`);
  if (dryRun) return [...lines, "Nothing was changed."].join("\n");
  lines.push(
    again
      ? `The next sync applies ${onlyAgain ? file : "it"} again.`
      : "The next sync leaves it alone; `msgsys cls undo` with --again changes that.",
  );
  if (again && archivedTo !== null)
    lines.push(`Its input was moved to ${archivedTo}: put it back into reports/0031 first.`);
  if (!onlyAgain)
    lines.push("The next run makes integrate, classify and export again from what is stored now.");
  return lines.join("\n");
}

function keysText({ file, kind, restored, removed, dryRun }: UndoneResult): string {
  const begin = `${file} ${dryRun ? "would be" : "is"} undone: `;
  if (kind === "full")
    return `${begin}the store ${dryRun ? "would have" : "has"} the ${plural(restored, "key")} from before it again, in the place of its ${countWords(removed)}.`;
  const [back, gone] = [plural(restored, "key"), plural(removed, "key")];
  const their = restored === 1 ? "its" : "their";
  const have = dryRun ? "would have" : restored === 1 ? "has" : "have";
  const be = dryRun ? "would be" : removed === 1 ? "is" : "are";
  return `${begin}${back} ${have} ${their} former rows again, ${gone} that only it had brought ${be} gone.`;
}
