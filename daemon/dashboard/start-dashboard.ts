import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { WebSocketServer } from "ws";
import type { DashboardView } from "../../shared/control.ts";
import { AppError, describe } from "../../shared/errors.ts";
import { DATA_FILES, type Settings } from "../../shared/settings.ts";
import { SIGNED_OUT_CODE } from "../../shared/view/messages.ts";
import type { AuditStore } from "../audit/audit-store.ts";
import type { Control } from "../control/call.ts";
import type { Log } from "../log.ts";
import type { UserRecord } from "../user-rules.ts";
import { writeAtomically } from "../write-atomically.ts";
import { isOwnHost, isOwnOrigin } from "./guard.ts";
import { answerHttp, type HttpDeps, sessionOf } from "./http.ts";
import type { Hub } from "./hub.ts";
import { localeOf, textsOf } from "./language.ts";
import { WEB_APP } from "./pages.ts";
import { createSignIns, type Session } from "./sign-in.ts";
import { type DashboardSocket, serveSocket } from "./socket.ts";

const ADDRESS = "127.0.0.1";
/** Ports that are tried after the wanted one. */
const MORE_PORTS = 20;
/** Dashboards open at the same time; another is refused. */
const MOST_SOCKETS = 32;
/** An input of 1 MiB, written as JSON within JSON. */
const MESSAGE_BYTES = 4 * 1_048_576;
const LOOK_MS = 5000;
/** A close that is not answered within this time is cut. */
const GOODBYE_MS = 300;

export interface DashboardDeps {
  readonly settings: Settings["dashboard"];
  readonly dataDir: string;
  readonly control: Control;
  readonly hub: Hub;
  readonly audit: Pick<AuditStore, "note">;
  userOf(name: string): UserRecord | null;
  now(): number;
  readonly log: Log;
}

/** The dashboard for browsers on this machine. */
export interface Dashboard {
  view(): DashboardView;
  /** Throws `dashboard-off` when it is not served. */
  link(user: string): { readonly url: string; readonly expiresAt: string };
  /** Throws out whoever is no longer who they were when they signed in. */
  usersChanged(): void;
  stop(): Promise<void>;
}

/** Serves it as the settings say. A port that cannot be had is no reason for the daemon not to run: `view` tells. */
export async function startDashboard(deps: DashboardDeps): Promise<Dashboard> {
  if (!deps.settings.enabled)
    return notServed("it is switched off by the setting dashboard.enabled");
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 });
  server.maxConnections = 200;
  try {
    const port = await listen(server, deps.settings.port);
    const secret = await secretOf(deps.dataDir);
    return serve(deps, server, port, secret);
  } catch (error) {
    server.close();
    deps.log.warn("dashboard not served", { error: describe(error) });
    return notServed(describe(error));
  }
}

function notServed(why: string): Dashboard {
  return {
    view: () => ({ url: null, why }),
    link() {
      throw new AppError("dashboard-off", { what: why });
    },
    usersChanged() {},
    async stop() {},
  };
}

/** The wanted port, else one of the next ones, else any. */
async function listen(server: Server, wanted: number): Promise<number> {
  const next = wanted === 0 ? [] : Array.from({ length: MORE_PORTS }, (_, i) => wanted + i);
  for (const port of [...next.filter((one) => one <= 65_535), 0]) {
    const failure = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
      server.once("error", resolve);
      server.listen(port, ADDRESS, () => {
        server.off("error", resolve);
        resolve(null);
      });
    });
    if (failure === null) return (server.address() as AddressInfo).port;
    if (failure.code !== "EADDRINUSE" && failure.code !== "EACCES") throw failure;
  }
  throw new Error("no port on 127.0.0.1 can be had");
}

/** The key that signs cookies: made at the first start, as private as the seeds beside it. */
async function secretOf(dataDir: string): Promise<Uint8Array> {
  const file = join(dataDir, DATA_FILES.keys, "dashboard.key");
  if (existsSync(file)) return Buffer.from(readFileSync(file, "utf8").trim(), "base64url");
  const secret = randomBytes(32);
  await writeAtomically(file, `${secret.toString("base64url")}\n`, { durable: true });
  return secret;
}

function serve(deps: DashboardDeps, server: Server, port: number, secret: Uint8Array): Dashboard {
  const { now, log, audit, settings } = deps;
  const signIns = createSignIns({ secret, userOf: deps.userOf, now });
  const http: HttpDeps = {
    signIns,
    cookieName: `msgsys-${port}`,
    folder: WEB_APP,
    signedIn: ({ user }) =>
      audit.note({ at: now(), kind: "dashboard-signed-in", by: user, taskId: null, detail: {} }),
  };
  const sockets = createSockets(deps, http);
  server.on("request", (request, response) => {
    answerHttp(http, request, response).catch((error: unknown) => {
      log.error("dashboard request failed", { error: describe(error) });
      response.destroy();
    });
  });
  server.on("upgrade", (request, socket, head) => {
    sockets.take(request, socket, head).catch((error: unknown) => {
      log.error("dashboard socket failed", { error: describe(error) });
      socket.destroy();
    });
  });
  const url = `http://${ADDRESS}:${port}`;
  const isUsual = port === settings.port || settings.port === 0;
  log.info("dashboard served", { url });
  return {
    view: () => ({ url, why: isUsual ? null : `port ${settings.port} is taken` }),
    link(user) {
      const { token, expiresAt } = signIns.link(user);
      // Behind the #: a browser keeps that to itself, so that no log and no referrer ever has it.
      return { url: `${url}/sign-in#${token}`, expiresAt: new Date(expiresAt).toISOString() };
    },
    usersChanged: sockets.look,
    async stop() {
      await sockets.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The open dashboards. */
function createSockets(deps: DashboardDeps, http: HttpDeps) {
  const open = new Map<DashboardSocket, Promise<void>>();
  let endpoint: Promise<WebSocketServer> | null = null;
  let timer: NodeJS.Timeout | null = null;

  function look(): void {
    for (const one of open.keys()) one.look();
    void deps.hub.measure();
  }

  function begin(
    request: IncomingMessage,
    session: Session,
    ws: import("ws").WebSocket,
    texts: Readonly<Record<string, string>>,
  ): void {
    const served = serveSocket({
      socket: ws,
      session,
      control: deps.control,
      hub: deps.hub,
      isValid: () => sessionOf(http, request) !== null,
      locale: localeOf(request.headers["accept-language"]),
      texts,
      now: deps.now,
      log: deps.log,
    });
    const closed = new Promise<void>((resolve) => {
      ws.once("close", () => {
        open.delete(served);
        if (open.size === 0 && timer !== null) {
          clearInterval(timer);
          timer = null;
        }
        resolve();
      });
    });
    open.set(served, closed);
    timer ??= setInterval(look, LOOK_MS);
    void deps.hub.measure();
  }

  return {
    look,
    async take(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
      // Ignored: a peer that goes while it is refused; the socket is gone either way.
      socket.on("error", () => {});
      const { host, origin } = request.headers;
      if (!isOwnHost(host) || !isOwnOrigin(origin, host)) return refuse(socket, "403 Forbidden");
      if (request.url !== "/socket") return refuse(socket, "404 Not Found");
      if (open.size >= MOST_SOCKETS) return refuse(socket, "503 Service Unavailable");
      endpoint ??= createEndpoint();
      const texts = await textsOf(localeOf(request.headers["accept-language"]));
      (await endpoint).handleUpgrade(request, socket, head, (ws) => {
        const session = sessionOf(http, request);
        // A page sees the code of a close, but not why an upgrade was refused.
        if (session === null) ws.close(SIGNED_OUT_CODE, "signed out");
        else begin(request, session, ws, texts);
      });
    },
    async stop(): Promise<void> {
      const closed = [...open.values()];
      for (const one of open.keys()) one.goAway();
      let limit: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        limit = setTimeout(resolve, GOODBYE_MS);
      });
      await Promise.race([Promise.all(closed), late]);
      clearTimeout(limit);
      if (timer !== null) clearInterval(timer);
      for (const ws of (await endpoint)?.clients ?? []) ws.terminate();
    },
  };
}

/** Loaded with the first dashboard: most daemons never have one open. */
async function createEndpoint(): Promise<WebSocketServer> {
  const { WebSocketServer: Endpoint } = await import("ws");
  return new Endpoint({ noServer: true, maxPayload: MESSAGE_BYTES, perMessageDeflate: false });
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
