import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import {
  BUILT_IN_RULES,
  chooseBucket,
  loadRules,
  parseRules,
  type RuleFacts,
} from "../../../../../daemon/pipelines/cls/rules.ts";

const facts = (given: Partial<RuleFacts>): RuleFacts => ({
  candidate: "100",
  baselineRows: 1,
  checks: ["Date Matched"],
  source: "DPN",
  preferred: true,
  score: 35,
  ...given,
});
const parse = (text: string) => parseRules(Buffer.from(text), "my.yaml");

describe("the built-in rules", () => {
  test.each([
    ["no candidate", { candidate: null, baselineRows: 0, checks: [] }, "create", "no-candidate"],
    [
      "no baseline row",
      { baselineRows: 0, checks: ["New Contract"] },
      "vendor_link",
      "no-baseline-row",
    ],
    [
      "no matching dates",
      { checks: ["Exception", "New Contract"] },
      "contract_link",
      "no-date-matched",
    ],
    ["matching dates", {}, "update", "date-matched"],
    [
      "matching dates among others",
      { checks: ["Exception", "Date Matched"] },
      "update",
      "date-matched",
    ],
  ] as const)("put a row with %s into its bucket", async (_, given, bucket, ruleId) => {
    expect(chooseBucket(await loadRules(), facts(given))).toEqual({ bucket, ruleId });
  });

  test("are named by the sha256 of their bytes", async () => {
    const bytes = await readFile(BUILT_IN_RULES);
    expect((await loadRules()).sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
  });
});

test("the first rule whose conditions all hold decides", () => {
  const rules = parse(
    [
      "version: 1",
      "rules:",
      "  - { id: strong, bucket: update, when: { minScore: 60, sources: ['DPN,MPN'] } }",
      "  - { id: odd, bucket: create, when: { checksAnyOf: [Exception] } }",
      "  - { id: second, bucket: vendor_link, when: { preferred: false } }",
      "  - { id: rest, bucket: contract_link }",
    ].join("\n"),
  );
  const choose = (given: Partial<RuleFacts>) => chooseBucket(rules, facts(given)).ruleId;
  expect(choose({ score: 60, source: "DPN,MPN" })).toBe("strong");
  expect(choose({ score: 59, source: "DPN,MPN" })).toBe("rest");
  expect(choose({ score: 60 })).toBe("rest");
  expect(choose({ checks: ["Exception"] })).toBe("odd");
  expect(choose({ preferred: false })).toBe("second");
});

test.each([
  ["broken YAML", "version: 1\nrules: [", /line 2/],
  ["another version", "version: 2\nrules: [{ id: a, bucket: update }]", /version/],
  ["an unknown bucket", "version: 1\nrules: [{ id: a, bucket: upd }]", /bucket/],
  [
    "an unknown condition",
    "version: 1\nrules: [{ id: a, bucket: update, when: { x: 1 } }]",
    /when/,
  ],
  [
    "an unknown check word",
    "version: 1\nrules: [{ id: a, bucket: update, when: { checksAnyOf: [Old] } }]",
    /checksAnyOf/,
  ],
  [
    "an id used twice",
    "version: 1\nrules: [{ id: a, bucket: update, when: { preferred: true } }, { id: a, bucket: update }]",
    /twice/,
  ],
  [
    "no rule for the rest",
    "version: 1\nrules: [{ id: a, bucket: update, when: { preferred: true } }]",
    /last rule/,
  ],
  [
    "a rule that never applies",
    "version: 1\nrules: [{ id: a, bucket: update }, { id: b, bucket: create }]",
    /never apply/,
  ],
  ["an alias to nowhere", "version: 1\nrules: *x", /x/],
  ["nothing", "", /the file/],
])("a rule file with %s is refused with its place", (_, text, what) => {
  expect(() => parse(text)).toThrow(expect.objectContaining({ code: "cls-rules-invalid" }));
  expect(() => parse(text)).toThrow(what);
});

test("a rule file that is absent is refused by its name", async () => {
  await expect(loadRules("/nowhere/rules.yaml")).rejects.toMatchObject({
    code: "cls-rules-invalid",
    message: expect.stringContaining("/nowhere/rules.yaml"),
  });
});
