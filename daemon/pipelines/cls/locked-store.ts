import { AppError } from "../../../shared/errors.ts";
import type { ClsContext } from "./params.ts";
import { type ClsStore, type OpenOptions, openClsStore } from "./store.ts";
import { type LockOptions, lockRoot } from "./store-lock.ts";

/** How a task waits for its turn on a root: obeying its signal, and saying for whom it waits. */
export function lockOptions(ctx: ClsContext): LockOptions {
  return {
    runId: ctx.runId,
    signal: ctx.signal,
    onWait(holder, waitedMs) {
      const what = `waiting for ${holder === null ? "another run" : `run ${holder.runId}`} on this root`;
      ctx.progress({ done: Math.round(waitedMs / 1000), total: null, what });
      ctx.log("info", "cls.store.waiting", { holder, waitedMs: Math.round(waitedMs) });
    },
  };
}

/**
 * Does `work` on the store of a root while no other run does, and closes it whatever happens.
 * Fails with `cls-folder-missing`, `cls-store-unusable`, `disk-full`, the reason of the signal, or as `work` does.
 */
export async function withLockedStore<T>(
  dataDir: string,
  root: string,
  options: LockOptions,
  work: (store: ClsStore) => T | Promise<T>,
  openOptions: () => OpenOptions = () => ({}),
): Promise<T> {
  const lock = await lockRoot(dataDir, root, options);
  try {
    const store = openClsStore(dataDir, root, openOptions());
    try {
      return await work(store);
    } catch (error) {
      throw diskFull(error, store);
    } finally {
      store.close();
    }
  } finally {
    lock.release();
  }
}

function diskFull(error: unknown, store: ClsStore): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code !== "SQLITE_FULL" && code !== "ENOSPC") return error;
  return new AppError("disk-full", { what: "the CLS store", where: store.path }, error);
}
