import { existsSync, mkdirSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createUser } from "@nats-io/nkeys";
import type { UserView } from "../../shared/control.ts";
import { AppError, type ErrorCode } from "../../shared/errors.ts";
import { ROLES, type Role } from "../../shared/roles.ts";
import { DATA_FILES } from "../../shared/settings.ts";
import { seedFile } from "../nats/keys.ts";
import { writeAtomically } from "../write-atomically.ts";
import type { Context } from "./context.ts";
import { renderTable } from "./table.ts";
import { absolutePath, badUsage } from "./values.ts";
import { relativeTime } from "./words.ts";

/** Makes a key pair here, writes the secret half to a file, and lets the daemon know the public half. */
export async function add(
  context: Context,
  [name]: [string],
  options: { readonly role: string; readonly out?: string },
): Promise<number> {
  const role = parseRole(options.role);
  const file = seedPathOf(context, name, options.out);
  if (existsSync(file)) throw badUsage(`${file} exists already; name another with --out.`);
  const client = await context.client();
  const user = await withNewSeed(file, (publicKey) =>
    client.request("user_add", { name, role, publicKey }),
  );
  tellSeed(context, user, file, `${name} may log in as ${role}.`);
  return 0;
}

export async function rotate(
  context: Context,
  [name]: [string],
  options: { readonly out?: string },
): Promise<number> {
  const file = seedPathOf(context, name, options.out);
  const client = await context.client();
  const user = await withNewSeed(file, (publicKey) =>
    client.request("user_rotate", { name, publicKey }),
  );
  tellSeed(context, user, file, `${name} has a new key; the old one is refused from now on.`);
  return 0;
}

export async function list(context: Context): Promise<number> {
  const view = await (await context.client()).request("user_list", {});
  context.result(view, () =>
    renderTable(
      [{ title: "User" }, { title: "Role" }, { title: "Added" }, { title: "Public key" }],
      view.users.map(({ name, role, createdAt, publicKey }) => [
        name,
        role,
        relativeTime(createdAt, context.io.now()),
        publicKey,
      ]),
    ),
  );
  return 0;
}

export async function role(context: Context, [name, word]: [string, string]): Promise<number> {
  const wanted = parseRole(word);
  const client = await context.client();
  const user = await client.request("user_role", { name, role: wanted });
  context.result(user, () => `${name} is ${wanted} now.`);
  return 0;
}

export async function remove(context: Context, [name]: [string]): Promise<number> {
  const gone = await (await context.client()).request("user_remove", { name });
  context.result(gone, () => `${name} may not log in any more.`);
  return 0;
}

function parseRole(word: string): Role {
  const found = ROLES.find((known) => known.toLowerCase() === word.toLowerCase());
  if (found === undefined) throw badUsage(`${word} is no role: ${ROLES.join(", ")}.`);
  return found;
}

function seedPathOf({ dataDir, io }: Context, name: string, out: string | undefined): string {
  return out === undefined
    ? seedFile(join(dataDir, DATA_FILES.keys), name)
    : absolutePath(io.cwd, out);
}

/**
 * The seed is on disk before anyone knows its public half: a crash between the two leaves a useless file, never a user
 * without a key. It takes its final name once the daemon has agreed, so that a refusal leaves the old seed in place.
 */
async function withNewSeed(
  file: string,
  tell: (publicKey: string) => Promise<UserView>,
): Promise<UserView> {
  const pair = createUser();
  const text = `${new TextDecoder().decode(pair.getSeed())}\n`;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const waiting = `${file}.new`;
  await writeAtomically(waiting, text, { durable: true });
  let user: UserView;
  try {
    user = await tell(pair.getPublicKey());
  } catch (error) {
    // Whoever rotates their own key may lose the connection before the answer: the new key is theirs then.
    if (error instanceof AppError && UNCERTAIN.has(error.code))
      throw new AppError(
        "broker-unavailable",
        {
          what: `the answer was lost (${error.message}). The new seed is kept in ${waiting}; try it with --creds.`,
        },
        error,
      );
    await rm(waiting, { force: true });
    throw error;
  }
  await rename(waiting, file);
  return user;
}

/** Failures after which the daemon may have done it or not. */
const UNCERTAIN: ReadonlySet<ErrorCode> = new Set(["broker-unavailable", "connection-lost"]);

function tellSeed(context: Context, user: UserView, file: string, words: string): void {
  context.result({ ...user, seedFile: file }, () => `${words}\nThe seed is in ${file}.`);
  context.hint("Whoever has that file is this user: hand it over safely, then delete it here.");
}
