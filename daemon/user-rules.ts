import * as z from "zod";
import { AppError } from "../shared/errors.ts";
import { isReservedName } from "../shared/login.ts";
import { ROLES, type Role } from "../shared/roles.ts";
import { USER_NAME_PATTERN } from "../shared/subjects.ts";

export { ownerNameFrom } from "../shared/login.ts";

/** A person who may log in. Only the public key is known here; the seed stays with the person. */
export const userRecord = z.object({
  name: z.string().regex(USER_NAME_PATTERN),
  role: z.enum(ROLES),
  publicKey: z.string(),
  /** ISO 8601, UTC. */
  createdAt: z.string(),
});
export type UserRecord = z.output<typeof userRecord>;

/** One change of the users. */
export type UserChange =
  | {
      readonly kind: "add";
      readonly name: string;
      readonly role: Role;
      readonly publicKey: string;
      readonly at: string;
    }
  | { readonly kind: "role"; readonly name: string; readonly role: Role }
  | { readonly kind: "rotate"; readonly name: string; readonly publicKey: string }
  | { readonly kind: "remove"; readonly name: string };

/**
 * The users after a change, sorted by name. Throws `user-exists`, `user-not-found`, `last-admin` (nobody could ever give
 * the role again) and `bad-usage` for a name or a key that belongs to somebody else.
 */
export function changeUsers(
  users: readonly UserRecord[],
  change: UserChange,
  reservedKeys: readonly string[] = [],
): UserRecord[] {
  const { name } = change;
  if ("publicKey" in change) refuseKnownKey(users, change.publicKey, reservedKeys);
  if (change.kind === "add") {
    refuseName(users, name);
    const { role, publicKey, at: createdAt } = change;
    return sorted([...users, { name, role, publicKey, createdAt }]);
  }
  const user = users.find((known) => known.name === name);
  if (user === undefined) throw new AppError("user-not-found", { user: name });
  const others = users.filter((known) => known !== user);
  const after = changed(user, change);
  const next = after === null ? others : [...others, after];
  if (!next.some(({ role }) => role === "Admin")) throw new AppError("last-admin", { user: name });
  return sorted(next);
}

function changed(user: UserRecord, change: Exclude<UserChange, { kind: "add" }>) {
  switch (change.kind) {
    case "role":
      return { ...user, role: change.role };
    case "rotate":
      return { ...user, publicKey: change.publicKey };
    case "remove":
      return null;
  }
}

function refuseName(users: readonly UserRecord[], name: string): void {
  if (users.some((known) => known.name === name)) throw new AppError("user-exists", { user: name });
  if (isReservedName(name))
    throw new AppError("bad-usage", { what: `The name ${name} is msg_sys's own; choose another.` });
  if (!USER_NAME_PATTERN.test(name))
    throw new AppError("bad-usage", {
      what: `The name ${name} cannot be used: lower-case letters, digits, - and _, at most 32.`,
    });
}

/** One key is one person: the broker tells people apart by their keys. */
function refuseKnownKey(
  users: readonly UserRecord[],
  publicKey: string,
  reservedKeys: readonly string[],
): void {
  if (users.some((known) => known.publicKey === publicKey) || reservedKeys.includes(publicKey))
    throw new AppError("bad-usage", { what: `The public key ${publicKey} is in use already.` });
}

function sorted(users: readonly UserRecord[]): UserRecord[] {
  return users.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
