import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type JsonNode, readJson } from "../../webview/ui/json-text.ts";

function toValue(node: JsonNode): unknown {
  switch (node.kind) {
    case "object":
      return Object.fromEntries(node.entries.map(([name, inner]) => [name, toValue(inner)]));
    case "array":
      return node.items.map(toValue);
    case "string":
      return node.value;
    case "word":
      return JSON.parse(node.text);
    default:
      return node satisfies never;
  }
}

describe("reading JSON text", () => {
  test("numbers stay as they were written", () => {
    const tree = readJson("[9007199254740993, 18446744073709551615, 1.0, 1e400, -0]");
    expect(tree).toEqual({
      kind: "array",
      items: ["9007199254740993", "18446744073709551615", "1.0", "1e400", "-0"].map((text) => ({
        kind: "word",
        text,
      })),
    });
  });

  test("a key that stands twice stays twice", () => {
    const tree = readJson('{"a":1,"a":2}');
    expect(tree?.kind === "object" && tree.entries.map(([name]) => name)).toEqual(["a", "a"]);
  });

  test("every value that JSON can carry is read as JSON.parse reads it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
        const tree = readJson(JSON.stringify(value, null, indent));
        expect(tree).not.toBeNull();
        // `__proto__` as a key is the one thing that fromEntries and JSON.parse treat apart.
        expect(JSON.stringify(toValue(tree!))).toBe(
          JSON.stringify(JSON.parse(JSON.stringify(value))),
        );
      }),
    );
  });

  test.each(["", "{", "[1,]", "01", "{a:1}", "'x'", "[1] x", '"\u0001"', "nul", "+1"])(
    "%j is no JSON",
    (text) => {
      expect(readJson(text)).toBeNull();
    },
  );

  test("a text that is nested too deep is none, instead of ending the program", () => {
    expect(readJson("[".repeat(100_000))).toBeNull();
    expect(readJson(`${"[".repeat(500)}${"]".repeat(500)}`)).toBeNull();
  });

  test("a string of a megabyte is read", () => {
    const tree = readJson(JSON.stringify("é\n".repeat(500_000)));
    expect(tree?.kind === "string" && tree.value.length).toBe(1_000_000);
  });
});
