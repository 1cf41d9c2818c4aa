import { describe, expect, test } from "vitest";
import {
  chooseFile,
  planUndo,
  type UndoFacts,
} from "../../../../../daemon/pipelines/cls/undo-plan.ts";

const increment: UndoFacts["file"] = { kind: "increment", state: "applied", undoable: true };
const full: UndoFacts["file"] = { ...increment, kind: "full" };
const facts = (file: UndoFacts["file"], more: Partial<UndoFacts> = {}): UndoFacts => ({
  file,
  later: [],
  rowsKept: true,
  ...more,
});

describe("whether a file can be undone", () => {
  test("it can while no later file has a row for one of its keys", () => {
    const later = [{ name: "b.xlsx", keys: 0 }];
    expect(planUndo(facts(increment, { later }), false)).toEqual({ act: "undo" });
  });

  test("later files with rows for its keys come first, unless their keys are to be kept", () => {
    const later = [
      { name: "b.xlsx", keys: 2 },
      { name: "c.xlsx", keys: 0 },
      { name: "d.xlsx", keys: 5 },
    ];
    expect(planUndo(facts(increment, { later }), false)).toEqual({
      act: "refuse",
      code: "cls-undo-needs-later",
      what: "b.xlsx, d.xlsx, applied after it, have rows for up to 5 of the keys that it changed",
    });
    expect(planUndo(facts(increment, { later }), true)).toEqual({ act: "undo" });
  });

  test("of a full file nothing later can be kept", () => {
    const later = [{ name: "b.xlsx", keys: 0 }];
    for (const keepLater of [false, true])
      expect(planUndo(facts(full, { later }), keepLater)).toMatchObject({
        code: "cls-undo-refused",
        what: expect.stringMatching(/^b\.xlsx was applied after it/),
      });
    expect(planUndo(facts(full), false)).toEqual({ act: "undo" });
  });

  test.each([
    ["undone", facts({ ...increment, state: "undone" }), "undone already"],
    ["replaced by a full file", facts({ ...increment, state: "superseded" }), "later full file"],
    ["too old", facts({ ...increment, undoable: false }), "no longer kept"],
    ["a full file whose former rows are gone", facts(full, { rowsKept: false }), "no longer kept"],
  ])("what is %s cannot be", (_, of, why) => {
    expect(planUndo(of, true)).toMatchObject({
      act: "refuse",
      code: "cls-undo-refused",
      what: expect.stringContaining(why),
    });
  });

  test("many files are counted after the third", () => {
    const later = ["b", "c", "d", "e", "f"].map((name) => ({ name, keys: 1 }));
    expect(planUndo(facts(increment, { later }), false)).toMatchObject({
      what: expect.stringMatching(/^b, c, d and 2 more, /),
    });
  });
});

describe("the file that a person means", () => {
  const files = [
    { id: 1, name: "0031 2025_11_19.xlsx" },
    { id: 2, name: "0031 2025_11_20.xlsx" },
    { id: 5, name: "0031 2025_11_19.xlsx" },
    { id: 6, name: "0031 2025_11_2.xlsx" },
  ];
  const idOf = (wanted: string): number | undefined => chooseFile(files, wanted).found?.id;

  test("is the one of an id, a name, or a part that no other name has; the latest of a name", () => {
    expect(["1", "0031 2025_11_20.xlsx", "11_19", "11_2.XLSX"].map(idOf)).toEqual([1, 2, 5, 6]);
  });

  test("is none when several may be meant, and these are named", () => {
    const { found, candidates } = chooseFile(files, "11_2");
    expect(found).toBeNull();
    expect(candidates.map(({ id }) => id)).toEqual([2, 6]);
  });

  test("is never another one when an id is gone, even if the number is part of a name", () => {
    expect(chooseFile(files, "20")).toEqual({ found: null, candidates: [] });
  });
});
