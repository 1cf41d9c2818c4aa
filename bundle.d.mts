/** Types of `bundle.mjs` for the program's sources. */
export const ROOT: string;
export const DIST: string;
/** False when the part was not bundled, or a source was changed, added or removed since. Takes milliseconds. */
export function isBundleFresh(part?: "daemon" | "extension" | "webview"): boolean;
