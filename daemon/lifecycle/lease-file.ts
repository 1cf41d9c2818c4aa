import { readFileSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "../../shared/errors.ts";
import { parseLease } from "../../shared/lease.ts";
import { DATA_FILES, type DaemonLease } from "../../shared/settings.ts";
import type { Clock } from "../../shared/time.ts";
import type { Log } from "../log.ts";
import { writeAtomically } from "../write-atomically.ts";

export { isLeaseLive } from "../../shared/lease.ts";

const REFRESH_MS = 1000;
/** What `daemon.json` in the data directory says; null when there is none or it cannot be read. */
export function readLease(dataDir: string): DaemonLease | null {
  try {
    const text = readFileSync(join(dataDir, DATA_FILES.lease), "utf8");
    return parseLease(text);
  } catch {
    // Ignored: no lease, or one that nobody can use, both mean that no daemon is known here.
    return null;
  }
}

/** The daemon's lease, refreshed each second until `stop`, which removes it. */
export interface LeaseFile {
  readonly name: string;
  /** Changes what the lease says and writes it at once. */
  update(change: Partial<Omit<DaemonLease, "pid" | "startedAt" | "refreshedAt">>): Promise<void>;
  stop(): Promise<void>;
}

/** What the lease file needs. */
export interface LeaseFileDeps {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly refreshMs?: number;
}

/**
 * Writes the lease now and each second from now on. A write that fails is logged and tried again a second later: a full
 * disk must not end a daemon that works. The first write's failure is thrown.
 */
export async function startLeaseFile(
  deps: LeaseFileDeps,
  first: Omit<DaemonLease, "refreshedAt">,
): Promise<LeaseFile> {
  const file = join(deps.dataDir, DATA_FILES.lease);
  let lease = first;
  let stopped = false;
  // One write at a time: an older one must never land after a newer one.
  let writing: Promise<void> = Promise.resolve();
  const write = (): Promise<void> => {
    const done = writing.then(async () => {
      if (stopped) return;
      const refreshedAt = new Date(deps.clock.now()).toISOString();
      await replace(file, `${JSON.stringify({ ...lease, refreshedAt })}\n`);
    });
    writing = done.catch((error: unknown) =>
      deps.log.warn("lease not refreshed", { file, why: describe(error) }),
    );
    return done;
  };
  await write();
  const timer = setInterval(() => {
    // Ignored: `write` has logged it.
    write().catch(() => {});
  }, deps.refreshMs ?? REFRESH_MS);
  return {
    name: "lease",
    async update(change) {
      lease = { ...lease, ...change };
      await write();
    },
    async stop() {
      clearInterval(timer);
      stopped = true;
      await writing;
      await rm(file, { force: true });
    },
  };
}

/** On a full disk the blocks that the file has can still be written: a daemon that works must not look as if it were gone. */
async function replace(file: string, text: string): Promise<void> {
  try {
    await writeAtomically(file, text, { durable: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    const handle = await open(file, "r+");
    try {
      const bytes = Buffer.from(text);
      await handle.write(bytes, 0, bytes.length, 0);
      await handle.truncate(bytes.length);
    } finally {
      await handle.close();
    }
  }
}
