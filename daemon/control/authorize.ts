import { VERBS, type Verb } from "../../shared/control.ts";
import { AppError } from "../../shared/errors.ts";
import {
  can,
  highestLevelOf,
  leastRoleFor,
  leastRoleForLevel,
  type Role,
} from "../../shared/roles.ts";

/** Who asks, as the broker vouches for: the name stands in the subject that only they may publish. */
export interface Caller {
  readonly user: string;
  readonly role: Role;
  /** Our own workers act for the tasks that they run. */
  readonly internal: boolean;
}

/** Verbs for our own workers only: they answer nothing that a person could not see. */
export const INTERNAL_VERBS = ["terminal", "known", "enqueue", "run"] as const;

/**
 * Checks again what the broker enforced. Returns the highest level that this request may set.
 * Throws `not-permitted`; `bad-usage` when the subject's level is missing where the verb needs one.
 */
export function authorize(caller: Caller, verb: Verb, level: number | null): number {
  const { permission, levelled } = VERBS[verb];
  if (!can(caller.role, permission)) {
    throw new AppError("not-permitted", {
      user: caller.user,
      role: caller.role,
      act: wordsOf(verb),
      needs: leastRoleFor(permission),
    });
  }
  if (!levelled) return highestLevelOf(caller.role);
  if (level === null || !Number.isInteger(level) || level < 0 || level > 10) {
    throw new AppError("bad-usage", {
      what: `The request ${verb} must name the level that it sets in its subject.`,
    });
  }
  if (level > highestLevelOf(caller.role)) {
    throw new AppError("not-permitted", {
      user: caller.user,
      role: caller.role,
      act: `${wordsOf(verb)} at level ${level}`,
      needs: leastRoleForLevel(level),
      level,
    });
  }
  // What the request does may not exceed what its subject named, whoever the caller is: the broker saw only that.
  return level;
}

/** A verb as words in a sentence: `user_add` → `user add`. */
export function wordsOf(verb: string): string {
  return verb.replaceAll("_", " ");
}
