import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { cookieIn, isOwnHost, isOwnOrigin } from "./guard.ts";
import { localeOf } from "./language.ts";
import { appPage, policyOf, readAsset, SAFE_HEADERS, signInPage, words } from "./pages.ts";
import { SESSION_MS, type Session, type SignIns } from "./sign-in.ts";

/** A token has 43 characters; whoever sends more is none of ours. */
const TOKEN_BYTES = 200;

export interface HttpDeps {
  readonly signIns: SignIns;
  /** Cookies know no ports: the name tells two daemons of one machine apart. */
  readonly cookieName: string;
  /** The folder of the built web app. */
  readonly folder: string;
  signedIn(session: Session): void;
}

const SIGN_IN = "Sign in with the link that <code>msgsys dashboard</code> prints.";
const NOT_BUILT =
  "The dashboard was not built. Run <code>npm run build</code>, then load this page again.";
const LINK_OVER =
  "This link was used already, or is too old. Ask for another with msgsys dashboard.";

/** Answers what a browser asks over HTTP. Rejects only when a file cannot be read. */
export async function answerHttp(
  deps: HttpDeps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { host } = request.headers;
  const nonce = randomBytes(16).toString("base64");
  const send = (status: number, type: string, body: string | Buffer): void => {
    const policy = policyOf(nonce, isOwnHost(host) ? host : "127.0.0.1");
    response.writeHead(status, {
      ...SAFE_HEADERS,
      "content-security-policy": policy,
      "content-type": type,
      "content-length": Buffer.byteLength(body),
    });
    response.end(request.method === "HEAD" ? undefined : body);
  };
  const html = (status: number, body: string): void =>
    send(status, "text/html; charset=utf-8", body);
  const text = (status: number, body: string): void =>
    send(status, "text/plain; charset=utf-8", `${body}\n`);

  if (!isOwnHost(host)) return text(421, "This server answers on loopback only.");
  const { pathname } = new URL(request.url ?? "/", "http://loopback");
  if (request.method === "POST" && pathname === "/sign-in") {
    if (!isOwnOrigin(request.headers.origin, host)) return text(403, "Not from this page.");
    const token = await readBody(request);
    const entered = token === null ? null : deps.signIns.redeem(token);
    if (entered === null) return text(403, LINK_OVER);
    deps.signedIn(entered.session);
    response.setHeader("set-cookie", setCookie(deps.cookieName, entered.cookie));
    return text(200, "Signed in.");
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    return text(405, "Only reading is possible here.");
  }
  if (pathname === "/sign-in") return html(200, signInPage(nonce));
  if (sessionOf(deps, request) === null) return html(401, words(nonce, SIGN_IN));
  if (pathname === "/") {
    const isBuilt = (await readAsset("main.js", deps.folder)) !== null;
    if (!isBuilt) return html(503, words(nonce, NOT_BUILT));
    return html(200, appPage(nonce, localeOf(request.headers["accept-language"])));
  }
  const asset = await readAsset(pathname.slice(1), deps.folder);
  if (asset === null) return text(404, "There is nothing here.");
  send(200, asset.type, asset.body);
}

/** Who sends this request; null when nobody is signed in. */
export function sessionOf(
  { signIns, cookieName }: Pick<HttpDeps, "signIns" | "cookieName">,
  request: IncomingMessage,
): Session | null {
  const cookie = cookieIn(request.headers.cookie, cookieName);
  return cookie === null ? null : signIns.check(cookie);
}

function setCookie(name: string, value: string): string {
  const seconds = Math.floor(SESSION_MS / 1000);
  return `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict`;
}

/** The body as text; null when it is longer than any token. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  let text = "";
  for await (const chunk of request) {
    text += String(chunk as Buffer);
    if (text.length > TOKEN_BYTES) return null;
  }
  return text.trim();
}
