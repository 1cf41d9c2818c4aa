import { VERBS, type Verb } from "../../shared/control.ts";
import { AppError } from "../../shared/errors.ts";
import { leastRoleFor, leastRoleForLevel, roleAtLeast } from "../../shared/roles.ts";
import type { Names } from "../../shared/subjects.ts";
import type { AuditStore } from "../audit/audit-store.ts";
import type { Violation } from "../nats/violations.ts";
import type { UserRecord } from "../user-rules.ts";
import { wordsOf } from "./authorize.ts";

export interface AuditViolationsDeps {
  readonly audit: Pick<AuditStore, "refused">;
  readonly names: Names;
  readonly now: () => number;
  users(): readonly UserRecord[];
}

/** Keeps what the broker refused to a person, as refusals of the daemon itself are kept. */
export function auditViolation(deps: AuditViolationsDeps, violation: Violation): void {
  const user = deps.users().find(({ publicKey }) => publicKey === violation.publicKey);
  // Our own processes are no people, and a key that is gone has no name any more.
  if (user === undefined) return;
  const { verb, act, needs } = wordsFor(deps.names, violation);
  const { message } = new AppError("not-permitted", {
    user: user.name,
    role: user.role,
    act,
    needs,
  });
  const times = violation.times === 1 ? "" : ` (${violation.times} times)`;
  deps.audit.refused({
    at: deps.now(),
    user: user.name,
    role: user.role,
    verb,
    what: `${message}${times}`,
    target: violation.subject,
  });
}

function wordsFor(
  names: Names,
  { act, subject }: Violation,
): { verb: string; act: string; needs: string } {
  const api = act === "publish" ? names.parseApi(subject) : null;
  if (api === null || !isVerb(api.verb))
    return { verb: act, act: `${act} ${subject}`, needs: "Admin" };
  const least = leastRoleFor(VERBS[api.verb].permission);
  if (api.level === null || !VERBS[api.verb].levelled)
    return { verb: api.verb, act: wordsOf(api.verb), needs: least };
  const forLevel = leastRoleForLevel(api.level);
  return {
    verb: api.verb,
    act: `${wordsOf(api.verb)} at level ${api.level}`,
    needs: roleAtLeast(least, forLevel) ? least : forLevel,
  };
}

function isVerb(verb: string): verb is Verb {
  return Object.hasOwn(VERBS, verb);
}
