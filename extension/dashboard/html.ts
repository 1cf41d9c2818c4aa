/** What the one page of all surfaces needs; addresses are those of the webview it is for. */
export interface PageOptions {
  /** `dashboard` shows everything, `feed` the live feed alone. */
  readonly surface: "dashboard" | "feed";
  /** From where VS Code lets this webview load files. */
  readonly cspSource: string;
  /** Never the same twice. */
  readonly nonce: string;
  readonly scriptUri: string;
  readonly styleUri: string;
  readonly title: string;
  /** BCP 47. */
  readonly locale: string;
}

/**
 * The document of a webview. It runs one script of ours and nothing else: whatever a task's author or a stranger's event
 * smuggles into a text stays text.
 */
export function renderPage(options: PageOptions): string {
  const { surface, cspSource, nonce } = options;
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource}`,
    `font-src ${cspSource}`,
    `img-src ${cspSource} data:`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  // The dashboard draws its own landmarks; the feed alone is one.
  const root = surface === "feed" ? "main" : "div";
  return `<!DOCTYPE html>
<html lang="${escaped(options.locale)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escaped(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(options.title)}</title>
<link rel="stylesheet" href="${escaped(options.styleUri)}">
</head>
<body data-surface="${surface}">
<${root} id="root"></${root}>
<script type="module" nonce="${escaped(nonce)}" src="${escaped(options.scriptUri)}"></script>
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
