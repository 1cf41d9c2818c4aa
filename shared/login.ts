import { USER_NAME_PATTERN } from "./subjects.ts";

/** Names of the users that msg_sys itself logs in with; no person may have one of them. */
export const INTERNAL_USERS = ["daemon", "worker", "sys"] as const;
export type InternalUser = (typeof INTERNAL_USERS)[number];

export function isReservedName(name: string): boolean {
  return INTERNAL_USERS.some((internal) => internal === name);
}

/** The prefix of a login's reply subjects. Each has its own, so that nobody reads the replies of another. */
export function inboxPrefixOf(name: string): string {
  return `_INBOX_${name}`;
}

/** A person's name on the machine as a name of ours; `owner` when nothing usable is left of it. */
export function ownerNameFrom(osUser: string): string {
  const name = osUser
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "-")
    .slice(0, 32)
    .replace(/^[-_]+|[-_]+$/g, "");
  return USER_NAME_PATTERN.test(name) && !isReservedName(name) ? name : "owner";
}
