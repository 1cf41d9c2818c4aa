import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { LineCounter, parseDocument } from "yaml";
import * as z from "zod";
import { AppError, describe } from "../../../shared/errors.ts";
import { assetUrl } from "../../entry.ts";
import { CONTRACT_CHECKS, type ContractCheck } from "./contract-check.ts";
import type { MatchSource } from "./match.ts";

/** Where a row goes, in the order of the exported files. */
export const BUCKETS = ["create", "vendor_link", "contract_link", "update"] as const;
export type Bucket = (typeof BUCKETS)[number];

const conditions = z
  .strictObject({
    candidate: z.enum(["present", "absent"]),
    baselineRows: z.enum(["some", "none"]),
    checksAnyOf: z.array(z.enum(CONTRACT_CHECKS)).min(1),
    checksNoneOf: z.array(z.enum(CONTRACT_CHECKS)).min(1),
    sources: z.array(z.enum(["DPN", "MPN", "DPN,MPN"])).min(1),
    preferred: z.boolean(),
    minScore: z.number(),
  })
  .partial();

const rule = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9_.-]*$/i),
  bucket: z.enum(BUCKETS),
  when: conditions.default({}),
});
type Rule = z.output<typeof rule>;

const ruleFile = z
  .strictObject({ version: z.literal(1), rules: z.array(rule).min(1) })
  .superRefine((file, check) => {
    const seen = new Set<string>();
    file.rules.forEach(({ id, when }, at) => {
      const problem = (message: string): void =>
        check.addIssue({ code: "custom", path: ["rules", at], message });
      if (seen.has(id)) problem(`the id ${id} is used twice`);
      seen.add(id);
      const last = at === file.rules.length - 1;
      const open = isUnconditional(when);
      if (last && !open)
        problem("the last rule must have no conditions, so that no row is left over");
      if (!last && open)
        problem("only the last rule may have no conditions: those after it never apply");
    });
  });

/** Rules as loaded; `sha256` is that of the file's bytes and so names its version. */
export interface RuleSet {
  readonly file: string;
  readonly sha256: string;
  readonly rules: readonly Rule[];
}

/** What the rules may look at. */
export interface RuleFacts {
  readonly candidate: string | null;
  readonly baselineRows: number;
  readonly checks: readonly ContractCheck[];
  readonly source: MatchSource | null;
  readonly preferred: boolean;
  readonly score: number;
}

export const BUILT_IN_RULES = fileURLToPath(assetUrl("pipelines/cls/rules.yaml"));

/** Reads a rule file; the built-in one when no path is given. Throws `cls-rules-invalid`. */
export async function loadRules(path: string = BUILT_IN_RULES): Promise<RuleSet> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new AppError("cls-rules-invalid", { file: path, what: describe(error) }, error);
  }
  return parseRules(bytes, path);
}

/** Validates the bytes of a rule file; `file` is for messages. Throws `cls-rules-invalid` with the place. */
export function parseRules(bytes: Buffer, file: string): RuleSet {
  const lines = new LineCounter();
  const document = parseDocument(bytes.toString("utf8"), {
    lineCounter: lines,
    prettyErrors: false,
  });
  const [syntax] = document.errors;
  if (syntax !== undefined) {
    const { line, col } = lines.linePos(syntax.pos[0]);
    throw new AppError("cls-rules-invalid", {
      file,
      what: `line ${line}, column ${col}: ${syntax.message}`,
    });
  }
  const parsed = ruleFile.safeParse(toPlain(document, file));
  if (!parsed.success) {
    const what = parsed.error.issues
      .map((issue) => `${issue.path.join(".") || "the file"}: ${issue.message}`)
      .join("; ");
    throw new AppError("cls-rules-invalid", { file, what });
  }
  return {
    file,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    rules: parsed.data.rules,
  };
}

/** An alias that points nowhere, or too many of them, shows only when the values are made. */
function toPlain(document: ReturnType<typeof parseDocument>, file: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new AppError("cls-rules-invalid", { file, what: describe(error) }, error);
  }
}

/** The first rule whose conditions all hold. The last one has none, so there is always an answer. */
export function chooseBucket(
  rules: RuleSet,
  facts: RuleFacts,
): { readonly bucket: Bucket; readonly ruleId: string } {
  const chosen = rules.rules.find(({ when }) => holds(when, facts));
  if (chosen === undefined) {
    throw new AppError("cls-rules-invalid", { file: rules.file, what: "no rule applies" });
  }
  return { bucket: chosen.bucket, ruleId: chosen.id };
}

function holds(when: Rule["when"], facts: RuleFacts): boolean {
  const { checks, source } = facts;
  return (
    (when.candidate === undefined ||
      (when.candidate === "present") === (facts.candidate !== null)) &&
    (when.baselineRows === undefined ||
      (when.baselineRows === "some") === facts.baselineRows > 0) &&
    (when.checksAnyOf === undefined || when.checksAnyOf.some((word) => checks.includes(word))) &&
    (when.checksNoneOf === undefined || !when.checksNoneOf.some((word) => checks.includes(word))) &&
    (when.sources === undefined || (source !== null && when.sources.includes(source))) &&
    (when.preferred === undefined || when.preferred === facts.preferred) &&
    (when.minScore === undefined || facts.score >= when.minScore)
  );
}

function isUnconditional(when: Rule["when"]): boolean {
  return Object.values(when).every((condition) => condition === undefined);
}
