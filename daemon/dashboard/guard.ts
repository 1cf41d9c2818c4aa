/**
 * Who may speak to a server on loopback: every page in every browser on this machine could try. Pure.
 */

/** Names of loopback itself. Any port: one that was forwarded to ours may have another number. */
const OWN_HOST = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i;

/** False for the name of a stranger that was made to point here (DNS rebinding). */
export function isOwnHost(host: string | undefined): host is string {
  return host !== undefined && OWN_HOST.test(host);
}

/** Whether a request that acts comes from a page that this server itself sent. */
export function isOwnOrigin(origin: string | undefined, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}

/** A cookie's value; null when it is absent, or there twice, which no honest browser sends. */
export function cookieIn(header: string | undefined, name: string): string | null {
  const values = (header ?? "")
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part.startsWith(`${name}=`))
    .map((part) => part.slice(name.length + 1));
  return values.length === 1 ? (values[0] ?? null) : null;
}
