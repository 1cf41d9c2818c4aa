import { execFileSync } from "node:child_process";
import { chmodSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { startAudit } from "../../../daemon/audit/start-audit.ts";
import type { AppError } from "../../../shared/errors.ts";
import { startRig } from "../../support/audit-rig.ts";
import { aRow, auditDeps } from "../../support/audit-rows.ts";
import { tempDir } from "../../support/temp-dir.ts";
import { until } from "../../support/until.ts";

const NOWHERE = "nats://127.0.0.1:1";

test("while another process locks the database the journal is followed, and written afterwards", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await audit.written(await rig.live("before"));
  const other = new Database(audit.file);
  other.exec("BEGIN IMMEDIATE");
  const seq = await rig.append("during", { s: "running", w: "w1" });
  await audit.followed(seq);
  await until(
    () => audit.state.kind,
    (kind) => kind === "unavailable",
  );
  expect(audit.state).toMatchObject({ cause: expect.stringContaining("locked") });
  expect(await audit.journalEnqueue([aRow("refused")])).toMatchObject([{ kind: "unavailable" }]);
  expect(await audit.running("w1")).toMatchObject([{ id: "during", seq }]);
  await expect(audit.written(seq)).rejects.toMatchObject({ code: "audit-store-unavailable" });
  audit.refused({ at: 1, user: "eve", role: "Viewer", verb: "cancel", what: "no", target: null });
  const last = await rig.live("also-during");
  await audit.followed(last);
  other.exec("ROLLBACK");
  other.close();
  await until(
    () => audit.state.kind,
    (kind) => kind === "ok",
  );
  await audit.written(last);
  const reader = audit.reader();
  expect(reader.task("during")?.status).toBe("running");
  expect(reader.task("also-during")?.status).toBe("completed");
  expect(reader.task("refused")).toBeNull();
  await until(
    () => reader.query("refusals", 1e9).rows,
    (rows) => rows.length === 1,
  );
  expect(reader.verify()).toMatchObject({ ok: true });
  reader.close();
});

test("a deleted database is made anew and filled from the journal", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await audit.journalEnqueue([aRow("t1")]);
  const first = await rig.live("t1");
  await audit.written(first);
  const reader = audit.reader();
  expect(reader.task("t1")?.input).toBe('{"file":"a.csv"}');
  for (const end of ["", "-wal", "-shm"]) rmSync(audit.file + end);
  expect(await audit.journalEnqueue([aRow("t2")])).toEqual([{ kind: "journaled" }]);
  const last = await rig.live("t2");
  await audit.written(last);
  await until(
    () => reader.task("t1"),
    (task) => task?.lastSeq === first,
  );
  expect(reader.task("t2")).toMatchObject({ status: "completed", input: '{"file":"a.csv"}' });
  expect(reader.timeline("t1").map(({ kind }) => kind)).toContain("task.completed");
  expect(statSync(audit.file).mode & 0o777).toBe(0o600);
  reader.close();
});

test("a full disk makes the database unavailable until there is room again", async ({ skip }) => {
  const dir = tempDir();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1500k", "tmpfs", dir], { stdio: "pipe" });
  } catch (error) {
    skip(`no small file system can be mounted here: ${String(error)}`);
  }
  onTestFinished(() => {
    execFileSync("umount", ["-l", dir]);
  });
  const rig = await startRig();
  const audit = await rig.start({ dataDir: dir });
  await audit.written(await rig.live("before"));
  const ballast = join(dir, "ballast");
  let size = 1_400_000;
  for (; size > 0; size -= 4096) {
    try {
      writeFileSync(ballast, Buffer.alloc(size));
      break;
    } catch {
      // Ignored: looking for the size that just fits.
      rmSync(ballast, { force: true });
    }
  }
  const big = aRow("big", { input: JSON.stringify("x".repeat(200_000)) });
  expect(await audit.journalEnqueue([big])).toMatchObject([{ kind: "unavailable" }]);
  expect(audit.state).toMatchObject({
    kind: "unavailable",
    cause: expect.stringMatching(/full|failed/),
  });
  const seq = await rig.live("during");
  await audit.followed(seq);
  rmSync(ballast);
  await until(
    () => audit.state.kind,
    (kind) => kind === "ok",
  );
  await audit.written(seq);
  expect(await audit.journalEnqueue([big])).toEqual([{ kind: "journaled" }]);
  const reader = audit.reader();
  expect(reader.task("during")?.status).toBe("completed");
  expect(reader.verify()).toMatchObject({ ok: true });
  reader.close();
});

test("a damaged file is refused at the start and one copy of it kept beside", async () => {
  const dir = tempDir();
  const file = join(dir, "audit.db");
  writeFileSync(file, Buffer.alloc(8192, 0x5a));
  for (let i = 0; i < 2; i += 1)
    await expect(startAudit(auditDeps(NOWHERE, dir))).rejects.toMatchObject({
      code: "audit-store-corrupt",
    });
  const copies = readdirSync(dir).filter((name) => name.includes("corrupt"));
  expect(copies).toHaveLength(1);
  expect(statSync(join(dir, copies[0] ?? "")).size).toBe(8192);
});

test("a database of a later version is refused with both versions named", async () => {
  const dir = tempDir();
  const audit = await startAudit(auditDeps(NOWHERE, dir));
  await audit.stop();
  const db = new Database(join(dir, "audit.db"));
  db.pragma("user_version = 99");
  db.close();
  const error = await startAudit(auditDeps(NOWHERE, dir)).catch((e: AppError) => e);
  expect(error).toMatchObject({ code: "audit-store-newer", details: { found: 99 } });
});

test("a database that is locked at the start is used as soon as it is free", async () => {
  const dir = tempDir();
  await (await startAudit(auditDeps(NOWHERE, dir))).stop();
  const other = new Database(join(dir, "audit.db"));
  other.exec("BEGIN IMMEDIATE");
  const audit = await startAudit(auditDeps(NOWHERE, dir));
  onTestFinished(() => audit.stop());
  expect(audit.state.kind).toBe("unavailable");
  other.exec("ROLLBACK");
  other.close();
  await until(
    () => audit.state.kind,
    (kind) => kind === "ok",
  );
  expect(await audit.journalEnqueue([aRow("t1")])).toEqual([{ kind: "journaled" }]);
});

test("a directory that is a file leaves the audit unavailable, not the daemon", async () => {
  const dir = tempDir();
  const notThere = join(dir, "gone");
  writeFileSync(notThere, "");
  chmodSync(notThere, 0o400);
  const audit = await startAudit(auditDeps(NOWHERE, notThere));
  onTestFinished(() => audit.stop());
  expect(audit.state.kind).toBe("unavailable");
  expect(await audit.journalEnqueue([aRow("t1")])).toMatchObject([{ kind: "unavailable" }]);
  expect(() => audit.reader().counts()).toThrow(
    expect.objectContaining({ code: "audit-store-unavailable" }),
  );
});

test("a changed row of the timeline is named", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await audit.written(await rig.live("t1"));
  await audit.stop();
  const db = new Database(audit.file);
  expect(() => db.exec("UPDATE task_event SET at = 0")).toThrow(/append-only/);
  expect(() => db.exec("DELETE FROM task_event")).toThrow(/append-only/);
  db.exec("DROP TRIGGER task_event_no_update; UPDATE task_event SET detail = '{}' WHERE seq = 2");
  db.close();
  const next = await rig.start();
  expect(await next.offThread.verify()).toEqual({
    ok: false,
    rows: 1,
    firstBad: 2,
    what: "row 2 was changed",
  });
});

test("a backup is one whole file that opens as a database", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await audit.written(await rig.live("t1"));
  const path = join(rig.dataDir, "backup.db");
  const { bytes } = await audit.backup(path);
  expect(statSync(path)).toMatchObject({ size: bytes });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(rig.dataDir).filter((name) => name.startsWith("backup.db"))).toEqual([
    "backup.db",
  ]);
  const copy = new Database(path, { readonly: true });
  expect(copy.prepare("SELECT status FROM task_audit").pluck().all()).toEqual(["completed"]);
  copy.close();
  await expect(audit.backup("/nowhere/at/all.db")).rejects.toMatchObject({
    code: "backup-failed",
  });
});

test("users are kept until they are removed", async () => {
  const dir = tempDir();
  const audit = await startAudit(auditDeps(NOWHERE, dir));
  onTestFinished(() => audit.stop());
  const ann = {
    name: "ann",
    role: "Operator",
    publicKey: "U1",
    createdAt: "2026-01-02T03:04:05.000Z",
  } as const;
  await audit.putUser(ann);
  await audit.putUser({ ...ann, role: "Manager" });
  const reader = audit.reader();
  expect(reader.users()).toEqual([{ ...ann, role: "Manager" }]);
  await audit.removeUser("ann");
  expect(reader.users()).toEqual([]);
  reader.close();
});
