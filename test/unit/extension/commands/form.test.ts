import { describe, expect, test } from "vitest";
import * as z from "zod";
import {
  assemble,
  type Field,
  type FieldKind,
  problemWith,
  skeleton,
  toForm,
  toJsonText,
  toTyped,
} from "../../../../extension/commands/form.ts";
import { phasesUpTo, pipelineForm } from "../../../../extension/commands/pipeline-form.ts";
import { sayEnglish } from "../../../../shared/view/rows.ts";

const schemaOf = (type: z.ZodType): unknown =>
  z.toJSONSchema(type, { io: "input", unrepresentable: "any" });
const fieldOf = (type: z.ZodType): Field => toForm(schemaOf(z.object({ it: type }))).fields[0]!;
const problem = (type: z.ZodType, typed: string): string | null =>
  problemWith(fieldOf(type), typed, sayEnglish);

describe("from a schema to fields", () => {
  test.each<[string, z.ZodType, FieldKind["kind"]]>([
    ["text", z.string(), "text"],
    ["a folder, by its description", z.string().meta({ description: "Folder of x" }), "folder"],
    ["a whole number", z.int(), "integer"],
    ["a number", z.number(), "number"],
    ["yes or no", z.boolean(), "boolean"],
    ["one of some", z.enum(["a", "b"]), "choice"],
    ["one value", z.literal("a"), "choice"],
    ["a list", z.array(z.string()), "json"],
    ["a nested object", z.object({ a: z.string() }), "json"],
    ["anything", z.unknown(), "json"],
    ["a text or null", z.string().nullable(), "text"],
    ["this or that", z.union([z.string(), z.number()]), "json"],
  ])("%s", (_, type, kind) => {
    expect(fieldOf(type).kind.kind).toBe(kind);
  });

  test("what must be given comes first; what has a value of its own need not be given", () => {
    const { fields } = toForm(
      schemaOf(
        z.object({
          a: z.string().optional(),
          b: z.number().default(2),
          c: z.string(),
          d: z.boolean(),
        }),
      ),
    );
    expect(fields.map(({ key, isRequired, fallback }) => [key, isRequired, fallback])).toEqual([
      ["c", true, null],
      ["d", true, null],
      ["a", false, null],
      ["b", false, "2"],
    ]);
  });

  test("references inside the schema are followed, and one that bites its tail ends", () => {
    const schema = {
      type: "object",
      properties: {
        a: { $ref: "#/$defs/name", description: "Who" },
        b: { $ref: "#/properties/b" },
      },
      $defs: { name: { type: "string", minLength: 2 } },
    };
    expect(
      toForm(schema).fields.map(({ key, kind, description }) => [key, kind.kind, description]),
    ).toEqual([
      ["a", "text", "Who"],
      ["b", "json", ""],
    ]);
  });

  test.each([[undefined], [null], [true], [{ type: "string" }], [{ type: "object" }]])(
    "a schema without fields (%j) leaves only JSON as a whole",
    (schema) => {
      expect(toForm(schema)).toEqual({ fields: [], isObject: false });
    },
  );
});

describe("what is typed", () => {
  test.each<[string, z.ZodType, string, string | null]>([
    ["nothing where something must be", z.int(), "", "it must be given."],
    ["nothing where nothing must be", z.int().optional(), "", null],
    ["a word for a number", z.number(), "ten", "A number, with a point before the decimals."],
    ["a comma in a number", z.number(), "1,5", "A number, with a point before the decimals."],
    ["a fraction for a whole number", z.int(), "1.5", "A whole number."],
    ["a whole number with zeros before it", z.int(), "007", "A whole number."],
    ["too small", z.int().min(3), "2", "At least 3."],
    ["too large", z.int().max(3), "4", "At most 3."],
    ["too short", z.string().min(2), "a", "At least 2 characters."],
    ["too long", z.string().max(2), "abc", "At most 2 characters."],
    ["not of the pattern", z.string().regex(/^[a-z]+$/), "A", "It must match ^[a-z]+$."],
    [
      "a relative folder",
      z.string().meta({ description: "Folder" }),
      "data",
      "The path must be absolute: it is a path on the daemon's machine.",
    ],
    ["an object for a list", z.array(z.int()), "{}", "A list in square brackets."],
    ["a list for an object", z.object({}), "[]", "An object in curly brackets."],
    ["fine text", z.string(), "x", null],
    ["empty text where any text will do", z.string(), "", null],
    ["a fine path", z.string().meta({ description: "Folder" }), "C:\\data", null],
  ])("%s", (_, type, typed, says) => {
    expect(problem(type, typed)).toBe(says);
  });

  test("JSON that is none is told with what the parser found", () => {
    expect(problem(z.array(z.int()), "[1,")).toMatch(/^Not JSON: ./);
  });

  test("whole numbers of any length are compared and kept exactly", () => {
    const field: Field = {
      ...fieldOf(z.number()),
      kind: { kind: "integer", schema: { maximum: 2 ** 63 } },
    };
    expect(problemWith(field, "9223372036854775807", sayEnglish)).toBeNull();
    expect(problemWith(field, "9223372036854775809", sayEnglish)).toBe(
      "At most 9223372036854776000.",
    );
    expect(toJsonText(field, "9223372036854775807")).toBe("9223372036854775807");
  });
});

describe("from fields to JSON", () => {
  test("values go in as they stand: numbers keep their digits, texts their characters", () => {
    const values = new Map([
      ["id", "9223372036854775807"],
      ["text", toJsonText(fieldOf(z.string()), 'a "b" \u2028')!],
      ["price", "1.10"],
    ]);
    const json = assemble(values);
    expect(json).toBe('{"id":9223372036854775807,"text":"a \\"b\\" \u2028","price":1.10}');
    expect(() => JSON.parse(json)).not.toThrow();
  });

  test("a field that was left empty is left out, but a text that must be given may be empty", () => {
    expect(toJsonText(fieldOf(z.string().optional()), "")).toBeNull();
    expect(toJsonText(fieldOf(z.string()), "")).toBe('""');
  });

  test("an input box shows a text without its quotes and all else as JSON", () => {
    expect(toTyped(fieldOf(z.string()), '"a\\"b"')).toBe('a"b');
    expect(toTyped(fieldOf(z.array(z.int())), "[1,2]")).toBe("[1,2]");
    expect(toTyped(fieldOf(z.int()), null)).toBe("");
  });

  test("an editor begins with what must be given and what is known, as valid JSON", () => {
    const form = toForm(
      schemaOf(
        z.object({
          who: z.string(),
          n: z.int(),
          list: z.array(z.int()),
          of: z.enum(["x"]),
          more: z.string().optional(),
        }),
      ),
    );
    const text = skeleton(form, new Map([["n", "9223372036854775807"]]));
    expect(text).toBe(
      '{\n  "who": "",\n  "n": 9223372036854775807,\n  "list": [],\n  "of": "x"\n}\n',
    );
    expect(() => JSON.parse(text)).not.toThrow();
    expect(skeleton(toForm({}), new Map())).toBe("{}\n");
  });
});

describe("the form of a pipeline", () => {
  const pipeline = {
    name: "cls_all",
    phases: ["sync", "integrate", "classify", "export"],
    paramsSchema: schemaOf(
      z.object({
        root: z.string().meta({ description: "Folder of the input" }),
        out: z.string().optional().meta({ description: "Folder of the export" }),
        fresh: z.boolean().default(false),
        dryRun: z.boolean().default(false),
      }),
    ),
  };

  test("a phase runs with those before it", () => {
    expect(phasesUpTo(pipeline, "integrate")).toEqual(["sync", "integrate"]);
    expect(phasesUpTo(pipeline, null)).toEqual(pipeline.phases);
  });

  test("the output folder is asked for exactly when something is exported", () => {
    const keys = (phase: string | null) =>
      pipelineForm(pipeline, phasesUpTo(pipeline, phase)).fields.map(
        ({ key, isRequired }) => key + (isRequired ? "!" : ""),
      );
    expect(keys("integrate")).toEqual(["root!", "dryRun", "fresh"]);
    expect(keys("export")).toEqual(["root!", "out!", "dryRun", "fresh"]);
  });
});
