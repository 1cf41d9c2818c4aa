/**
 * Texts of strangers (payloads, errors, names of files), made safe to read: characters that nobody sees, or that turn the
 * text around, are shown by their code. Pure. What is shown is text nodes in any case; this is about being deceived.
 */
export type ForeignPart =
  | { readonly kind: "text"; readonly text: string }
  /** A character that is shown by its code, `U+202E`. */
  | { readonly kind: "odd"; readonly code: string };

export interface ForeignText {
  readonly parts: readonly ForeignPart[];
  /** Characters (UTF-16) that were cut off at the end; 0: none. */
  readonly cutOff: number;
}

/** Longest text in one line of a list; nobody reads more there. */
export const LINE_LIMIT = 300;

/**
 * C0 and C1 controls, soft hyphen, the marks and overrides of writing direction, zero-width characters, invisible
 * operators, tags, and halves of surrogate pairs. The joiners U+200C and U+200D stay: emoji and scripts need them.
 */
const ODD =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;

function codeOf(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** What of a text stays as it is, and what is shown by its code. `lines` keeps line breaks and tabs. */
export function readForeign(
  text: string,
  options: { readonly limit?: number; readonly lines?: boolean } = {},
): ForeignText {
  const { limit = LINE_LIMIT, lines = false } = options;
  const kept = cutAt(text, limit);
  const parts: ForeignPart[] = [];
  let from = 0;
  for (const hit of kept.matchAll(ODD)) {
    const character = hit[0];
    const isLayout = character === "\n" || character === "\t" || character === "\r";
    if (lines && isLayout && character !== "\r") continue;
    if (hit.index > from) parts.push({ kind: "text", text: kept.slice(from, hit.index) });
    from = hit.index + character.length;
    // A line break inside a list's line is nothing suspicious: a space stands for it.
    if (isLayout) {
      if (!lines) parts.push({ kind: "text", text: " " });
      continue;
    }
    parts.push({ kind: "odd", code: codeOf(character) });
  }
  if (from < kept.length) parts.push({ kind: "text", text: kept.slice(from) });
  return { parts: joined(parts), cutOff: text.length - kept.length };
}

/** The same as one plain text, for labels and tooltips. */
export function plainForeign(text: string, limit = LINE_LIMIT): string {
  const { parts, cutOff } = readForeign(text, { limit });
  const whole = parts.map((part) => (part.kind === "text" ? part.text : `⟨${part.code}⟩`)).join("");
  return cutOff > 0 ? `${whole}…` : whole;
}

/**
 * A JSON text with its invisible characters as escapes, for places where it is edited and codes cannot be shown. It is the
 * same JSON: outside of strings none of them can stand, but line breaks and tabs, which stay.
 */
export function escapeOdd(json: string): string {
  return json.replace(ODD, (character) =>
    /[\n\r\t]/.test(character)
      ? character
      : Array.from(
          { length: character.length },
          (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`,
        ).join(""),
  );
}

/** At most `limit` characters, and no half of a surrogate pair at the end. */
function cutAt(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit);
}

function joined(parts: readonly ForeignPart[]): ForeignPart[] {
  const out: ForeignPart[] = [];
  for (const part of parts) {
    const last = out.at(-1);
    if (part.kind === "text" && last?.kind === "text")
      out[out.length - 1] = { kind: "text", text: last.text + part.text };
    else out.push(part);
  }
  return out;
}
