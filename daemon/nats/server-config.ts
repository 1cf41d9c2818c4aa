import { AppError } from "../../shared/errors.ts";
import type { Role } from "../../shared/roles.ts";
import type { Settings } from "../../shared/settings.ts";
import type { Names } from "../../shared/subjects.ts";
import { type InternalUser, type LoginPermissions, permissionsOf } from "./permissions.ts";

/** Task inputs are at most 1 MiB; headers and results that travel inline need room above that. */
const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;

const LOG_SIZE_LIMIT_BYTES = 10 * 1024 * 1024;
const LOG_FILES_KEPT = 5;
const MAX_MEMORY_STORE_BYTES = 256 * 1024 * 1024;

/** A login as the server's configuration holds it: its public key only. */
export interface ServerUser {
  readonly publicKey: string;
  readonly permissions: LoginPermissions;
}

/** All logins of an embedded server. */
export interface ServerUsers {
  /** The users of the account that the system works in. */
  readonly users: readonly ServerUser[];
  /** The one user of the system account. */
  readonly sysUser: ServerUser;
}

/** Our own processes and the people, each with what the broker lets them do. */
export function serverUsersOf(
  internalKeys: Readonly<Record<InternalUser, { readonly publicKey: string }>>,
  people: readonly { readonly name: string; readonly role: Role; readonly publicKey: string }[],
  names: Names,
): ServerUsers {
  const internal = (name: InternalUser): ServerUser => ({
    publicKey: internalKeys[name].publicKey,
    permissions: permissionsOf({ kind: "internal", name }, names),
  });
  const persons = people.map(({ name, role, publicKey }) => ({
    publicKey,
    permissions: permissionsOf({ kind: "person", name, role }, names),
  }));
  return { users: [internal("daemon"), internal("worker"), ...persons], sysUser: internal("sys") };
}

/** Everything that the embedded server's configuration says. Paths are absolute. */
export interface ServerConfigInput {
  /** The installation's id: by it a server is known to be ours. */
  readonly serverName: string;
  readonly settings: Pick<
    Settings["nats"],
    "host" | "allowPlainText" | "tlsCert" | "tlsKey" | "durability" | "maxFileStoreBytes"
  >;
  /** -1: any free port. */
  readonly port: number;
  /** On the loopback address; -1: any free port, 0: off. */
  readonly httpPort: number;
  readonly runDir: string;
  readonly storeDir: string;
  readonly logFile: string;
  readonly pidFile: string;
  readonly logins: ServerUsers;
}

/** Whether an address is reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127\./.test(host);
}

/** Refuses half a TLS setting and, unless allowed, plain text on an address that others reach. Throws `bad-settings`. */
function checkServerAddress(settings: ServerConfigInput["settings"]): void {
  const { host, tlsCert, tlsKey, allowPlainText } = settings;
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new AppError("bad-settings", {
      what: "TLS needs both a certificate and its key.",
      where: tlsCert === undefined ? "nats.tlsCert" : "nats.tlsKey",
    });
  if (!isLoopback(host) && tlsCert === undefined && !allowPlainText)
    throw new AppError("bad-settings", {
      what: `Other machines reach ${host}, and without TLS they could read everything.`,
      where: "nats.tlsCert and nats.tlsKey (or nats.allowPlainText)",
    });
}

/** The configuration file's text. It holds no secret. Throws `bad-settings` as `checkServerAddress` does. */
export function renderServerConfig(input: ServerConfigInput): string {
  checkServerAddress(input.settings);
  const { settings } = input;
  return `${[
    `server_name: ${quote(input.serverName)}`,
    `host: ${quote(settings.host)}`,
    `port: ${input.port}`,
    ...(input.httpPort === 0 ? [] : [`http: "127.0.0.1:${input.httpPort}"`]),
    `ports_file_dir: ${quote(input.runDir)}`,
    `pid_file: ${quote(input.pidFile)}`,
    `log_file: ${quote(input.logFile)}`,
    `logfile_size_limit: ${LOG_SIZE_LIMIT_BYTES}`,
    `logfile_max_num: ${LOG_FILES_KEPT}`,
    `max_payload: ${MAX_PAYLOAD_BYTES}`,
    `max_connections: 1000`,
    `write_deadline: "5s"`,
    // A worker's machine that vanishes without a word is noticed within three of these.
    `ping_interval: "5s"`,
    `lame_duck_grace_period: "1s"`,
    `lame_duck_duration: "30s"`,
    ...tlsLines(settings),
    ...jetStreamLines(input),
    ...accountLines(input),
    `system_account: SYS`,
  ].join("\n")}\n`;
}

function tlsLines({ tlsCert, tlsKey }: ServerConfigInput["settings"]): string[] {
  if (tlsCert === undefined || tlsKey === undefined) return [];
  return [`tls { cert_file: ${quote(tlsCert)}, key_file: ${quote(tlsKey)} }`];
}

function jetStreamLines({ storeDir, settings }: ServerConfigInput): string[] {
  return [
    "jetstream {",
    `  store_dir: ${quote(storeDir)}`,
    `  max_file_store: ${settings.maxFileStoreBytes}`,
    `  max_memory_store: ${MAX_MEMORY_STORE_BYTES}`,
    // 100 ms costs nothing measurable and bounds what a power cut can take from the broker.
    `  sync_interval: ${settings.durability === "strict" ? "always" : '"100ms"'}`,
    "}",
  ];
}

function accountLines({ logins: { users, sysUser } }: ServerConfigInput): string[] {
  return [
    "accounts {",
    "  MS {",
    "    jetstream: enabled",
    "    users: [",
    ...users.map((user) => `      ${userLine(user)}`),
    "    ]",
    "  }",
    `  SYS { users: [ ${userLine(sysUser)} ] }`,
    "}",
  ];
}

function userLine({ publicKey, permissions }: ServerUser): string {
  const list = (subjects: readonly string[]): string => `[${subjects.map(quote).join(", ")}]`;
  return `{ nkey: ${publicKey}, permissions: { publish: { allow: ${list(permissions.publish)} }, subscribe: { allow: ${list(permissions.subscribe)} } } }`;
}

/** The server reads double-quoted strings with backslash escapes, as JSON does. */
function quote(text: string): string {
  return JSON.stringify(text);
}
