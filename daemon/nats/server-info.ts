import { connect } from "node:net";

/** What a nats-server tells every visitor before any login. */
export interface ServerGreeting {
  readonly serverId: string;
  readonly serverName: string;
  readonly version: string;
}

/** Where a client of this machine reaches a server that listens on `host`. */
function connectHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::" || host === "[::]") return "::1";
  return host.replace(/^\[|\]$/g, "");
}

/** `nats://host:port`, with brackets where the address needs them. */
export function natsUrl(host: string, port: number): string {
  const name = connectHost(host);
  return `nats://${name.includes(":") ? `[${name}]` : name}:${port}`;
}

/** Reads the greeting at an address. Rejects when nothing answers within `timeoutMs` or no nats-server does. */
export function readGreeting(
  host: string,
  port: number,
  timeoutMs: number,
): Promise<ServerGreeting> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: connectHost(host), port });
    let text = "";
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(timeoutMs, () => fail(new Error(`no answer within ${timeoutMs} ms`)));
    socket.on("error", fail);
    socket.on("close", () => fail(new Error("the connection was closed")));
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (!text.includes("\r\n")) return;
      const greeting = parseGreeting(text);
      if (greeting === null) return fail(new Error("what answers is no nats-server"));
      socket.destroy();
      resolve(greeting);
    });
  });
}

/** The greeting in the first line that a server sends; null when it is none. */
export function parseGreeting(text: string): ServerGreeting | null {
  const line = /^INFO (\{.*\})\s*\r\n/.exec(text);
  if (line === null) return null;
  try {
    const info: unknown = JSON.parse(line[1]!);
    const { server_id, server_name, version } = info as Record<string, unknown>;
    if (typeof server_id !== "string" || typeof version !== "string") return null;
    return { serverId: server_id, serverName: String(server_name ?? ""), version };
  } catch {
    // Ignored: a line that is no JSON is no greeting, which the answer says.
    return null;
  }
}
