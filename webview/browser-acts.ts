import type { Outcome } from "./host.ts";
import { t } from "./ui/text.ts";

/** Puts a text on the clipboard. A browser allows that only on a secure page and after a click. */
export async function copyInBrowser(text: string): Promise<Outcome<null>> {
  try {
    await navigator.clipboard.writeText(text);
    return { ok: true, value: null };
  } catch (error) {
    return {
      ok: false,
      error: {
        code: "internal",
        message: t("The browser did not allow copying."),
        hint: error instanceof Error ? error.message : "",
      },
    };
  }
}

/** Downloads a text as a file. */
export function saveInBrowser(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // Not at once: the download reads it after this turn.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
