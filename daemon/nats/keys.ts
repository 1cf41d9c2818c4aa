import { existsSync } from "node:fs";
import { chmod, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createUser, fromPublic, fromSeed } from "@nats-io/nkeys";
import { AppError, describe } from "../../shared/errors.ts";
import { writeAtomically } from "../write-atomically.ts";
import { INTERNAL_USERS, type InternalUser } from "./permissions.ts";

/** A user's key pair. The seed is the secret, as text of 58 letters in bytes. */
export interface UserKey {
  readonly name: string;
  readonly publicKey: string;
  readonly seed: Uint8Array;
}

/** Where the seed of `name` is kept. */
export function seedFile(keysDir: string, name: string): string {
  return join(keysDir, `${name}.nk`);
}

/** Reads a seed file. Throws `credentials-unreadable` when it is missing or holds no seed of a user. */
export async function readSeed(file: string, name = "user"): Promise<UserKey> {
  try {
    const seed = new TextEncoder().encode((await readFile(file, "utf8")).trim());
    const publicKey = publicKeyOf(seed);
    if (!isUserPublicKey(publicKey)) throw new Error("it holds a key, but not that of a user");
    return { name, publicKey, seed };
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === "ENOENT";
    const what = absent ? "it is not there" : describe(error);
    throw new AppError("credentials-unreadable", { file, what }, error);
  }
}

function publicKeyOf(seed: Uint8Array): string {
  try {
    return fromSeed(seed).getPublicKey();
  } catch (error) {
    throw new Error("it holds no seed", { cause: error });
  }
}

/** The key pair of `name`, made at the first call. A damaged file is an error: a new key would lock its owner out. */
export async function ensureSeed(keysDir: string, name: string): Promise<UserKey> {
  const file = seedFile(keysDir, name);
  if (existsSync(file)) return readSeed(file, name);
  const pair = createUser();
  const seed = pair.getSeed();
  await writeAtomically(file, `${new TextDecoder().decode(seed)}\n`, { durable: true });
  return { name, publicKey: pair.getPublicKey(), seed };
}

/** The keys that the daemon, the workers and the watch of connections log in with; made at the first start. */
export async function ensureInternalKeys(
  keysDir: string,
): Promise<Readonly<Record<InternalUser, UserKey>>> {
  await mkdir(keysDir, { recursive: true, mode: 0o700 });
  await chmod(keysDir, 0o700);
  const [daemon, worker, sys] = await Promise.all(
    INTERNAL_USERS.map((name) => ensureSeed(keysDir, name)),
  );
  return { daemon: daemon!, worker: worker!, sys: sys! };
}

/** Whether `text` is the public key of a user: `U` and 55 letters, with a right checksum. */
export function isUserPublicKey(text: string): boolean {
  if (!/^U[A-Z2-7]{55}$/.test(text)) return false;
  try {
    fromPublic(text);
    return true;
  } catch {
    // Ignored: a wrong checksum means that it is no key, which is what was asked.
    return false;
  }
}
