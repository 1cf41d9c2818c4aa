import type { StoredFile } from "./file-store.ts";

/** A file that was applied later, and for how many keys that an earlier one changed it has rows. */
export interface LaterFile {
  readonly name: string;
  readonly keys: number;
}

/** What undoing a file depends on. */
export interface UndoFacts {
  readonly file: Pick<StoredFile, "kind" | "state" | "undoable">;
  /** Files that are applied after it, in that order. */
  readonly later: readonly LaterFile[];
  /** Of a full file: the rows from before it are still kept. */
  readonly rowsKept: boolean;
}

export type UndoPlan =
  | { readonly act: "undo" }
  | {
      readonly act: "refuse";
      readonly code: "cls-undo-refused" | "cls-undo-needs-later";
      /** A clause: why it cannot be undone. */
      readonly what: string;
    };

const NAMED = 3;

/**
 * Whether a file can be undone. A later file was judged against what this one stored: rows of it may have been left out as
 * older, so its keys are only given up with `keepLater`, which leaves them as that file left them. A full file holds all
 * rows, so nothing can be kept of what came after it.
 */
export function planUndo({ file, later, rowsKept }: UndoFacts, keepLater: boolean): UndoPlan {
  const refuse = (what: string): UndoPlan => ({ act: "refuse", code: "cls-undo-refused", what });
  if (file.state === "undone") return refuse("it is undone already");
  if (file.state === "superseded") return refuse("a later full file has replaced all its rows");
  if (!file.undoable || (file.kind === "full" && !rowsKept)) {
    return refuse("the rows from before it are no longer kept");
  }
  if (file.kind === "full") {
    if (later.length === 0) return { act: "undo" };
    const verb = later.length === 1 ? "was" : "were";
    return refuse(
      `${namesOf(later)} ${verb} applied after it and must be undone first, the last one first`,
    );
  }
  const touching = later.filter(({ keys }) => keys > 0);
  if (touching.length === 0 || keepLater) return { act: "undo" };
  const verb = touching.length === 1 ? "has" : "have";
  const most = Math.max(...touching.map(({ keys }) => keys));
  const keys = touching.length === 1 ? String(most) : `up to ${most}`;
  return {
    act: "refuse",
    code: "cls-undo-needs-later",
    what: `${namesOf(touching)}, applied after it, ${verb} rows for ${keys} of the keys that it changed`,
  };
}

function namesOf(files: readonly LaterFile[]): string {
  const names = files.slice(0, NAMED).map(({ name }) => name);
  const more = files.length - names.length;
  return more === 0 ? names.join(", ") : `${names.join(", ")} and ${more} more`;
}

/** What a person may call a file: its id, its name, or a part of the name that no other one has. */
export interface FileChoice<T> {
  readonly found: T | null;
  /** Files that may be meant when none was found. */
  readonly candidates: readonly T[];
}

/** Of several records of one name the latest counts: the file was applied again, or its content changed. */
export function chooseFile<T extends { readonly id: number; readonly name: string }>(
  files: readonly T[],
  wanted: string,
): FileChoice<T> {
  // A number is an id and nothing else: an id that is gone must not become a part of some other file's name.
  if (/^\d+$/.test(wanted)) {
    return { found: files.find(({ id }) => id === Number(wanted)) ?? null, candidates: [] };
  }
  const latest = [...new Map(files.map((file) => [file.name, file])).values()];
  const exact = latest.find(({ name }) => name === wanted);
  if (exact !== undefined) return { found: exact, candidates: [] };
  const candidates = latest.filter(({ name }) => name.toLowerCase().includes(wanted.toLowerCase()));
  return { found: candidates.length === 1 ? (candidates[0] ?? null) : null, candidates };
}
