/** English text → the user's language, with `{0}`, `{1}` … filled in: `vscode.l10n.t`, or a test's own. */
export type Translate = (text: string, ...values: (string | number)[]) => string;

/** English itself. */
export const english: Translate = (text, ...values) =>
  text.replace(/\{(\d+)\}/g, (place, index: string) => String(values[Number(index)] ?? place));
