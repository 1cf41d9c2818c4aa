import { describe, expect, test } from "vitest";
import {
  filesText,
  type NamedFile,
  type NamedRow,
  pendingText,
  previewText,
  undoneText,
} from "../../../../daemon/cli/cls-text.ts";
import { plain } from "../../../../daemon/cli/io.ts";
import type { PreviewResult, UndoneResult } from "../../../../daemon/pipelines/cls/act-params.ts";

const ZERO = {
  ...{ rowsIn: 0, rowsNew: 0, rowsUpdated: 0, rowsSame: 0, rowsOlder: 0 },
  ...{ rowsConflict: 0, rowsReview: 0, rowsFiltered: 0 },
};

const preview = (more: Partial<PreviewResult>): string =>
  previewText(
    {
      ...{ root: "/r", files: [], total: ZERO, keysNew: 0, keysUpdated: 0 },
      ...{ storedRows: { before: 0, after: 0 }, later: [], warnings: [], durationMs: 1 },
      ...more,
    },
    plain,
    Number.POSITIVE_INFINITY,
  );

const file = {
  ...ZERO,
  kind: "increment",
  day: "2025-11-19",
  reason: null,
  replaces: null,
} as const;

describe("a preview in words", () => {
  test("says what each file would do and why, and sums up what would be applied", () => {
    const text = preview({
      files: [
        {
          ...file,
          name: "a.xlsx",
          kind: "full",
          would: "apply",
          rowsIn: 7,
          rowsNew: 7,
          replaces: 1234,
        },
        { ...file, name: "b.xlsx", would: "apply", rowsIn: 3, rowsConflict: 3 },
        { ...file, name: "c.xlsx", would: "fail", reason: "c.xlsx cannot be read" },
        { ...file, name: "d.xlsx", would: "wait", reason: "waits for the next run" },
      ],
      total: { ...ZERO, rowsIn: 10, rowsNew: 7, rowsConflict: 3 },
      storedRows: { before: 1234, after: 7 },
      later: [
        { phase: "integrate", would: "skip" },
        { phase: "classify", would: "run" },
      ],
    });
    for (const line of [
      /^a\.xlsx +apply +7 +7 .*replaces all 1,234 stored rows$/m,
      /^c\.xlsx +fail .*cannot be read$/m,
      /^d\.xlsx +wait .*waits for the next run$/m,
      /^Together +10 +7 +– +– +– +3 +– +–$/m,
      /^A sync would apply 2 files: 1,234 stored rows become 7;/m,
      /^In a run after it classify would be made again; not again: integrate\.$/m,
      /^Nothing was changed\.$/m,
    ])
      expect(text).toMatch(line);
  });

  test("of a folder without reports says so", () => {
    expect(preview({})).toBe("There is no 0031 report: a sync would do nothing.");
  });
});

describe("an undo in words", () => {
  const result: UndoneResult = {
    ...{ root: "/r", file: "a.xlsx", fileId: 1, kind: "increment", restored: 1, removed: 2 },
    ...{ keptByLater: 0, again: false, dryRun: false, archivedTo: null, storedRows: 9 },
  };

  test("says what came back, what went, and what the next sync and run do", () => {
    expect(undoneText(result, false)).toBe(
      [
        "a.xlsx is undone: 1 key has its former rows again, 2 keys that only it had brought are gone.",
        "The next sync leaves it alone; `msgsys cls undo` with --again changes that.",
        "The next run makes integrate, classify and export again from what is stored now.",
      ].join("\n"),
    );
  });

  test("of a full file speaks of the rows before it", () => {
    expect(undoneText({ ...result, kind: "full", restored: 5000 }, false)).toMatch(
      /^a\.xlsx is undone: the store has the 5,000 keys from before it again, in the place of its 2\.$/m,
    );
  });

  test("names the place of an input that was moved, when it is to be applied again", () => {
    const text = undoneText({ ...result, again: true, archivedTo: "/r/archive/a.xlsx" }, true);
    expect(text).toBe(
      "The next sync applies a.xlsx again.\nIts input was moved to /r/archive/a.xlsx: put it back into reports/0031 first.",
    );
  });
});

test("the list of files names others by their id, and tells who undid one and what is next", () => {
  const counts = { rowsIn: 1, rowsNew: 1, rowsUpdated: 0, rowsSkipped: 0 };
  const one: NamedFile = {
    ...{ id: 1, name: "a.xlsx", kind: "full", day: "11-08", sha256: "x", state: "applied" },
    ...{ ...counts, rowsConflict: 0, rowsReview: 0, rowsFiltered: 0, warnings: 0 },
    ...{ appliedAt: "2026-05-01T11:00:00.000Z", runId: "r1", archivedTo: null, undone: null },
    undo: { possible: false, why: "b.xlsx was applied after it", withKeepLater: false },
  };
  const undone = {
    at: "2026-05-01T12:00:00.000Z",
    taskId: "t",
    reason: "wrong",
    again: true,
    by: "ada",
  };
  const two: NamedFile = { ...one, id: 2, name: "b.xlsx", state: "undone", undone };
  const now = (): number => Date.parse("2026-05-01T12:00:05.000Z");
  const text = filesText({ root: "/r", storedRows: 1, files: [one, two] }, plain, {
    columns: Number.POSITIVE_INFINITY,
    now,
  });
  expect(text).toMatch(/^ *1 {2}a\.xlsx .*no: file 2 was applied after it$/m);
  expect(text).toMatch(
    /^ *2 {2}b\.xlsx .*done 5\.0 s ago by ada: “wrong”; the next sync applies it again$/m,
  );
  expect(text).toMatch(/^1 row stored\.$/m);
});

test("a list says how much of it is shown, how much is open, and that it is empty", () => {
  const row: NamedRow = {
    ...{
      id: 4,
      kind: "conflict" as const,
      file: "a.xlsx",
      row: 2,
      key: "k",
      storedDate: null,
      day: null,
    },
    ...{ storedPrice: "1.0", price: null, why: "because", differences: [], decidedAt: null },
    ...{ decision: "take" as const, decidedBy: "t1", by: null },
  };
  const result = { root: "/r", total: 3, open: 1, rows: [row], next: 4 };
  const text = pendingText(result, "conflicts", plain, Number.POSITIVE_INFINITY);
  expect(text).toMatch(/^ *4 {2}a\.xlsx +2 {2}k +1\.0 +– {2}taken by task t1 {2}because$/m);
  expect(text).toMatch(/^1 of 3 conflicts, 1 of them open\.$/m);
  const empty = { ...result, total: 0, rows: [] };
  expect(pendingText(empty, "review", plain, 80)).toBe("No row for review.");
});
