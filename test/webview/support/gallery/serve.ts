/**
 * Serves the gallery under the product's content security policy: `node test/webview/support/gallery/serve.ts [port]`,
 * then open `/?play=full&theme=dark&screen=overview`.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, "../../../..");
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self'";
const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Example data</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="page.css"></head>
<body><div id="root"></div><script type="module" src="page.js"></script></body>
</html>`;
const TYPES = { html: "text/html", js: "text/javascript", css: "text/css" } as const;

/** Bundles the page and serves it from memory. Close the server when done. */
export async function serveGallery(port = 0): Promise<{ server: Server; url: string }> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [join(HERE, "page.ts")],
    outdir: join(ROOT, "dist", "gallery"),
    write: false,
    bundle: true,
    format: "esm",
    target: "es2024",
    jsx: "automatic",
    jsxImportSource: "preact",
    logLevel: "warning",
  });
  const files = new Map(outputFiles.map(({ path, text }) => [path.split(/[\\/]/).at(-1), text]));
  files.set("", PAGE);
  const server = createServer((request, response) => {
    const name = new URL(request.url ?? "/", "http://localhost").pathname.slice(1);
    const text = files.get(name);
    const type = name.endsWith(".js") ? TYPES.js : name.endsWith(".css") ? TYPES.css : TYPES.html;
    response.writeHead(text === undefined ? 404 : 200, {
      "content-type": `${type}; charset=utf-8`,
      "content-security-policy": POLICY,
    });
    response.end(text ?? "");
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { url } = await serveGallery(Number(process.argv[2] ?? 0));
  process.stdout.write(`${url}?play=full&theme=dark&screen=overview\n`);
}
