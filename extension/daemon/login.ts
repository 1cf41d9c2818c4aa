import { existsSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { AppError, describe } from "../../shared/errors.ts";
import { ownerNameFrom } from "../../shared/login.ts";
import { DATA_FILES } from "../../shared/settings.ts";
import { parseSeed } from "./seed.ts";

/** Who logs in. The seed is the secret of an nkey: 58 letters. */
export interface Login {
  readonly user: string;
  readonly seed: string;
}

/**
 * The owner of a data directory: the person at this machine when the directory is theirs, else the first user whose seed
 * lies in it. Throws `credentials-unreadable`.
 */
export function ownerLogin(dataDir: string, osUser = userInfo().username): Login {
  const keysDir = join(dataDir, DATA_FILES.keys);
  const seedFile = (user: string): string => join(keysDir, `${user}.nk`);
  const person = ownerNameFrom(osUser);
  const names = [person, ...usersIn(join(keysDir, "users.json"))];
  const user = names.find((name) => existsSync(seedFile(name))) ?? person;
  const file = seedFile(user);
  try {
    return { user, seed: parseSeed(readFileSync(file, "utf8")) };
  } catch (error) {
    throw new AppError("credentials-unreadable", { file, what: describe(error) }, error);
  }
}

function usersIn(file: string): string[] {
  try {
    const parsed = JSON.parse(readFileSync(file, "utf8")) as { users?: { name: string }[] };
    return (parsed.users ?? []).map(({ name }) => name);
  } catch {
    // Ignored: without the file there is no other user to try; the missing seed is told then.
    return [];
  }
}
