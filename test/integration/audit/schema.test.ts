import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { dumpSchema, migrate } from "../../../daemon/db/migrate.ts";
import { openDatabase } from "../../../daemon/db/open.ts";
import { tempDir } from "../../support/temp-dir.ts";

test("the migrations make the schema that is written down", async () => {
  const db = openDatabase(join(tempDir(), "audit.db"));
  await expect(dumpSchema(db)).toMatchFileSnapshot("../../fixtures/audit-schema.sql");
  db.close();
});

test("a second start runs no migration again", () => {
  const db = new Database(join(tempDir(), "audit.db"));
  const ran = migrate(db);
  expect(ran[0]).toBe("0001-audit.sql");
  expect(migrate(db)).toEqual([]);
  expect(db.pragma("user_version", { simple: true })).toBe(ran.length);
  db.close();
});

test("a migration that fails leaves the version before it whole", () => {
  const db = new Database(join(tempDir(), "audit.db"));
  db.exec("CREATE TABLE meta (x)");
  expect(() => migrate(db)).toThrow(/meta/);
  expect(db.pragma("user_version", { simple: true })).toBe(0);
  expect(dumpSchema(db)).toBe("CREATE TABLE meta (x);\n");
  db.close();
});

test("the writer waits for the disk at each commit that people rely on", () => {
  const db = openDatabase(join(tempDir(), "audit.db"));
  expect(db.pragma("journal_mode", { simple: true })).toBe("wal");
  expect(db.pragma("synchronous", { simple: true })).toBe(2);
  db.close();
});
