import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { AppError, describe } from "../shared/errors.ts";
import type { Role } from "../shared/roles.ts";
import { DATA_FILES } from "../shared/settings.ts";
import type { Clock } from "../shared/time.ts";
import { ensureSeed, isUserPublicKey } from "./nats/keys.ts";
import {
  changeUsers,
  ownerNameFrom,
  type UserChange,
  type UserRecord,
  userRecord,
} from "./user-rules.ts";
import { writeAtomically } from "./write-atomically.ts";

export type { UserRecord } from "./user-rules.ts";

const usersFile = z.object({ users: z.array(userRecord) });

/** The people who may use this installation. `users.json` is the truth; the broker's configuration is made from it. */
export interface Users {
  list(): readonly UserRecord[];
  /** Null when nobody has that name. */
  get(name: string): UserRecord | null;
  add(user: { name: string; role: Role; publicKey: string }): Promise<UserRecord>;
  setRole(name: string, role: Role): Promise<UserRecord>;
  rotate(name: string, publicKey: string): Promise<UserRecord>;
  /** Answers the record as it was. */
  remove(name: string): Promise<UserRecord>;
  /** From now on each change is kept only when `apply` succeeds, e.g. by the broker's reload. */
  onChange(apply: (users: readonly UserRecord[]) => Promise<void>): void;
}

/** What the users need. */
export interface UsersDeps {
  readonly dataDir: string;
  readonly clock: Clock;
  /** The person's name on this machine: the first start makes them the owner. */
  readonly osUser: string;
  /** Public keys of our own processes. */
  readonly reservedKeys: readonly string[];
}

/**
 * Reads the users. The first start makes the owner an Admin and keeps the seed in `keys/<name>.nk` (0600).
 * Throws `credentials-unreadable` for a damaged file: starting without its people would lock them out.
 */
export async function openUsers(deps: UsersDeps): Promise<Users> {
  const keysDir = join(deps.dataDir, DATA_FILES.keys);
  const file = join(keysDir, "users.json");
  let users = existsSync(file) ? await readUsers(file) : await firstUsers(deps, keysDir, file);
  let apply: (users: readonly UserRecord[]) => Promise<void> = async () => {};
  let last: Promise<unknown> = Promise.resolve();

  const act = async (change: UserChange): Promise<readonly UserRecord[]> => {
    const former = users;
    const next = changeUsers(former, change, deps.reservedKeys);
    // First on disk: after a crash between the two, the next start puts it in force.
    await writeUsers(file, next);
    try {
      await apply(next);
    } catch (error) {
      await writeUsers(file, former);
      throw error;
    }
    users = next;
    return next;
  };
  const after = async (change: UserChange): Promise<UserRecord> => {
    if ("publicKey" in change) refuseWrongKey(change.publicKey);
    // One at a time: each builds on the users that the one before left.
    const mine = last.then(() => act(change));
    // Ignored here: the caller of that change gets its failure.
    last = mine.catch(() => {});
    return (await mine).find((user) => user.name === change.name)!;
  };

  return {
    list: () => users,
    get: (name) => users.find((user) => user.name === name) ?? null,
    add: (user) => after({ kind: "add", ...user, at: new Date(deps.clock.now()).toISOString() }),
    setRole: (name, role) => after({ kind: "role", name, role }),
    rotate: (name, publicKey) => after({ kind: "rotate", name, publicKey }),
    async remove(name) {
      const former = users.find((user) => user.name === name);
      await after({ kind: "remove", name });
      return former!;
    },
    onChange(next) {
      apply = next;
    },
  };
}

function refuseWrongKey(publicKey: string): void {
  if (!isUserPublicKey(publicKey))
    throw new AppError("bad-usage", {
      what: `${publicKey} is not the public key of a user (U and 55 letters and digits).`,
    });
}

async function readUsers(file: string): Promise<readonly UserRecord[]> {
  try {
    return usersFile.parse(JSON.parse(await readFile(file, "utf8"))).users;
  } catch (error) {
    throw new AppError("credentials-unreadable", { file, what: describe(error) }, error);
  }
}

async function firstUsers(
  deps: UsersDeps,
  keysDir: string,
  file: string,
): Promise<readonly UserRecord[]> {
  const name = ownerNameFrom(deps.osUser);
  const { publicKey } = await ensureSeed(keysDir, name);
  const createdAt = new Date(deps.clock.now()).toISOString();
  const users: UserRecord[] = [{ name, role: "Admin", publicKey, createdAt }];
  await writeUsers(file, users);
  return users;
}

function writeUsers(file: string, users: readonly UserRecord[]): Promise<void> {
  return writeAtomically(file, `${JSON.stringify({ users }, null, 2)}\n`, { durable: true });
}
