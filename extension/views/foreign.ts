/**
 * Texts of strangers (inputs, errors, names of files) made safe to show in trees, tooltips and messages. Pure.
 * Characters that nobody sees, or that turn the text around, are shown by their code.
 */
const ODD =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;

function codeOf(character: string): string {
  return `⟨U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

/** At most `limit` UTF-16 units and no half of a pair at the end; `…` stands for the rest. */
function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  return `${text.slice(0, last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit)}…`;
}

/** One line of at most `limit` characters; a line break is a space. */
export function line(text: string, limit = 200): string {
  return cut(text, limit).replace(ODD, (odd) => (/[\t\n\r]/.test(odd) ? " " : codeOf(odd)));
}

/** The same with its line breaks and tabs. */
export function lines(text: string, limit: number): string {
  return cut(text, limit).replace(ODD, (odd) => (/[\t\n]/.test(odd) ? odd : codeOf(odd)));
}

/** A backslash does not keep these from being read: an address would become a link, `&lt;` a mark. */
const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  ":": "&#58;",
  "@": "&#64;",
  "/": "&#47;",
};

/** Text inside Markdown: every mark is escaped, so that it can be neither link, icon, HTML nor formatting. */
export function markdownText(text: string, limit = 300): string {
  return line(text, limit).replace(/[!-/:-@[-`{-~]/g, (mark) => ENTITIES[mark] ?? `\\${mark}`);
}

/** A fenced block that its text cannot close: the fence is longer than any run of backticks in it. */
export function fenced(text: string, language = ""): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(Math.max(3, longest + 1));
  return `${fence}${language}\n${text}\n${fence}`;
}
