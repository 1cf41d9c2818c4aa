import { describe, expect, test } from "vitest";
import { auditText } from "../../../../extension/commands/audit-words.ts";
import {
  decideText,
  pendingText,
  previewText,
  undoText,
} from "../../../../extension/commands/cls-words.ts";
import {
  escalationChoices,
  levelChoices,
  loweringChoices,
} from "../../../../extension/commands/escalation-choices.ts";
import {
  joinOutcomes,
  outcomeWords,
  refusalReport,
} from "../../../../extension/commands/outcome-words.ts";
import { targetsOf } from "../../../../extension/commands/targets.ts";
import type { TreeTarget } from "../../../../extension/contributions.ts";
import type { BulkOutcome } from "../../../../shared/control.ts";
import { AppError } from "../../../../shared/errors.ts";
import { sayEnglish } from "../../../../shared/view/rows.ts";
import { aDetail, secondsAgo } from "../../../support/work-views.ts";

describe("levels to choose", () => {
  test("what a role may not do is listed with the role that it needs", () => {
    const words = escalationChoices(5, "Operator", sayEnglish).map(({ label, refusal }) => [
      label,
      refusal,
    ]);
    expect(words).toEqual([
      ["8 Prioritize", null],
      ["9 Urgent", "Needs role Manager. You are Operator."],
      ["10 Critical", "Needs role Admin. You are Operator."],
    ]);
  });

  test("only levels above the lowest of the tasks are offered", () => {
    expect(escalationChoices(8, "Admin", sayEnglish).map(({ level }) => level)).toEqual([9, 10]);
  });

  test("lowering goes from the present level down, and needs the right to set that level", () => {
    expect(loweringChoices(3, "Operator", sayEnglish).map(({ level }) => level)).toEqual([2, 1, 0]);
    const critical = loweringChoices(10, "Manager", sayEnglish);
    expect(new Set(critical.map(({ refusal }) => refusal))).toEqual(
      new Set(["Needs role Admin. You are Manager."]),
    );
  });

  test("everything can be enqueued up to the role's highest level", () => {
    const allowed = levelChoices("Manager", sayEnglish).filter(({ refusal }) => refusal === null);
    expect(allowed.map(({ level }) => level)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  });
});

describe("what an act did", () => {
  const running = new AppError("task-not-waiting", { id: "x", status: "running" }).toWire();
  const outcome: BulkOutcome = {
    matched: 17,
    applied: 14,
    refusedCount: 3,
    refused: [
      { id: "a", error: running },
      { id: "b", error: running },
      {
        id: "c",
        error: { code: "task-not-found", message: "There is no task c\u202e.", hint: "" },
      },
    ],
    dryRun: false,
  };

  test("is said in one sentence, refusals with their reasons and how many each", () => {
    const words = outcomeWords("escalate", outcome, sayEnglish);
    expect(words).toBe(
      `14 tasks moved, 3 refused: ${running.message} (2); There is no task c⟨U+202E⟩.`,
    );
    expect(outcomeWords("redrive", { ...outcome, applied: 1, refusedCount: 0 }, sayEnglish)).toBe(
      "1 task redriven.",
    );
  });

  test("each refused task has a line in the details, and how many are missing is said", () => {
    const text = refusalReport("redrive", { ...outcome, refusedCount: 250 }, sayEnglish);
    expect(text.split("\n").filter((row) => /^[abc] {2}/.test(row))).toHaveLength(3);
    expect(text).toContain("247 more were refused; these are the first.");
  });

  test("several acts are told as one", () => {
    expect(joinOutcomes([outcome, { ...outcome, applied: 1 }])).toMatchObject({
      matched: 34,
      applied: 15,
      refusedCount: 6,
    });
  });
});

describe("what a command of a tree acts on", () => {
  const task = (id: string): TreeTarget => ({ kind: "task", id });
  const [a, b, c] = [task("a"), task("b"), task("c")] as const;

  test("on the selection when the node is in it, else on the node alone", () => {
    expect(targetsOf(["task"], a, [a, b], [])).toEqual([a, b]);
    expect(targetsOf(["task"], c, [a, b], [])).toEqual([c]);
    expect(targetsOf(["task"], c, undefined, [a])).toEqual([c]);
  });

  test("called by key, on what is selected", () => {
    expect(targetsOf(["task"], undefined, undefined, [a, b])).toEqual([a, b]);
  });

  test("only on kinds that it is for, each once, and on no phase that was not begun", () => {
    const bucket: TreeTarget = { kind: "bucket", id: "high" };
    const pending: TreeTarget = { kind: "phase", id: "" };
    expect(targetsOf(["task", "phase"], a, [a, bucket, pending, task("a")], [])).toEqual([a]);
  });
});

describe("texts to read", () => {
  test("an audit is a line an event with its facts below, and no text of a stranger breaks out", () => {
    const text = auditText(
      aDetail({ inputJson: '{"a":"\u0000"}', traceId: "7f3a" }),
      [
        {
          seq: 13,
          at: secondsAgo(5),
          kind: "task.waiting",
          by: "ada",
          role: "Admin",
          detail: { why: "x\ny", level: 9, from: null },
        },
      ],
      sayEnglish,
    );
    expect(text).toContain(
      "2026-11-20T11:59:55.000Z      13  task.waiting  ada (Admin)\n    why: x y\n    level: 9\n",
    );
    expect(text).toContain('{"a":"⟨U+0000⟩"}');
    expect(text).toContain("trace 7f3a");
  });

  const counts = {
    rowsIn: 1200,
    rowsNew: 5,
    rowsUpdated: 0,
    rowsSame: 0,
    rowsOlder: 0,
    rowsConflict: 0,
    rowsReview: 0,
    rowsFiltered: 0,
  };
  test("a preview is a table whose columns stand below each other", () => {
    const text = previewText(
      {
        root: "/data",
        files: [
          { ...counts, name: "a.xlsx", would: "apply", reason: null, replaces: 300 },
          {
            ...counts,
            name: "long name.csv",
            would: "skip",
            reason: "applied already",
            replaces: null,
          },
        ],
        total: counts,
        storedRows: { before: 300, after: 1200 },
        keysNew: 5,
        keysUpdated: 0,
        later: [
          { phase: "integrate", would: "run" },
          { phase: "classify", would: "skip" },
        ],
        warnings: ["two vendors"],
      },
      sayEnglish,
      String,
    );
    expect(text).toContain(
      [
        "File           Would  Rows  New  Updated  Same  Older  Conflict  Review  Filtered  Why",
        "a.xlsx         apply  1200    5        –     –      –         –       –         –  replaces all 300 stored rows",
        "long name.csv  skip   1200    5        –     –      –         –       –         –  applied already",
      ].join("\n"),
    );
    expect(text).toContain("Phases that would run again: integrate\n");
    expect(text).toContain("- two vendors");
  });

  test("rows to decide on show how they differ, column by column", () => {
    const row = {
      id: 7,
      kind: "conflict",
      file: "a.xlsx",
      row: 12,
      key: "K1",
      storedPrice: "1.10",
      price: "1.2",
      storedDate: null,
      day: null,
      why: "same date",
    } as const;
    const differences = [{ column: "Price", stored: "1.10", incoming: null }];
    expect(pendingText([{ ...row, differences }], sayEnglish)).toBe(
      "Conflict 7  K1\n    a.xlsx, row 12\n    same date\n    Price: 1.10 → –\n",
    );
  });

  test("an undo and decisions are told in a sentence with what was left out", () => {
    expect(
      undoText(
        { file: "a.xlsx", restored: 3, removed: 2, keptByLater: 1, again: true, storedRows: 9 },
        sayEnglish,
        String,
      ),
    ).toBe(
      "Undone: 3 keys have their former rows, 2 are gone (a.xlsx). 1 keys stay as a later file left them. The next sync applies it again.",
    );
    expect(
      decideText(
        { decision: "keep", decided: [1, 2], refused: [{ id: 3, what: "decided already" }] },
        sayEnglish,
      ),
    ).toBe("2 rows decided, 1 refused: decided already");
  });
});
