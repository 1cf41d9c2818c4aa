/**
 * Reads JSON text into a tree that keeps every text exactly: numbers stay as they were written, so that 64-bit integers
 * are not rounded, and keys that stand twice stay twice. Pure.
 */
export type JsonNode =
  | { readonly kind: "object"; readonly entries: readonly (readonly [string, JsonNode])[] }
  | { readonly kind: "array"; readonly items: readonly JsonNode[] }
  | { readonly kind: "string"; readonly value: string }
  /** A number, `true`, `false` or `null`, as it was written. */
  | { readonly kind: "word"; readonly text: string };

/** Deeper texts are shown as text: nobody reads them as a tree, and a call for each level would end. */
const DEEPEST = 200;

const SPACE = /[ \t\n\r]*/y;
const STRING =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them inside strings.
  /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const WORD = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** The tree of a JSON text; null when it is none, or too deep. */
export function readJson(text: string): JsonNode | null {
  let at = 0;

  function take(pattern: RegExp): string | null {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found === undefined) return null;
    at += found.length;
    return found;
  }

  function takeMark(mark: string): boolean {
    take(SPACE);
    if (text[at] !== mark) return false;
    at += 1;
    return true;
  }

  function string(): string | null {
    take(SPACE);
    const raw = take(STRING);
    return raw === null ? null : (JSON.parse(raw) as string);
  }

  function list<T>(end: string, item: () => T | null): T[] | null {
    const items: T[] = [];
    if (takeMark(end)) return items;
    do {
      const next = item();
      if (next === null) return null;
      items.push(next);
    } while (takeMark(","));
    return takeMark(end) ? items : null;
  }

  function value(depth: number): JsonNode | null {
    if (depth > DEEPEST) return null;
    if (takeMark("{")) {
      const entries = list("}", () => {
        const key = string();
        if (key === null || !takeMark(":")) return null;
        const inner = value(depth + 1);
        return inner === null ? null : ([key, inner] as const);
      });
      return entries === null ? null : { kind: "object", entries };
    }
    if (takeMark("[")) {
      const items = list("]", () => value(depth + 1));
      return items === null ? null : { kind: "array", items };
    }
    if (text[at] === '"') {
      const found = string();
      return found === null ? null : { kind: "string", value: found };
    }
    const word = take(WORD);
    return word === null ? null : { kind: "word", text: word };
  }

  const tree = value(0);
  take(SPACE);
  return at === text.length ? tree : null;
}
