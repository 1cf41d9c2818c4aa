import { basename } from "node:path";
import { USER_NAME_PATTERN } from "../../shared/subjects.ts";

/** The seed of a user in the text of a credentials file. Throws when there is none. */
export function parseSeed(text: string): string {
  const seed = /^SU[A-Z2-7]{56}$/.exec(text.trim())?.[0];
  if (seed === undefined) throw new Error("it holds no seed of a user");
  return seed;
}

/** The user that a credentials file is for, by its name as `msgsys user add` writes it; null when it is no name. */
export function userOfFile(path: string): string | null {
  const name = basename(path).replace(/\.[^.]*$/, "");
  return USER_NAME_PATTERN.test(name) ? name : null;
}
