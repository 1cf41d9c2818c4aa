import type { CauseCode, ConnectionCause } from "../../shared/connection.ts";
import { AppError, describe, type ErrorCode } from "../../shared/errors.ts";
import { windowHint } from "../hints.ts";

/** Which failures of ours mean which cause; those that are not here say nothing about the connection. */
const OF_ERRORS: { readonly [C in ErrorCode]?: CauseCode } = {
  "daemon-not-running": "no-daemon",
  "daemon-version-mismatch": "version-mismatch",
  "connection-refused": "refused",
  "connection-lost": "closed",
  "broker-unavailable": "timeout",
  "wait-timed-out": "timeout",
  "credentials-refused": "credentials",
  "credentials-unreadable": "credentials",
  "not-permitted": "credentials",
  "already-running": "locked",
  "data-directory-locked": "locked",
  "data-directory-unwritable": "unwritable",
  "bad-settings": "settings",
  "bad-config-file": "settings",
  "bad-usage": "settings",
  "stream-incompatible": "settings",
  "nats-server-missing": "server-missing",
  "nats-server-too-old": "server-missing",
  "port-taken": "port-taken",
  "disk-full": "disk-full",
  "audit-store-corrupt": "database",
  "audit-store-newer": "database",
  "audit-store-unavailable": "database",
};

/** Names and codes of what the system, TLS and the NATS library throw. The first that fits an error's chain counts. */
const OF_OTHERS: readonly (readonly [RegExp, CauseCode])[] = [
  [
    /^(?:AuthorizationError|UserAuthenticationExpiredError|PermissionViolationError)$/,
    "credentials",
  ],
  [/^(?:ENOTFOUND|EAI_AGAIN|EAI_NODATA|EAI_NONAME)$/, "dns"],
  [
    /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH|EPROTO$)/,
    "tls",
  ],
  [/^(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/, "refused"],
  [/^(?:ETIMEDOUT|TimeoutError)$/, "timeout"],
  [/^NoResponders$/, "no-daemon"],
  [/^JETSTREAM_OFF$/, "jetstream-off"],
  [/^(?:ECONNRESET|EPIPE|ClosedConnectionError|DrainingConnectionError)$/, "closed"],
  [/^ENOSPC$/, "disk-full"],
  [/^(?:EACCES|EROFS|EPERM|ENOTDIR)$/, "unwritable"],
];

/** What the library says in words alone. */
const OF_WORDS: readonly (readonly [RegExp, CauseCode])[] = [
  [/certificate|\bTLS\b|secure connection/i, "tls"],
  [/authorization violation|authentication/i, "credentials"],
  [/connection refused/i, "refused"],
  [/timeout|timed out/i, "timeout"],
  [/stale connection|connection closed|disconnected/i, "closed"],
];

/**
 * Why there is no connection. What lies deepest in the chain of causes is the most exact, but for a word of ours that is
 * not about reaching the server; `detail` is what the error itself says, without secrets.
 */
export function causeOf(error: unknown): ConnectionCause {
  const chain = chainOf(error);
  const ours = chain.find((link) => link instanceof AppError);
  const known = ours instanceof AppError ? OF_ERRORS[ours.code] : undefined;
  const vague = known === undefined || known === "refused" || known === "timeout";
  const code = (vague ? outside(chain) : undefined) ?? known ?? "unknown";
  return { code, detail: withoutSecrets(detailOf(chain)) };
}

/** Trying again by itself helps nobody: a person must do something first. */
export function isFinal({ code }: ConnectionCause): boolean {
  return FINAL.has(code);
}

const FINAL: ReadonlySet<CauseCode> = new Set([
  "credentials",
  "not-signed-in",
  "tls",
  "jetstream-off",
  "version-mismatch",
]);

function outside(chain: readonly unknown[]): CauseCode | undefined {
  const exact = chain.toReversed().flatMap((link) => first(OF_OTHERS, namesOf(link)) ?? []);
  return exact[0] ?? first(OF_WORDS, chain.map(describe));
}

function first(
  table: readonly (readonly [RegExp, CauseCode])[],
  texts: readonly string[],
): CauseCode | undefined {
  return table.find(([pattern]) => texts.some((text) => pattern.test(text)))?.[1];
}

function namesOf(link: unknown): string[] {
  if (!(link instanceof Error)) return [];
  const { code } = link as NodeJS.ErrnoException;
  return typeof code === "string" ? [link.name, code] : [link.name];
}

/** The error, its cause, the cause of that, and so on; an error over several addresses counts with each of them. */
function chainOf(error: unknown): unknown[] {
  const chain: unknown[] = [];
  const visit = (link: unknown): void => {
    if (link === undefined || link === null || chain.includes(link) || chain.length > 20) return;
    chain.push(link);
    if (!(link instanceof Error)) return;
    if (link instanceof AggregateError) link.errors.forEach(visit);
    visit(link.cause);
  };
  visit(error);
  return chain;
}

/** An error of ours is a sentence with a hint; of others the deepest one names the system's reason. */
function detailOf(chain: readonly unknown[]): string {
  const ours = chain.find((link) => link instanceof AppError);
  if (ours instanceof AppError) return `${ours.message} ${windowHint(ours)}`.trim();
  return describe(chain.at(-1));
}

function withoutSecrets(text: string): string {
  return text
    .replace(/\bS[UANCOX][A-Z2-7]{56}\b/g, "[secret]")
    .replace(/:\/\/[^/@\s"]+@/g, "://[secret]@");
}
