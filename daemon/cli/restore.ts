import { chmodSync, copyFileSync, existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { AppError, describe } from "../../shared/errors.ts";
import { DATA_FILES } from "../../shared/settings.ts";
import { lockDataDir } from "../lifecycle/lock.ts";
import type { Context } from "./context.ts";
import { absolutePath } from "./values.ts";
import { countWords } from "./words.ts";

/** Puts a backup of the audit in place. The present database is kept beside it under a name with the time. */
export async function run(context: Context, [file]: [string]): Promise<number> {
  const { dataDir, io } = context;
  const backup = absolutePath(io.cwd, file);
  const tasks = checkBackup(backup);
  // Held while the files are exchanged: no daemon can start in between, and a running one refuses us.
  const lock = lockDataDir(dataDir);
  try {
    const kept = replaceAudit(dataDir, backup, new Date(io.now()));
    context.result({ restored: backup, tasks, kept }, () =>
      [
        `${backup} is in place with ${countWords(tasks)} tasks.`,
        ...(kept === null ? [] : [`The former database is kept as ${kept}.`]),
      ].join("\n"),
    );
  } finally {
    lock.release();
  }
  return 0;
}

/** The number of tasks in a backup. Throws `backup-invalid` for anything that is not a whole one. */
function checkBackup(file: string): number {
  if (!existsSync(file)) throw new AppError("backup-invalid", { file, what: "it is not there" });
  let database: Database.Database | null = null;
  try {
    database = new Database(file, { readonly: true, fileMustExist: true });
    const [check] = database.pragma("integrity_check(1)") as { integrity_check: string }[];
    if (check?.integrity_check !== "ok") throw new Error("it is damaged");
    return database.prepare("SELECT count(*) FROM task_audit").pluck().get() as number;
  } catch (error) {
    throw new AppError("backup-invalid", { file, what: describe(error) }, error);
  } finally {
    database?.close();
  }
}

/** The copy is made under another name first, so that a full disk leaves the present database where it is. */
function replaceAudit(dataDir: string, backup: string, now: Date): string | null {
  const audit = join(dataDir, DATA_FILES.audit);
  const incoming = `${audit}.incoming`;
  rmSync(incoming, { force: true });
  copyFileSync(backup, incoming);
  chmodSync(incoming, 0o600);
  const kept = existsSync(audit)
    ? `${audit}.before-restore-${now.toISOString().replaceAll(":", "-")}`
    : null;
  if (kept !== null)
    for (const ending of ["", "-wal", "-shm"])
      if (existsSync(audit + ending)) renameSync(audit + ending, kept + ending);
  renameSync(incoming, audit);
  return kept;
}
