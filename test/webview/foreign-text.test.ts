import { describe, expect, test } from "vitest";
import { plainForeign, readForeign } from "../../webview/ui/foreign-text.ts";

const codes = (text: string, lines = false): string[] =>
  readForeign(text, { lines }).parts.map((part) => (part.kind === "odd" ? part.code : part.text));

describe("texts of strangers", () => {
  test("overrides of writing direction are shown by their code", () => {
    expect(codes("a\u202egnp.exe")).toEqual(["a", "U+202E", "gnp.exe"]);
    expect(codes("\u2066x\u2069")).toEqual(["U+2066", "x", "U+2069"]);
  });

  test("control, zero-width and tag characters are shown by their code", () => {
    expect(codes("\u0007\u001b[31m\u200b\ufeff\u{e0041}")).toEqual([
      "U+0007",
      "U+001B",
      "[31m",
      "U+200B",
      "U+FEFF",
      "U+E0041",
    ]);
  });

  test("half of a surrogate pair is shown by its code, a whole pair stays", () => {
    expect(codes("\ud800x")).toEqual(["U+D800", "x"]);
    expect(codes("x\udc00")).toEqual(["x", "U+DC00"]);
    expect(codes("👩‍💻é")).toEqual(["👩‍💻é"]);
  });

  test("a line break is a space in a line, and stays where lines are kept", () => {
    expect(codes("a\nb\tc")).toEqual(["a b c"]);
    expect(codes("a\nb\tc\r", true)).toEqual(["a\nb\tc"]);
  });

  test("markup is a text like any other", () => {
    expect(codes("<img src=x onerror=alert(1)>")).toEqual(["<img src=x onerror=alert(1)>"]);
  });

  test("a long text is cut, never inside a surrogate pair, and says how much is missing", () => {
    expect(readForeign("abc👩", { limit: 4 })).toEqual({
      parts: [{ kind: "text", text: "abc" }],
      cutOff: 2,
    });
    expect(plainForeign("x".repeat(10), 4)).toBe("xxxx…");
  });
});
