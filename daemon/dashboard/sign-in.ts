import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import * as z from "zod";
import { ROLES, type Role } from "../../shared/roles.ts";
import type { UserRecord } from "../user-rules.ts";

/** Long enough to switch to a browser, too short to be of use in a history or a log. */
export const LINK_MS = 2 * 60_000;
export const SESSION_MS = 12 * 60 * 60_000;
/** Links that nobody used yet; the oldest go first. */
const MOST_LINKS = 100;

/** Somebody who signed in, as they were then. */
export interface Session {
  readonly user: string;
  readonly role: Role;
  /** Epoch ms. */
  readonly expiresAt: number;
}

export interface SignIns {
  /** A token that signs this user in, once. */
  link(user: string): { readonly token: string; readonly expiresAt: number };
  /** The cookie for a token; null when it is unknown, was used before, is too old, or its user changed since. */
  redeem(token: string): { readonly cookie: string; readonly session: Session } | null;
  /** Who sends this cookie; null when it is forged or expired, or its user was removed or changed key or role since. */
  check(cookie: string): Session | null;
}

export interface SignInDeps {
  /** Signs cookies. Kept over restarts, so that a browser stays signed in while the daemon comes back. */
  readonly secret: Uint8Array;
  userOf(name: string): UserRecord | null;
  now(): number;
}

const payload = z.object({
  u: z.string(),
  r: z.enum(ROLES),
  k: z.string(),
  e: z.number(),
});

type User = Pick<UserRecord, "name" | "role" | "publicKey">;

function isSame(a: User, b: User | null): b is User {
  return b !== null && a.role === b.role && a.publicKey === b.publicKey;
}

/** Sign-in without passwords: who can ask the daemon as a user can make a link, and the link makes a session. */
export function createSignIns({ secret, userOf, now }: SignInDeps): SignIns {
  /** By the hash of the token: what is compared tells nothing about what is kept. */
  const links = new Map<string, { readonly user: User; readonly expiresAt: number }>();

  const mac = (text: string): string =>
    createHmac("sha256", secret).update(text).digest("base64url");

  return {
    link(name) {
      const user = userOf(name);
      const token = randomBytes(32).toString("base64url");
      const expiresAt = now() + LINK_MS;
      if (user !== null) links.set(hashOf(token), { user, expiresAt });
      const oldest = links.keys().next().value;
      if (links.size > MOST_LINKS && oldest !== undefined) links.delete(oldest);
      return { token, expiresAt };
    },
    redeem(token) {
      const key = hashOf(token);
      const link = links.get(key);
      links.delete(key);
      if (link === undefined || link.expiresAt < now()) return null;
      const { name, role, publicKey } = link.user;
      if (!isSame(link.user, userOf(name))) return null;
      const expiresAt = now() + SESSION_MS;
      const facts: z.input<typeof payload> = { u: name, r: role, k: publicKey, e: expiresAt };
      const text = Buffer.from(JSON.stringify(facts)).toString("base64url");
      return { cookie: `${text}.${mac(text)}`, session: { user: name, role, expiresAt } };
    },
    check(cookie) {
      const [text = "", signature = ""] = cookie.split(".");
      if (!isEqual(signature, mac(text))) return null;
      // Signed by us: it can be read without fear, and an older version's shape is refused.
      const parsed = payload.safeParse(JSON.parse(Buffer.from(text, "base64url").toString()));
      if (!parsed.success || parsed.data.e < now()) return null;
      const { u: user, r: role, k: publicKey, e: expiresAt } = parsed.data;
      return isSame({ name: user, role, publicKey }, userOf(user))
        ? { user, role, expiresAt }
        : null;
    },
  };
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
