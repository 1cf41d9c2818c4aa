import { createUser } from "@nats-io/nkeys";
import type { UserRecord } from "../../daemon/user-rules.ts";
import type { Role } from "../../shared/roles.ts";

/** A person with a fresh key: the record that the daemon knows, and the seed that only the person has. */
export function person(name: string, role: Role): UserRecord & { readonly seed: Uint8Array } {
  const pair = createUser();
  return {
    name,
    role,
    publicKey: pair.getPublicKey(),
    createdAt: "2026-11-01T00:00:00.000Z",
    seed: pair.getSeed(),
  };
}
