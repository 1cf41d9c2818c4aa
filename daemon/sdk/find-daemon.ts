import { existsSync, readdirSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { basename, join } from "node:path";
import { PROTOCOL_VERSION } from "../../shared/control.ts";
import { AppError, describe } from "../../shared/errors.ts";
import { DATA_FILES, type DaemonLease } from "../../shared/settings.ts";
import { isLeaseLive, readLease } from "../lifecycle/lease-file.ts";
import { isProcessAlive } from "../lifecycle/process-alive.ts";
import { seedFile } from "../nats/keys.ts";
import { ownerNameFrom } from "../user-rules.ts";

/** Who logs in, and where the seed lies. */
export interface Login {
  readonly user: string;
  readonly seedPath: string;
}

/**
 * The lease of the daemon that lives on this data directory and takes requests.
 * Throws `daemon-not-running`, `data-directory-unreadable` and `daemon-version-mismatch`.
 */
export function findDaemon(dataDir: string, nowMs: number): DaemonLease {
  const lease = liveLease(dataDir, nowMs);
  if (lease === null || lease.state !== "ready") throw noDaemon(dataDir);
  if (lease.protocol !== PROTOCOL_VERSION)
    throw new AppError("daemon-version-mismatch", {
      found: lease.protocol,
      needed: PROTOCOL_VERSION,
    });
  return lease;
}

/** That no daemon runs there, unless the directory is another user's: then nobody here can know. */
export function noDaemon(dataDir: string): AppError {
  try {
    readdirSync(dataDir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EACCES")
      return new AppError("data-directory-unreadable", { dataDir, what: describe(error) }, error);
  }
  return new AppError("daemon-not-running", { dataDir });
}

/** The lease of the daemon that lives on this data directory, also while it starts or stops; null when none does. */
export function liveLease(dataDir: string, nowMs: number): DaemonLease | null {
  const lease = readLease(dataDir);
  return lease !== null && isLeaseLive(lease, nowMs, isProcessAlive) ? lease : null;
}

/**
 * Who to log in as: the seed file and the name that were given, else what `MSGSYS_CREDS` and `MSGSYS_USER` say, else the
 * owner of the data directory. A seed file carries its user's name, as `msgsys user add` writes it.
 */
export function chooseLogin(
  given: { readonly user?: string | undefined; readonly creds?: string | undefined },
  dataDir: string,
  env: Readonly<Record<string, string | undefined>>,
): Login {
  const creds = given.creds ?? env["MSGSYS_CREDS"];
  const named = given.user ?? env["MSGSYS_USER"];
  if (creds !== undefined)
    return { user: named ?? basename(creds).replace(/\.[^.]*$/, ""), seedPath: creds };
  const keysDir = join(dataDir, DATA_FILES.keys);
  const user = named ?? ownerOf(keysDir);
  return { user, seedPath: seedFile(keysDir, user) };
}

/** The person at this machine when the directory is theirs; else the first user whose seed lies in it. */
function ownerOf(keysDir: string): string {
  const person = ownerNameFrom(userInfo().username);
  if (existsSync(seedFile(keysDir, person))) return person;
  const known = usersIn(join(keysDir, "users.json"));
  return known.find((name) => existsSync(seedFile(keysDir, name))) ?? person;
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
