import { describe, expect, test } from "vitest";
import {
  compileFilter,
  type Filterable,
  parseFilter,
  toggleTerm,
  writeFilter,
} from "../../webview/state/filter.ts";
import { suggest } from "../../webview/ui/FilterBox.tsx";

const KEYS = ["name", "by"];
const row = (name: string, by: string): Filterable => ({
  values: (key) => (key === "name" ? [name] : key === "by" ? [by] : []),
  text: () => `${name} ${by}`,
});
const passes = (text: string, name: string, by = "ada"): boolean =>
  compileFilter(parseFilter(text, KEYS))(row(name, by));

describe("parsing a filter", () => {
  test("keys, negations, quotes and free text are told apart", () => {
    expect(parseFilter('name:cls.* -by:ada "two words" plain', KEYS)).toEqual([
      { key: "name", value: "cls.*", isNegated: false },
      { key: "by", value: "ada", isNegated: true },
      { key: null, value: "two words", isNegated: false },
      { key: null, value: "plain", isNegated: false },
    ]);
  });

  test("a word with a colon that is no key is free text", () => {
    expect(parseFilter("http://x", KEYS)).toEqual([
      { key: null, value: "http://x", isNegated: false },
    ]);
  });

  test("a key without value yet filters nothing", () => {
    expect(parseFilter("name:", KEYS)).toEqual([]);
  });

  test("what was parsed is written so that it is parsed the same again", () => {
    const terms = parseFilter('name:"a b" -by:x free', KEYS);
    expect(parseFilter(writeFilter(terms), KEYS)).toEqual(terms);
  });

  test("toggling a term adds it, and toggling it again takes it away", () => {
    const term = { key: "by", value: "ada", isNegated: false };
    const added = toggleTerm("name:x", KEYS, term);
    expect(added).toBe("name:x by:ada");
    expect(toggleTerm(added, KEYS, term)).toBe("name:x");
  });
});

describe("matching", () => {
  test("values of one key are alternatives, different keys must all hold", () => {
    expect(passes("name:a name:b", "b")).toBe(true);
    expect(passes("name:a by:eve", "a")).toBe(false);
  });

  test("a star is anything, and the rest is the whole value without case", () => {
    expect(passes("name:CLS.*", "cls.sync")).toBe(true);
    expect(passes("name:cls", "cls.sync")).toBe(false);
    expect(passes("name:*.sync*", "cls.sync")).toBe(true);
    expect(passes("name:a*a", "a")).toBe(false);
  });

  test("a negated term leaves out what it matches", () => {
    expect(passes("-name:cls.*", "cls.sync")).toBe(false);
    expect(passes("-sync", "cls.sync")).toBe(false);
    expect(passes("-other", "cls.sync")).toBe(true);
  });

  test("a pattern of very many stars ends at once", () => {
    expect(passes(`name:${"*a".repeat(2000)}b`, "a".repeat(3000))).toBe(false);
  });
});

describe("suggestions", () => {
  const keys = [
    { key: "name", meaning: "", values: () => ["cls.sync", "with space"] },
    { key: "by", meaning: "", values: () => [] },
  ];

  test("the beginning of a key is completed, the text before it stays", () => {
    expect(suggest("x -na", keys).map(({ text }) => text)).toEqual(["x -name:"]);
  });

  test("after a key its values are offered, quoted where they need it", () => {
    expect(suggest("name:", keys).map(({ text }) => text)).toEqual([
      "name:cls.sync ",
      'name:"with space" ',
    ]);
  });
});
