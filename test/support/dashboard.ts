import { request as httpRequest, type OutgoingHttpHeaders } from "node:http";
import { WebSocket } from "ws";
import type { ConnectedClient } from "../../daemon/sdk.ts";
import type { RequestOf, ResponseOf } from "../../shared/control.ts";
import type { WireError } from "../../shared/errors.ts";
import type { ViewCommand, ViewNotice, ViewVerb } from "../../shared/view/messages.ts";
import { until } from "./until.ts";

/** What a server answered. */
export interface HttpEnd {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** One request with exactly these headers: unlike `fetch` it lets a test lie about Host and Origin. */
export function ask(
  url: string,
  options: {
    method?: string;
    headers?: OutgoingHttpHeaders;
    body?: string;
    /** As it is to be sent, untidied. */
    path?: string;
  } = {},
): Promise<HttpEnd> {
  return new Promise((resolve, reject) => {
    const { method = "GET", headers = {}, body = "", path = new URL(url).pathname } = options;
    const request = httpRequest(url, { method, headers, path, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** A link of `msgsys dashboard`, in its parts. */
export async function linkOf(client: ConnectedClient): Promise<{ origin: string; token: string }> {
  const url = new URL((await client.request("dashboard_link", {})).url);
  return { origin: url.origin, token: url.hash.slice(1) };
}

/** What the sign-in page does. */
export function redeem(origin: string, token: string): Promise<HttpEnd> {
  return ask(`${origin}/sign-in`, { method: "POST", headers: { origin }, body: token });
}

/** The cookie that an answer sets, as a browser sends it back. */
export function cookieOf({ headers }: HttpEnd): string {
  return String(headers["set-cookie"]).split(";")[0] ?? "";
}

/** Signs in with a fresh link. */
export async function signIn(client: ConnectedClient): Promise<{ origin: string; cookie: string }> {
  const { origin, token } = await linkOf(client);
  return { origin, cookie: cookieOf(await redeem(origin, token)) };
}

type Outcome<T> = { ok: true; value: T } | { ok: false; error: WireError };

/** A dashboard as a page in a browser opens it. */
export interface TestView {
  readonly socket: WebSocket;
  readonly notices: ViewNotice[];
  send(command: ViewCommand | object): void;
  request<V extends ViewVerb>(verb: V, body: RequestOf<V>): Promise<Outcome<ResponseOf[V]>>;
  of<T extends ViewNotice["type"]>(type: T): Extract<ViewNotice, { type: T }>[];
  /** Resolves with the code once the socket is closed. */
  readonly closed: Promise<number>;
  close(): Promise<void>;
}

/** Opens the socket; `headers` replace those of an honest page. Rejects when the upgrade is refused. */
export async function openView(
  origin: string,
  cookie: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<TestView> {
  const socket = new WebSocket(`${origin.replace("http", "ws")}/socket`, {
    headers: { origin, cookie, ...headers },
    maxPayload: 64 * 1_048_576,
  });
  const notices: ViewNotice[] = [];
  socket.on("message", (data) => notices.push(JSON.parse(String(data as Buffer)) as ViewNotice));
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  let last = 0;
  const view: TestView = {
    socket,
    notices,
    closed,
    send: (command) => socket.send(JSON.stringify(command)),
    async request(verb, body) {
      last += 1;
      const id = last;
      view.send({ type: "request", id, verb, body });
      const reply = await until(() => view.of("reply").find((notice) => notice.id === id));
      return reply?.outcome as never;
    },
    of: <T extends ViewNotice["type"]>(type: T) =>
      notices.filter((notice): notice is Extract<ViewNotice, { type: T }> => notice.type === type),
    async close() {
      socket.close();
      await closed;
    },
  };
  return view;
}
