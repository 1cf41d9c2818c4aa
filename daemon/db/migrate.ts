import { readdirSync, readFileSync } from "node:fs";
import type Database from "better-sqlite3";
import { AppError } from "../../shared/errors.ts";
import { assetUrl } from "../entry.ts";

const MIGRATIONS = assetUrl("db/migrations/");
const FILE_PATTERN = /^(\d{4})-[a-z0-9-]+\.sql$/;

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** The numbered files, in order. Throws when a number is missing or doubled: a schema must have one history. */
function readMigrations(): Migration[] {
  const files = readdirSync(MIGRATIONS)
    .filter((name) => FILE_PATTERN.test(name))
    .sort();
  return files.map((name, index) => {
    const version = Number(name.slice(0, 4));
    if (version !== index + 1)
      throw new AppError("internal", { what: `The migration ${name} is not number ${index + 1}.` });
    return { version, name, sql: readFileSync(new URL(name, MIGRATIONS), "utf8") };
  });
}

/**
 * Brings the schema forward to the newest version: each file in a transaction of its own that also sets `user_version`,
 * so that a crash leaves a whole version. Returns the names of the files it ran.
 * Throws `audit-store-newer` when a later program wrote the database.
 */
export function migrate(db: Database.Database): string[] {
  const migrations = readMigrations();
  const found = db.pragma("user_version", { simple: true }) as number;
  if (found > migrations.length)
    throw new AppError("audit-store-newer", { file: db.name, found, known: migrations.length });
  const pending = migrations.slice(found);
  for (const { version, sql } of pending) {
    db.transaction(() => {
      db.exec(sql);
      db.pragma(`user_version = ${version}`);
    }).immediate();
  }
  return pending.map(({ name }) => name);
}

/** Every object of the schema as text, in a stable order: what a test compares. */
export function dumpSchema(db: Database.Database): string {
  const rows = db
    .prepare<[], { sql: string }>(
      "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name",
    )
    .all();
  return `${rows.map(({ sql }) => `${sql};`).join("\n\n")}\n`;
}
