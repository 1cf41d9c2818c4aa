import { expect, test } from "vitest";
import { type PageOptions, renderPage } from "../../../../extension/dashboard/html.ts";

const OPTIONS: PageOptions = {
  surface: "dashboard",
  cspSource: "https://webview.test",
  nonce: "bm9uY2U=",
  scriptUri: "https://webview.test/dist/webview/main.js",
  styleUri: "https://webview.test/dist/webview/main.css",
  title: "msg_sys",
  locale: "en",
};

function policyOf(page: string): Record<string, string> {
  const [, content = ""] = /Content-Security-Policy" content="([^"]+)"/.exec(page) ?? [];
  return Object.fromEntries(
    content.split("; ").map((rule) => [rule.split(" ")[0], rule.slice(rule.indexOf(" ") + 1)]),
  );
}

test("a webview's policy forbids everything but our script by its nonce, and styles, fonts and images of ours", () => {
  expect(policyOf(renderPage(OPTIONS))).toEqual({
    "default-src": "'none'",
    "script-src": "'nonce-bm9uY2U='",
    "style-src": "https://webview.test",
    "font-src": "https://webview.test",
    "img-src": "https://webview.test data:",
    "base-uri": "'none'",
    "form-action": "'none'",
  });
});

test("the page has one script, a module with the nonce, and nothing inline", () => {
  const page = renderPage(OPTIONS);
  expect(page.match(/<script\b[^>]*>/g)).toEqual([
    '<script type="module" nonce="bm9uY2U=" src="https://webview.test/dist/webview/main.js">',
  ]);
  expect(page).not.toMatch(/<style|\sstyle=|\son\w+=/);
});

test("the body says which surface it is, for the script and for whoever tests it", () => {
  expect(renderPage({ ...OPTIONS, surface: "feed" })).toContain('<body data-surface="feed">');
});

test("texts of a translation cannot break out of the page", () => {
  const page = renderPage({ ...OPTIONS, title: '"<b>' });
  expect(page).toContain("<title>&quot;&lt;b&gt;</title>");
});
