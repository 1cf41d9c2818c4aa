import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { answerHttp } from "../../../../daemon/dashboard/http.ts";
import { localeOf, textsOf } from "../../../../daemon/dashboard/language.ts";
import { createSignIns } from "../../../../daemon/dashboard/sign-in.ts";
import { ask, cookieOf, redeem } from "../../../support/dashboard.ts";
import { person } from "../../../support/person.ts";
import { tempDir } from "../../../support/temp-dir.ts";

let origin = "";
let folder = "";
let token = "";
const signedIn: string[] = [];

beforeEach(async () => {
  folder = tempDir();
  signedIn.length = 0;
  const ann = person("ann", "Manager");
  const signIns = createSignIns({
    secret: new Uint8Array(32),
    userOf: (name) => (name === "ann" ? ann : null),
    now: Date.now,
  });
  const deps = {
    signIns,
    cookieName: "msgsys-1",
    folder,
    signedIn: ({ user }: { user: string }) => void signedIn.push(user),
  };
  const server = createServer((request, response) => void answerHttp(deps, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  token = signIns.link("ann").token;
});

function build(): void {
  writeFileSync(join(folder, "main.js"), "export {};");
  writeFileSync(join(folder, "main.css"), "body {}");
  writeFileSync(join(folder, "notes.txt"), "not to be served");
}

const signedInCookie = async (): Promise<string> => cookieOf(await redeem(origin, token));

describe("signing in", () => {
  test("a link's page takes the token out of the address; a token in the right hands makes a cookie that no script reads", async () => {
    const page = await ask(`${origin}/sign-in`);
    expect([page.status, page.body.includes("location.hash")]).toEqual([200, true]);
    const end = await redeem(origin, token);
    expect(end.status).toBe(200);
    expect(String(end.headers["set-cookie"])).toMatch(
      /^msgsys-1=[\w-]+\.[\w-]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    expect(signedIn).toEqual(["ann"]);
  });

  test("the same token a second time is refused in words", async () => {
    await redeem(origin, token);
    const end = await redeem(origin, token);
    expect([end.status, end.headers["set-cookie"]]).toEqual([403, undefined]);
    expect(end.body).toContain("used already");
  });

  test("a page of another origin cannot use a token, and does not use it up", async () => {
    const headers = { origin: "https://evil.example" };
    const end = await ask(`${origin}/sign-in`, { method: "POST", headers, body: token });
    expect(end.status).toBe(403);
    expect((await ask(`${origin}/sign-in`, { method: "POST", body: token })).status).toBe(403);
    expect((await redeem(origin, token)).status).toBe(200);
  });

  test("a body of megabytes is not read to its end", async () => {
    const end = await ask(`${origin}/sign-in`, {
      method: "POST",
      headers: { origin },
      body: "x".repeat(5_000_000),
    }).catch((error: NodeJS.ErrnoException) => ({ status: error.code }));
    expect([403, "EPIPE", "ECONNRESET"]).toContain(end.status);
  });
});

describe("the app", () => {
  test("is shown only to who is signed in", async () => {
    build();
    const stranger = await ask(origin);
    expect([stranger.status, stranger.body.includes("msgsys dashboard")]).toEqual([401, true]);
    expect((await ask(`${origin}/main.js`)).status).toBe(401);
    const cookie = await signedInCookie();
    const page = await ask(origin, { headers: { cookie } });
    expect(page.status).toBe(200);
    expect(page.body).toContain('data-host="browser"');
    expect((await ask(`${origin}/main.js`, { headers: { cookie } })).headers["content-type"]).toBe(
      "text/javascript; charset=utf-8",
    );
  });

  test("not built yet, it is said in words with status 503", async () => {
    const end = await ask(origin, { headers: { cookie: await signedInCookie() } });
    expect([end.status, end.body.includes("npm run build")]).toEqual([503, true]);
  });

  test("its one script bears the nonce of a policy that allows nothing else", async () => {
    build();
    const cookie = await signedInCookie();
    const [one, two] = await Promise.all([
      ask(origin, { headers: { cookie } }),
      ask(origin, { headers: { cookie } }),
    ]);
    const policy = String(one?.headers["content-security-policy"]);
    const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1] ?? "";
    expect([...(one?.body ?? "").matchAll(/<script[^>]*>/g)].map(([tag]) => tag)).toEqual([
      `<script type="module" nonce="${nonce}" src="/main.js">`,
    ]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(two?.headers["content-security-policy"]).not.toBe(policy);
  });

  test.each([
    "/notes.txt",
    "/../package.json",
    "/..%2f..%2fpackage.json",
    "/%2e%2e/%2e%2e/package.json",
    "/sub/main.js",
    "/main.js%00.css",
    "/main.js/",
    "/nothing.js",
  ])("%s is nothing that it serves", async (path) => {
    build();
    const cookie = await signedInCookie();
    expect((await ask(origin, { headers: { cookie }, path })).status).toBe(404);
  });

  test("every answer says that it may not be framed, guessed at or kept", async () => {
    for (const path of ["/", "/sign-in", "/nothing"]) {
      const { headers } = await ask(`${origin}${path}`);
      expect(headers).toMatchObject({
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
      });
      expect(headers["access-control-allow-origin"]).toBeUndefined();
    }
  });

  test("only reading is possible", async () => {
    const end = await ask(origin, { method: "DELETE" });
    expect([end.status, end.headers["allow"]]).toEqual([405, "GET, HEAD"]);
  });
});

test("a stranger's name that was made to point here is refused before anything else", async () => {
  const cookie = await signedInCookie();
  for (const path of ["/", "/sign-in", "/main.js"]) {
    const end = await ask(`${origin}${path}`, { headers: { host: "evil.example:8050", cookie } });
    expect(end.status).toBe(421);
  }
});

describe("language", () => {
  test.each([
    ["pt-BR,pt;q=0.9,en;q=0.8", "pt-BR"],
    ["de", "de"],
    ["*", "en"],
    ["", "en"],
    [undefined, "en"],
    ['"><script>', "en"],
  ])("%j asks for %s", (header, locale) => {
    expect(localeOf(header)).toBe(locale);
  });

  test.each(["xx", "../../package", "en"])("there are no translations for %j", async (locale) => {
    expect(await textsOf(locale)).toEqual({});
  });
});
