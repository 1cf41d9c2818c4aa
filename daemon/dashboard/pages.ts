import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { PACKAGE_ROOT } from "../entry.ts";

/** The web app as it was built, the same that VS Code shows. */
export const WEB_APP = join(PACKAGE_ROOT, "dist", "webview");

const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".ttf": "font/ttf",
  ".woff2": "font/woff2",
};

/** What stands on every answer: nothing of it may be framed, guessed at, kept, or read by another page. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "cache-control": "no-store",
};

/** Only this page's own scripts, styles and socket; nothing from elsewhere, nothing inline but what bears the nonce. */
export function policyOf(nonce: string, host: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    // Not every browser counts a socket on the page's own address as its own.
    `connect-src 'self' ws://${host} wss://${host}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** A file of the web app; null when there is none of that name. */
export async function readAsset(
  name: string,
  folder: string,
): Promise<{ readonly type: string; readonly body: Buffer } | null> {
  const type = TYPES[extname(name)];
  if (type === undefined) return null;
  // Asked of the folder itself: a name with a way out of it is none of its files.
  const names = await readdir(folder).catch(() => [] as string[]); // Ignored: not built yet, so nothing is there.
  return names.includes(name) ? { type, body: await readFile(join(folder, name)) } : null;
}

/** The document of the web app. `hasStyle`: the build made a style sheet. */
export function appPage(nonce: string, lang: string): string {
  return page(
    lang,
    "msg_sys",
    [
      `<link rel="stylesheet" href="/main.css">`,
      `<script type="module" nonce="${nonce}" src="/main.js"></script>`,
    ],
    `<div id="root"></div>`,
    `data-host="browser" data-surface="dashboard"`,
  );
}

/** Takes the token out of the address, where only the browser sees it, and trades it for a session. */
export function signInPage(nonce: string): string {
  const script = `
const token = location.hash.slice(1);
history.replaceState(null, "", "/sign-in");
const say = (text) => { document.getElementById("text").textContent = text; };
fetch("/sign-in", { method: "POST", headers: { "content-type": "text/plain" }, body: token })
  .then((answer) => answer.ok ? location.replace("/") : answer.text().then(say))
  .catch(() => say("The daemon does not answer."));`;
  return words(nonce, "Signing in…", `<script nonce="${nonce}">${script}\n</script>`);
}

/** A page that says one thing. `text` is ours, never a stranger's. */
export function words(nonce: string, text: string, script = ""): string {
  const style = `<style nonce="${nonce}">
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { display: grid; place-items: center; min-height: 90vh; margin: 0 1rem; }
main { max-width: 36rem; }
code { font-size: 1.05em; }
</style>`;
  return page("en", "msg_sys", [style], `<main><p id="text">${text}</p></main>${script}`, "");
}

function page(
  lang: string,
  title: string,
  head: readonly string[],
  body: string,
  attributes: string,
): string {
  return `<!doctype html>
<html lang="${lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
${head.join("\n")}
</head>
<body ${attributes}>
${body}
</body>
</html>
`;
}
